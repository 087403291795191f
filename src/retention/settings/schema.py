"""The shape of the configuration. Unknown keys are errors; messages never repeat the value."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from retention.model import Period
from retention.settings.backups import BackupSettings
from retention.settings.fields import (
    DatabaseUrl,
    DaysText,
    FilePath,
    HttpAddress,
    LogAddress,
    Name,
    PeriodText,
    Text,
    Values,
    ZoneName,
)
from retention.settings.notice import NoticeSettings, wrong_rules
from retention.settings.notify import NotifySettings
from retention.settings.serve import ServeSettings
from retention.settings.source import SourceSettings
from retention.settings.table import Table, Wrong
from retention.settings.webhooks import wrong_of_names

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


class PurgeSettings(Table):
    """How much one run may dispose of before a person must look."""

    max_share: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.10
    max_count: Annotated[int, Field(strict=True, gt=0)] = 100_000
    batch_size: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 10_000
    approvals: Annotated[int, Field(strict=True, ge=0, le=2)] = 0
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
    backups: BackupSettings = BackupSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    anchor: list[AnchorSettings] = Field(default_factory=list)
    serve: ServeSettings = ServeSettings()
    notice: NoticeSettings | None = None
    notify: list[NotifySettings] = Field(default_factory=list)

    @property
    def of_files(self) -> list[SourceSettings]:
        """Give the sources whose messages come in files, in the order of the configuration."""
        return [source for source in self.source if not source.is_webhook]

    @property
    def webhooks(self) -> list[SourceSettings]:
        """Give the sources whose messages are sent to us, in the order of the configuration."""
        return [source for source in self.source if source.is_webhook]

    @property
    def job_times(self) -> dict[str, str]:
        """Give the jobs of the service that are done, each with its times: with an address to ask, somebody to tell."""
        idle = set() if self.notify else {"notify"}
        if self.notice is None or self.notice.url is None:
            idle.add("notice")
        return {name: spelled for name, spelled in self.serve.jobs.times.items() if name not in idle}

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        yield from wrong_rules(given)
        for number in _repeated("name", given.get("notify")):
            yield ("notify", number, "name"), "two channels have the same name; this is the second"
        for number in _repeated("name", given.get("source")):
            yield ("source", number, "name"), "two sources have the same name; this is the second"
        for number in _repeated("path", given.get("source")):
            reason = "two sources read the same folder; an export taken by one of them would be gone for the other"
            yield ("source", number, "path"), reason
        for number in _fetching_alike(given.get("source")):
            reason = "two sources fetch from the same folder of a server; a file would be taken by one of them only"
            yield ("source", number, "host"), reason
        yield from wrong_of_names(given.get("source"))
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
