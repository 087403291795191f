"""The shape of the configuration. Unknown keys are errors; messages never repeat the value."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints

from retention.model import Period
from retention.settings.fields import (
    CodecName,
    DatabaseUrl,
    DaysText,
    FilePath,
    HostName,
    HttpAddress,
    LogAddress,
    Name,
    PeriodText,
    RemoteFolder,
    Text,
    Values,
    ZoneName,
)
from retention.settings.notice import NoticeSettings, wrong_rules
from retention.settings.table import Table, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ONE_DAY = "P1D"
_ONE_WEEK = "P7D"
_ONE_MONTH = "P1M"
_ONE_YEAR = "P365D"
_DISPUTE = "P90D"
_OVERLAP = "P30D"
_THREE_MONTHS = "P3M"
_SHORTEST_MONTH = 28
_NO_DELETE_CALL = (
    'upstream = "api" does not exist for exports: Hootsuite Inbox has no delete call; use "order" or "none"'
)

SFTP_KEYS = ("host", "port", "user", "host_key", "sign_in", "key_file", "remote_folder", "after_fetch")
"""Keys of a source that is fetched from a server."""


def _this_kind(kind: str) -> str:
    if kind not in {"csv-export", "archive", "sftp", "hootsuite-api"}:
        msg = f'kind "{kind}" is not part of this version; use "csv-export", "archive", "sftp" or "hootsuite-api"'
        raise ValueError(msg)
    return kind


def _no_approvals(approvals: int) -> int:
    if approvals != 0:
        msg = "approvals are not part of this version; leave it at 0 and use purge --dry-run, then purge --plan"
        raise ValueError(msg)
    return approvals


def _repeated(key: str, tables: object) -> Iterator[int]:
    """Give the place of each table whose key has a value that a table before it has already."""
    seen: set[str] = set()
    for number, table in enumerate(tables if isinstance(tables, list) else []):
        value = table.get(key) if isinstance(table, dict) else None
        if isinstance(value, str):
            if value.rstrip("/") in seen:
                yield number
            seen.add(value.rstrip("/"))


def _fetching_alike(tables: object) -> Iterator[int]:
    """Give the place of each source that fetches from where a source before it does."""
    default = {"port": 22, "remote_folder": "/export/message"}
    seen: set[tuple[str, ...]] = set()
    for number, table in enumerate(tables if isinstance(tables, list) else []):
        if isinstance(table, dict) and "host" in table:
            given = {**default, **table}
            place = tuple(str(given.get(key)) for key in ("host", "port", "user", "remote_folder"))
            if place in seen:
                yield number
            seen.add(place)


def _wrong_of_sftp(given: Mapping[str, object]) -> Iterator[Wrong]:
    """Say what is wrong with the keys of a server: missing, or given to a source that is not fetched."""
    if given.get("kind") != "sftp":
        yield from (((key,), 'goes with kind = "sftp"') for key in SFTP_KEYS if key in given)
        return
    yield from (((), f'kind "sftp" needs {key}') for key in ("host", "user", "host_key") if key not in given)
    if given.get("sign_in") == "password" and "key_file" in given:
        yield ("key_file",), 'goes with sign_in = "key"'


class DatabaseSettings(Table):
    """Where the register lives: ``sqlite:///PATH`` or ``postgresql://user@host/name``."""

    url: DatabaseUrl

    @property
    def place(self) -> str:
        """Where that is, for people: the file, or the URL without a password."""
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", self.url).removeprefix("sqlite:///")


class PathSettings(Table):
    """Folders of our own. Relative paths are relative to the configuration file."""

    state: FilePath
    anchor: FilePath | None = None
    quarantine_period: PeriodText = _ONE_MONTH

    @property
    def quarantine(self) -> Period:
        """How long a file may wait for a person."""
        return Period.parse(self.quarantine_period)


_NEEDS = {"file": {"path"}, "syslog": {"address"}, "timestamp": {"url", "certificate"}, "witness": {"url", "key"}}


class AnchorSettings(Table):
    """One more place that gets every signed checkpoint; work stops before it deletes where a required one fails."""

    name: Name
    kind: Literal["file", "syslog", "timestamp", "witness"]
    required: Annotated[bool, Field(strict=True)] = False
    path: FilePath | None = None
    address: LogAddress | None = None
    url: HttpAddress | None = None
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


class MatchSettings(Table):
    """Which messages a rule covers: a value or a list of values for each key."""

    visibility: Literal["private", "public"] | list[Literal["private", "public"]] | None = None
    source: Values | None = None
    network: Values | None = None
    channel: Values | None = None
    direction: Values | None = None
    message_type: Values | None = None


class RuleSettings(Table):
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


class ScheduleSettings(Table):
    """The ordered rules and the zone in which days are counted."""

    time_zone: ZoneName
    rule: Annotated[list[RuleSettings], Field(min_length=1)]

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        for number in _repeated("name", given.get("rule")):
            yield ("rule", number, "name"), "two rules have the same name; this is the second"


