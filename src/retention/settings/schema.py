"""The shape of the configuration. Unknown keys are errors; messages never repeat the value."""

from __future__ import annotations

import codecs
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
)

from retention.model import Period
from retention.settings.serve import ServeSettings
from retention.settings.table import Table as _Table
from retention.settings.table import Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ONE_DAY = "P1D"
_ONE_WEEK = "P7D"
_ONE_MONTH = "P1M"
_DISPUTE = "P90D"
_OVERLAP = "P30D"
WEBHOOK = "hootsuite-webhook"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ADDRESS = re.compile(r"/[^\0]+|(udp|tcp)://[^\s/:@]+:[1-9][0-9]{0,4}")
_URL = re.compile(r"sqlite:///.+|postgresql(\+psycopg)?://.+")


def _period(text: str) -> str:
    Period.parse(text)
    return text


def _days(text: str) -> str:
    if Period.parse(text).months:
        msg = "write a period of days or weeks here, for example P1D"
        raise ValueError(msg)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = "is not an IANA time zone; write a name such as Europe/London"
        raise ValueError(msg) from None
    return name


def _codec(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        msg = "is not an encoding that Python knows; write for example utf-8, utf-16 or cp1252"
        raise ValueError(msg) from None
    return name


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        msg = "write up to 64 small letters, digits, dots, dashes or underscores, the first a letter or digit"
        raise ValueError(msg)
    return name


def _url(url: str) -> str:
    _without_zero_byte(url)
    if not _URL.fullmatch(url):
        msg = "write sqlite:///PATH or postgresql://user@host/name"
        raise ValueError(msg)
    if not url.startswith("sqlite:"):
        try:
            parts = urlsplit(url)
            usable = parts.port != 0 and parts.netloc.count("@") <= 1
        except ValueError:
            usable = False
        if not usable:
            msg = "is not an address; write postgresql://user@host:5432/name, and an @ within a part as %40"
            raise ValueError(msg)
    return url


def _path(path: Path) -> Path:
    _without_zero_byte(str(path))
    return path


def _without_zero_byte(text: str) -> None:
    if "\0" in text:
        msg = "has a zero byte, which no file can have in its name"
        raise ValueError(msg)


def _address(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        msg = "write the path of a socket such as /dev/log, or udp://HOST:PORT or tcp://HOST:PORT"
        raise ValueError(msg)
    return address


def _http(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in url or "#" in url or not url.isprintable() or " " in url:
        msg = "write an address such as https://host/path, without user name and password"
        raise ValueError(msg)
    return url


def _username(username: str) -> str:
    if ":" in username or not username.isascii() or not username.isprintable():
        msg = "write visible ASCII characters without a colon"
        raise ValueError(msg)
    return username


def _this_kind(kind: str) -> str:
    if kind not in {"csv-export", "archive", WEBHOOK}:
        msg = f'kind "{kind}" is not part of this version; use kind = "csv-export"'
        raise ValueError(msg)
    return kind


def _this_upstream(upstream: str) -> str:
    if upstream == "api":
        msg = 'upstream = "api" does not exist for exports: Hootsuite Inbox has no delete call; use "order" or "none"'
        raise ValueError(msg)
    return upstream


def _no_approvals(approvals: int) -> int:
    if approvals != 0:
        msg = "approvals are not part of this version; leave it at 0 and use purge --dry-run, then purge --plan"
        raise ValueError(msg)
    return approvals


PeriodText = Annotated[str, AfterValidator(_period)]
DaysText = Annotated[str, AfterValidator(_days)]
ZoneName = Annotated[str, AfterValidator(_zone)]
CodecName = Annotated[str, AfterValidator(_codec)]
Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Values = Text | Annotated[list[Text], Field(min_length=1)]
FilePath = Annotated[Path, AfterValidator(_path)]


def _repeated(key: str, tables: object) -> Iterator[int]:
    """Give the place of each table whose key has a value that a table before it has already."""
    seen: set[str] = set()
    for number, table in enumerate(tables if isinstance(tables, list) else []):
        value = table.get(key) if isinstance(table, dict) else None
        if isinstance(value, str):
            if value.rstrip("/") in seen:
                yield number
            seen.add(value.rstrip("/"))


def _messages_of(tables: object) -> Iterator[Wrong]:
    """Say which webhook names a source that is not there or is a webhook itself."""
    sources = [table for table in tables if isinstance(table, dict)] if isinstance(tables, list) else []
    of_files = [table.get("name") for table in sources if table.get("kind") != WEBHOOK]
    for number, table in enumerate(tables if isinstance(tables, list) else []):
        if isinstance(table, dict) and "messages_of" in table and table["messages_of"] not in of_files:
            yield ("source", number, "messages_of"), "names no source of files of this configuration"


class DatabaseSettings(_Table):
    """Where the register lives: ``sqlite:///PATH`` or ``postgresql://user@host/name``."""

    url: Annotated[str, AfterValidator(_url)]

    @property
    def place(self) -> str:
        """Where that is, for people: the file, or the URL without a password."""
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", self.url).removeprefix("sqlite:///")


class PathSettings(_Table):
    """Folders of our own. Relative paths are relative to the configuration file."""

    state: FilePath
    anchor: FilePath | None = None
    quarantine_period: PeriodText = _ONE_MONTH

    @property
    def quarantine(self) -> Period:
        """How long a file may wait for a person."""
        return Period.parse(self.quarantine_period)


_NEEDS = {"file": {"path"}, "syslog": {"address"}, "timestamp": {"url", "certificate"}, "witness": {"url", "key"}}


class AnchorSettings(_Table):
    """One more place that gets every signed checkpoint; work stops before it deletes where a required one fails."""

    name: Name
    kind: Literal["file", "syslog", "timestamp", "witness"]
    required: Annotated[bool, Field(strict=True)] = False
    path: FilePath | None = None
    address: Annotated[str, AfterValidator(_address)] | None = None
    url: Annotated[str, AfterValidator(_http)] | None = None
    certificate: FilePath | None = None
    key: Text | None = None
    timeout_seconds: Annotated[float, Field(strict=True, gt=0, le=300)] = 10.0

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        if given.get("name") == "file":
            yield (), 'the name "file" is that of [paths] anchor; give another'
        needed = _NEEDS.get(str(given.get("kind")))
        if needed is None:
            return
        every = set().union(*_NEEDS.values())
        for key in sorted(needed - given.keys()):
            yield (), f"this kind of anchor needs {key}"
        for key in sorted((every - needed) & given.keys()):
            yield (), f"this kind of anchor has no {key}"


class MatchSettings(_Table):
    """Which messages a rule covers: a value or a list of values for each key."""

    visibility: Literal["private", "public"] | list[Literal["private", "public"]] | None = None
    source: Values | None = None
    network: Values | None = None
    channel: Values | None = None
    direction: Values | None = None
    message_type: Values | None = None


class RuleSettings(_Table):
    """One rule: which messages, how long, on what authority."""

    name: Name
    match: MatchSettings = MatchSettings()
    keep: PeriodText
    authority: Text

    @property
    def keep_period(self) -> Period:
        """The retention period as a value."""
        return Period.parse(self.keep)

    @property
    def match_values(self) -> dict[str, tuple[str, ...]]:
        """The match keys that are set, each with the values it accepts."""
        given = self.match.model_dump(exclude_none=True)
        return {key: (value,) if isinstance(value, str) else tuple(value) for key, value in given.items()}


class ScheduleSettings(_Table):
    """The ordered rules and the zone in which days are counted."""

    time_zone: ZoneName
    rule: Annotated[list[RuleSettings], Field(min_length=1)]

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        for number in _repeated("name", given.get("rule")):
            yield ("rule", number, "name"), "two rules have the same name; this is the second"


class ColumnSettings(_Table):
    """The names of a CSV file's columns."""

    message_id: Text
    received_at: Text
    conversation_id: Text | None = None
    contact: Text | None = None
    network: Text | None = None
    channel: Text | None = None
    direction: Text | None = None
    message_type: Text | None = None


class WhenSettings(_Table):
    """When a row counts as private: its column equals or contains one of these, whatever the case."""

    column: Text
    equals: list[Text] = Field(default_factory=list)
    contains: list[Text] = Field(default_factory=list)

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        if not given.get("equals") and not given.get("contains"):
            yield (), "give equals = [...] or contains = [...]"


_OF_ALL = {"name", "kind", "upstream"}
_OF_WEBHOOKS = {"auth", "username", "messages_of"}


class SourceSettings(_Table):
    """One source of messages. What only one kind of source has is None where it is not given."""

    name: Name
    kind: Annotated[
        Literal["csv-export", "archive", "sftp", "hootsuite-api", "hootsuite-webhook"], AfterValidator(_this_kind)
    ]
    path: FilePath | None = None
    time_zone: ZoneName | None = None
    preset: Text | None = None
    columns: ColumnSettings | None = None
    private_when: WhenSettings | None = None
    public_when: WhenSettings | None = None
    date_format: Text | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    encoding: CodecName | None = None
    own_account: Values | None = None
    settle_seconds: Annotated[float, Field(strict=True, ge=0, le=86400)] = 60.0
    after_ingest: Literal["delete", "keep-until-due"] = "delete"
    upstream: Annotated[Literal["order", "api", "none"], AfterValidator(_this_upstream)] = "order"
    auth: Literal["signature", "basic"] = "signature"
    username: Annotated[Text, AfterValidator(_username)] | None = None
    messages_of: Name | None = None

    @property
    def is_webhook(self) -> bool:
        """Tell whether its messages are sent to us, and not in files."""
        return self.kind == WEBHOOK

    @property
    def folder(self) -> Path:
        """Where its files arrive; only a webhook has no such place, and nothing there."""
        return self.path or Path()

    @property
    def identity(self) -> str:
        """Name the source whose identifiers its messages carry."""
        return self.messages_of or self.name

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        if given.get("kind") == WEBHOOK:
            for key in sorted(given.keys() & cls.model_fields.keys() - _OF_ALL - _OF_WEBHOOKS):
                yield (key,), "is for sources of files; a webhook has none"
            if (given.get("auth") == "basic") != ("username" in given):
                yield (), 'auth = "basic" needs username, and nothing else has one'
            return
        for key in sorted(given.keys() & _OF_WEBHOOKS):
            yield (key,), f'is for kind = "{WEBHOOK}"'
        if "path" not in given:
            yield ("path",), "is missing"
        if given.get("kind") == "archive":
            return  # the room of sources knows which keys an archive has
        if "time_zone" not in given:
            yield ("time_zone",), "is missing"
        if ("preset" in given) == ("columns" in given):
            yield (), "give either preset or columns"
        if "columns" in given and "private_when" not in given:
            yield (), "columns need private_when, which says what counts as private"


class PurgeSettings(_Table):
    """How much one run may dispose of before a person must look."""

    max_share: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.10
    max_count: Annotated[int, Field(strict=True, gt=0)] = 100_000
    batch_size: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 10_000
    approvals: Annotated[int, Field(strict=True), AfterValidator(_no_approvals)] = 0
    grace: DaysText = _ONE_DAY
    max_clock_jump: DaysText = _ONE_WEEK

    @property
    def grace_time(self) -> timedelta:
        """How long something may be due before it is overdue."""
        return timedelta(days=Period.parse(self.grace).days)

    @property
    def clock_jump(self) -> timedelta:
        """How far the clock may be ahead of every trace of time before a person must look."""
        return timedelta(days=Period.parse(self.max_clock_jump).days)


class KeySettings(_Table):
    """How long keys outlive what they are needed for."""

    dispute_period: DaysText = _DISPUTE
    overlap: DaysText = _OVERLAP

    @property
    def dispute_time(self) -> timedelta:
        """How long the key of a month is kept after the last disposal of one of its messages."""
        return timedelta(days=Period.parse(self.dispute_period).days)

    @property
    def overlap_time(self) -> timedelta:
        """How long an old signing key signs beside the one that takes over."""
        return timedelta(days=Period.parse(self.overlap).days)


class Settings(_Table):
    """The whole configuration, with paths made absolute."""

    database: DatabaseSettings
    paths: PathSettings
    schedule: ScheduleSettings
    source: Annotated[list[SourceSettings], Field(min_length=1)]
    purge: PurgeSettings = PurgeSettings()
    keys: KeySettings = KeySettings()
    anchor: list[AnchorSettings] = Field(default_factory=list)
    serve: ServeSettings = ServeSettings()

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        for number in _repeated("name", given.get("source")):
            yield ("source", number, "name"), "two sources have the same name; this is the second"
        for number in _repeated("path", given.get("source")):
            reason = "two sources read the same folder; an export taken by one of them would be gone for the other"
            yield ("source", number, "path"), reason
        yield from _messages_of(given.get("source"))
        for number in _repeated("name", given.get("anchor")):
            yield ("anchor", number, "name"), "two anchors have the same name; this is the second"
        paths, anchors = given.get("paths"), given.get("anchor")
        if isinstance(anchors, list):
            main = paths.get("anchor") if isinstance(paths, dict) else None
            for number in _repeated("path", [{"path": main}, *anchors]):
                yield ("anchor", number - 1, "path"), "two anchors are the same file; this is the second"
            kinds = [one.get("kind") if isinstance(one, dict) else None for one in anchors]
            for number in [place for place, kind in enumerate(kinds) if kind == "timestamp"][1:]:
                yield ("anchor", number, "kind"), "there can be one anchor of the kind timestamp; this is the second"
