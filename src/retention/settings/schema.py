"""The shape of the configuration. Unknown keys are errors; messages never repeat the value."""

from __future__ import annotations

import codecs
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from retention.model import Period

_ONE_DAY = "P1D"
_ONE_WEEK = "P7D"
_ONE_MONTH = "P1M"


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


PeriodText = Annotated[str, AfterValidator(_period)]
DaysText = Annotated[str, AfterValidator(_days)]
ZoneName = Annotated[str, AfterValidator(_zone)]
CodecName = Annotated[str, AfterValidator(_codec)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Values = Text | Annotated[list[Text], Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DatabaseSettings(_Table):
    """Where the register lives: ``sqlite:///PATH`` or ``postgresql://user@host/name``."""

    url: Annotated[str, StringConstraints(pattern=r"^(sqlite:///.+|postgresql(\+psycopg)?://.+)$")]


class PathSettings(_Table):
    """Folders of our own. Relative paths are relative to the configuration file."""

    state: Path
    anchor: Path | None = None
    quarantine_period: PeriodText = _ONE_MONTH

    @property
    def quarantine(self) -> Period:
        """How long a file may wait for a person."""
        return Period.parse(self.quarantine_period)


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

    @model_validator(mode="after")
    def _names_are_unique(self) -> ScheduleSettings:
        if len({rule.name for rule in self.rule}) < len(self.rule):
            msg = "two rules have the same name"
            raise ValueError(msg)
        return self


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
    equals: list[Text] = []
    contains: list[Text] = []

    @model_validator(mode="after")
    def _says_something(self) -> WhenSettings:
        if not self.equals and not self.contains:
            msg = "give equals = [...] or contains = [...]"
            raise ValueError(msg)
        return self


class SourceSettings(_Table):
    """One source of messages."""

    name: Name
    kind: Literal["csv-export", "sftp", "hootsuite-api", "hootsuite-webhook"]
    path: Path
    time_zone: ZoneName
    preset: Text | None = None
    columns: ColumnSettings | None = None
    private_when: WhenSettings | None = None
    public_when: WhenSettings | None = None
    date_format: Text | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    encoding: CodecName = "utf-8"
    settle_seconds: Annotated[float, Field(ge=0, le=86400)] = 60.0
    after_ingest: Literal["delete", "keep-until-due"] = "delete"
    upstream: Literal["order", "api", "none"] = "order"

    @model_validator(mode="after")
    def _is_complete(self) -> SourceSettings:
        if self.kind != "csv-export":
            msg = f'kind "{self.kind}" is not part of this version; use kind = "csv-export"'
            raise ValueError(msg)
        if self.upstream == "api":
            msg = (
                'upstream = "api" does not exist for exports: Hootsuite Inbox has no delete call; use "order" or "none"'
            )
            raise ValueError(msg)
        if (self.preset is None) == (self.columns is None):
            msg = "give either preset or columns"
            raise ValueError(msg)
        if self.columns is not None and self.private_when is None:
            msg = "columns need private_when, which says what counts as private"
            raise ValueError(msg)
        return self


class PurgeSettings(_Table):
    """How much one run may dispose of before a person must look."""

    max_share: Annotated[float, Field(gt=0, le=1)] = 0.10
    max_count: Annotated[int, Field(gt=0)] = 100_000
    batch_size: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    approvals: int = 0
    grace: DaysText = _ONE_DAY
    max_clock_jump: DaysText = _ONE_WEEK

    @model_validator(mode="after")
    def _can_be_kept(self) -> PurgeSettings:
        if self.approvals != 0:
            msg = "approvals are not part of this version; leave it at 0 and use purge --dry-run, then purge --plan"
            raise ValueError(msg)
        return self

    @property
    def grace_time(self) -> timedelta:
        """How long something may be due before it is overdue."""
        return timedelta(days=Period.parse(self.grace).days)

    @property
    def clock_jump(self) -> timedelta:
        """How far the clock may be ahead of every trace of time before a person must look."""
        return timedelta(days=Period.parse(self.max_clock_jump).days)


class Settings(_Table):
    """The whole configuration, with paths made absolute."""

    database: DatabaseSettings
    paths: PathSettings
    schedule: ScheduleSettings
    source: Annotated[list[SourceSettings], Field(min_length=1)]
    purge: PurgeSettings = PurgeSettings()

    @model_validator(mode="after")
    def _source_names_are_unique(self) -> Settings:
        if len({source.name for source in self.source}) < len(self.source):
            msg = "two sources have the same name"
            raise ValueError(msg)
        return self
