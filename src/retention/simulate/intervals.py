"""Cut a time into the intervals of a metric; days, months and years go by the local calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from retention.simulate.answers import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 60
_PASSING = {"MINUTE": timedelta(minutes=1), "HOUR": timedelta(hours=1), "HOUR_BY_DAY": timedelta(hours=1)}
_CALENDAR = ("DAY", "MONTH", "YEAR")
INTERVALS = (*_PASSING, *_CALENDAR)
_DECEMBER = 12


def intervals(start: datetime, end: datetime, kind: str, zone: str) -> list[tuple[datetime, datetime]]:
    """Give the intervals that cover a time, at most sixty; each from included, to excluded, in UTC."""
    edges: list[datetime] = []
    for edge in _edges(start, kind, ZoneInfo(zone)):
        edges.append(edge.astimezone(UTC))
        if edge >= end or len(edges) > MOST + 1:
            break
    if len(edges) > MOST + 1:
        msg = f"no more than {MOST} intervals can be requested"
        raise invalid(msg)
    return list(pairwise(edges))


def _edges(start: datetime, kind: str, zone: ZoneInfo) -> Iterator[datetime]:
    local = start.astimezone(zone)
    if kind in _PASSING:
        edge = start.replace(second=0, microsecond=0)
        edge = edge if kind == "MINUTE" else edge.replace(minute=0)
        while True:
            yield edge
            edge += _PASSING[kind]
    day = datetime(local.year, 1 if kind == "YEAR" else local.month, local.day if kind == "DAY" else 1, tzinfo=zone)
    while True:
        yield day
        day = _following(day, kind)


def _following(day: datetime, kind: str) -> datetime:
    if kind == "DAY":
        return day + timedelta(days=1)  # wall-clock arithmetic: the next local midnight
    if kind == "YEAR":
        return day.replace(year=day.year + 1)
    return day.replace(year=day.year + day.month // _DECEMBER, month=day.month % _DECEMBER + 1)