class ColumnSettings(Table):
    """The names of a CSV file's columns."""

    message_id: Text
    received_at: Text
    conversation_id: Text | None = None
    contact: Text | None = None
    network: Text | None = None
    channel: Text | None = None
    direction: Text | None = None
    message_type: Text | None = None


class WhenSettings(Table):
    """When a row counts as private: its column equals or contains one of these, whatever the case."""

    column: Text
    equals: list[Text] = Field(default_factory=list)
    contains: list[Text] = Field(default_factory=list)

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        if not given.get("equals") and not given.get("contains"):
            yield (), "give equals = [...] or contains = [...]"


class SourceSettings(Table):
    """One source of messages. What only one kind of source has is None where it is not given."""

    name: Name
    kind: Annotated[
        Literal["csv-export", "archive", "sftp", "hootsuite-api", "hootsuite-webhook"], AfterValidator(_this_kind)
    ]
    path: FilePath
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
    host: HostName | None = None
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 22
    user: Text | None = None
    host_key: Text | None = None
    sign_in: Literal["key", "password"] = "key"
    key_file: FilePath | None = None
    remote_folder: RemoteFolder = "/export/message"
    after_fetch: Literal["remove", "leave"] = "remove"
    url: Text | None = None
    client_id: Text | None = None
    grant: Literal["authorization_code", "member_app", "organization_app"] | None = None
    member_id: Text | None = None
    organization_id: Text | None = None
    redirect_uri: Text | None = None
    look_back: DaysText | None = None
    upstream: Literal["order", "api", "none"] = "order"
    expect_every: DaysText | None = None

    @property
    def look_back_time(self) -> timedelta:
        """How far before now the first listing of an interface begins."""
        return timedelta(days=Period.parse(self.look_back or _ONE_YEAR).days)

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        kind = str(given.get("kind"))  # whatever was written there
        yield from _wrong_of_sftp(given)
        if kind != "hootsuite-api" and given.get("upstream") == "api":
            yield ("upstream",), _NO_DELETE_CALL
        if kind in {"archive", "hootsuite-api"}:
            return  # the room of sources knows which keys these have
        if "time_zone" not in given:
            yield ("time_zone",), "is missing"
        if ("preset" in given) == ("columns" in given):
            yield (), "give either preset or columns"
        if "columns" in given and "private_when" not in given:
            yield (), "columns need private_when, which says what counts as private"

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the source's times as an object."""
        return ZoneInfo(self.time_zone or "UTC")  # archives say their times in UTC

    @property
    def expect_time(self) -> timedelta | None:
        """For how long nothing may arrive before somebody must look, or None where that is not watched."""
        return timedelta(days=Period.parse(self.expect_every).days) if self.expect_every else None


class PurgeSettings(Table):
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


class KeySettings(Table):
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


class UpstreamSettings(Table):
    """How copies that sources keep are ordered to be disposed of, and how long the identifiers for that are kept."""

    order_period: DaysText = _ONE_WEEK
    attestations: Annotated[int, Field(strict=True, ge=1, le=2)] = 1
    keep_ids: PeriodText = _THREE_MONTHS

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        try:
            order = Period.parse(str(given.get("order_period", _ONE_WEEK)))
            keep = Period.parse(str(given.get("keep_ids", _THREE_MONTHS)))
        except ValueError:  # said of the key itself
            return
        if _SHORTEST_MONTH * keep.months + keep.days <= order.days:
            yield ("keep_ids",), "must be longer than order_period, or identifiers would go before their order is due"

    @property
    def order_time(self) -> Period:
        """How long people have to carry an order out."""
        return Period.parse(self.order_period)

    @property
    def keep_time(self) -> Period:
        """How long identifiers wait for an export that shows what became of their messages."""
        return Period.parse(self.keep_ids)


class Settings(Table):
    """The whole configuration, with paths made absolute."""

    database: DatabaseSettings
    paths: PathSettings
    schedule: ScheduleSettings
    source: Annotated[list[SourceSettings], Field(min_length=1)]
    purge: PurgeSettings = PurgeSettings()
    keys: KeySettings = KeySettings()
    upstream: UpstreamSettings = UpstreamSettings()
    anchor: list[AnchorSettings] = Field(default_factory=list)
    notice: NoticeSettings | None = None

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        yield from wrong_rules(given)
        for number in _repeated("name", given.get("source")):
            yield ("source", number, "name"), "two sources have the same name; this is the second"
        for number in _repeated("path", given.get("source")):
            reason = "two sources read the same folder; an export taken by one of them would be gone for the other"
            yield ("source", number, "path"), reason
        for number in _fetching_alike(given.get("source")):
            reason = "two sources fetch from the same folder of a server; a file would be taken by one of them only"
            yield ("source", number, "host"), reason
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
