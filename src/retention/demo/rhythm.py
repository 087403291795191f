"""When people write: by the local hour, less at weekends, and on the edges where dates go wrong.

Weights are whole numbers and every count is whole-number arithmetic, so that the same seed gives the same instants on
every platform and Python version (sums of floats do not: Python 3.12 changed how it adds them).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from retention.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

_BLOCK = 900
_WEEKDAY_HOURS = (2, 1, 1, 1, 1, 2, 6, 14, 30, 46, 52, 50, 44, 46, 48, 46, 42, 34, 24, 18, 14, 10, 6, 4)
_WEEKEND_HOURS = (2, 1, 1, 1, 1, 1, 3, 6, 10, 14, 16, 16, 14, 14, 14, 14, 12, 10, 10, 9, 8, 6, 4, 3)
_SATURDAY = 5
_DESK_OPENS, _DESK_CLOSES = 8, 18
_LAST_MINUTE_EVERY = 3


class Block(NamedTuple):
    """At most a quarter of an hour: whether the desk is staffed, and the instants in it, in order of time."""

    staffed: bool
    seconds: list[int]


class _Day(NamedTuple):
    """One local day as instants: its bounds, and the seconds at its edges that must not be missed."""

    on: date
    start: int
    end: int
    noise: int
    edges: tuple[int, ...]


def blocks(rng: Random, zone: ZoneInfo, first_on: date, last_on: date, total: int) -> Iterator[Block]:
    """Spread exactly ``total`` instants over the local days from ``first_on`` to ``last_on``, both included."""
    days = [_day(rng, zone, first_on + timedelta(days=n)) for n in range((last_on - first_on).days + 1)]
    whole = sum(weight for day in days for _, weight, _ in _quarters(day, zone))
    passed = told = 0
    for day in days:
        for start, weight, staffed in _quarters(day, zone):
            passed += weight
            end = min(start + _BLOCK, day.end)
            edges = [second for second in day.edges if start <= second < end]
            count = min(max(total * passed // whole - told, len(edges)), total - told)
            if count > 0:
                told += count
                yield Block(staffed, _instants(rng, start, end, edges[:count], count))


def zone_of(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        msg = "the time zone of a demo history is not an IANA name such as Europe/London"
        raise UsageError(msg) from error


def changes_clock(zone: ZoneInfo, on: date) -> bool:
    """Tell whether clocks in the zone change on that local day."""
    start, end = midnight(zone, on), midnight(zone, on + timedelta(days=1))
    return _offset(zone, start) != _offset(zone, end)


def midnight(zone: ZoneInfo, on: date) -> int:
    """Give the instant at which that local day begins."""
    return int(datetime(on.year, on.month, on.day, tzinfo=zone).timestamp())


def _instants(rng: Random, start: int, end: int, edges: list[int], count: int) -> list[int]:
    random, width = rng.random, end - start
    seconds = [start + int(random() * width) for _ in range(count - len(edges))]
    seconds += edges
    seconds.sort()
    return seconds


def _day(rng: Random, zone: ZoneInfo, on: date) -> _Day:
    start, end = midnight(zone, on), midnight(zone, on + timedelta(days=1))
    edges: list[int] = []
    if changes_clock(zone, on):
        change = _clock_change(zone, start, end)
        edges += (s for s in (change - 1800, change - 1, change, change + 1800) if start <= s < end)
    if edges or on.toordinal() % _LAST_MINUTE_EVERY == 0:
        edges += (end - 1 - int(rng.random() * 30), end - 1)
    return _Day(on, start, end, 85 + int(rng.random() * 31), tuple(edges))


def _quarters(day: _Day, zone: ZoneInfo) -> Iterator[tuple[int, int, bool]]:
    weekend = day.on.weekday() >= _SATURDAY
    hours = _WEEKEND_HOURS if weekend else _WEEKDAY_HOURS
    for start in range(day.start, day.end, _BLOCK):
        hour = datetime.fromtimestamp(start, tz=zone).hour
        yield start, hours[hour] * day.noise, not weekend and _DESK_OPENS <= hour < _DESK_CLOSES


def _clock_change(zone: ZoneInfo, start: int, end: int) -> int:
    before = _offset(zone, start)
    while end - start > 1:
        middle = (start + end) // 2
        start, end = (middle, end) if _offset(zone, middle) == before else (start, middle)
    return end


def _offset(zone: ZoneInfo, second: int) -> timedelta | None:
    return datetime.fromtimestamp(second, tz=UTC).astimezone(zone).utcoffset()
