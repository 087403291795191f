"""Exports to play with: one big file for measurements, and seven months of weekly files for the narrated demo."""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from retention.demo.bulk import bulk
from retention.demo.history import DemoMessage, HistorySpec, messages
from retention.demo.rhythm import changes_clock, midnight, zone_of
from retention.demo.writer import BAD_ROW_KINDS, COLUMNS, ExportFacts, write_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "BAD_ROW_KINDS",
    "COLUMNS",
    "DemoMessage",
    "ExportFacts",
    "ExportFile",
    "HistorySpec",
    "bulk",
    "checking_export",
    "export_name",
    "messages",
    "seven_months",
    "write_csv",
]

ZONE = "Europe/London"
_ORG = "7700900"
_MONTHS = 7
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_ARRIVES_AFTER = timedelta(hours=4, minutes=30)
_REDROPPED_AFTER = timedelta(weeks=18, hours=5)  # well past three months after the newest message in it
_REDROPPED = 2
_BAD_ROWS = {
    3: ("missing-id", "impossible-date", "too-few-columns", "missing-date"),
    11: ("too-many-columns", "missing-id"),
    20: ("missing-date", "impossible-date"),
}
_PACKED = {7: ".csv.gz", 15: ".zip"}


def export_name(org: str, first: datetime, last: datetime, uuid: UUID | str) -> str:
    """Name a scheduled message export; both times are spelled as they are given, so give them in the export's zone."""
    return f"[{org}][message][{first:%d%m%Y%H%M%S}][{last:%d%m%Y%H%M%S}][{uuid}].csv"


@dataclass(frozen=True)
class ExportFile:
    """One export of the demo: where it goes, what it covers (from included, to excluded; UTC), when it arrives."""

    path: Path
    window_from: datetime
    window_to: datetime
    arrives_at: datetime
    bad_rows: tuple[str, ...]
    is_redrop: bool
    _history: _History = field(repr=False, compare=False)

    def write(self) -> ExportFacts:
        """Write the file, the same bytes each time, and tell what is in it."""
        told = self._history.between(self.window_from, self.window_to)
        return write_csv(self.path, told, zone=ZONE, bad_rows=self.bad_rows)


class _History:
    """The demo's whole history, told once and cut into windows."""

    def __init__(self, spec: HistorySpec) -> None:
        self._spec = spec

    def between(self, start: datetime, end: datetime) -> Sequence[DemoMessage]:
        return self._told[self._index(start) : self._index(end)]

    def _index(self, moment: datetime) -> int:
        return bisect_left(self._told, moment, key=lambda message: message.received_at)

    @cached_property
    def _told(self) -> list[DemoMessage]:
        return list(messages(self._spec))


def seven_months(directory: Path, *, today: date, seed: int) -> list[ExportFile]:
    """Plan the weekly exports of the seven months before ``today``, in the order in which they arrive.

    Each window starts a day before the one before it ended, as customers set it up to lose nothing; the last ends with
    the day before ``today``. An early export arrives a second time, byte for byte, when all of it is past three months.
    """
    zone = zone_of(ZONE)
    spec = HistorySpec(seed=seed, zone=ZONE, first_on=_first_day(today), last_on=today - _DAY)
    history, rng = _History(spec), Random(seed)  # noqa: S311 - invented names must be the same for the same seed
    weeks = -(-(today - spec.first_on).days // 7)
    files = []
    for week in range(weeks):
        ends_on = today - (weeks - 1 - week) * _WEEK
        starts_on = max(ends_on - _WEEK - _DAY, spec.first_on)
        start, end = (datetime.fromtimestamp(midnight(zone, on), tz=zone) for on in (starts_on, ends_on))
        name = export_name(_ORG, start, end, UUID(int=rng.getrandbits(128), version=4))
        files.append(
            ExportFile(
                path=directory / (name.removesuffix(".csv") + _PACKED.get(week, ".csv")),
                window_from=start.astimezone(UTC),
                window_to=end.astimezone(UTC),
                arrives_at=end.astimezone(UTC) + _ARRIVES_AFTER,
                bad_rows=_BAD_ROWS.get(week, ()),
                is_redrop=False,
                _history=history,
            )
        )
    old = files[_REDROPPED]
    files.append(replace(old, arrives_at=old.arrives_at + _REDROPPED_AFTER, is_redrop=True))
    return sorted(files, key=lambda file: file.arrives_at)


def checking_export(directory: Path, *, today: date, seed: int, still_there: date) -> Path:
    """Write the export by which somebody checks, on ``today``, that what is past three months is gone at the source.

    It has the whole history, without the private messages that are past three months but for three that were received
    on the day ``still_there``.
    """
    zone = zone_of(ZONE)
    spec = HistorySpec(seed=seed, zone=ZONE, first_on=_first_day(today), last_on=today - _DAY)
    start, end = (datetime.fromtimestamp(midnight(zone, on), tz=zone) for on in (spec.first_on, today))
    gone_before = datetime.fromtimestamp(midnight(zone, today - timedelta(days=92)), tz=zone)
    forgotten = [
        one.message_id
        for one in messages(spec)
        if one.visibility == "private" and one.received_at.astimezone(zone).date() == still_there
    ][:3]
    left = (
        one
        for one in messages(spec)
        if one.visibility == "public" or one.received_at >= gone_before or one.message_id in forgotten
    )
    path = directory / export_name(_ORG, start, end, UUID(int=seed, version=4))
    write_csv(path, left, zone=ZONE, bad_rows=())
    return path


def _first_day(today: date) -> date:
    """Go back seven months, and a few days more where needed for clocks to change once on the way."""
    year, month = divmod(12 * today.year + today.month - 1 - _MONTHS, 12)
    first_on = date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
    zone = zone_of(ZONE)
    days = (today - first_on).days
    while not any(changes_clock(zone, first_on + n * _DAY) for n in range(days)):
        first_on -= _DAY
        days += 1
    return first_on
