"""Counts of a disposal record: by local day and network, gathered into few periods, and how late a disposal came."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from retention.policy.period import expires_on
from retention.policy.words import say_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from retention.model import Period

OTHER = "other networks"
_QUARTER = 3
_EVERY = 10_000
_SHORT = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class DayCount(NamedTuple):
    """How many messages of one network were received on one local day and disposed of by the run."""

    received_on: date
    network: str
    disposed: int


class Lateness(NamedTuple):
    """Days past due at disposal: 0 is the first day on which a message was due. ``counted`` messages had a due day."""

    minimum: int
    median: float
    maximum: int
    counted: int


class Span(NamedTuple):
    """One day, week, month, quarter or year of receipt. ``networks`` has only what is not zero."""

    label: str
    short: str
    networks: Mapping[str, int]

    @property
    def disposed(self) -> int:
        """All of its messages."""
        return sum(self.networks.values())


class Spans(NamedTuple):
    """Every period from the first day of receipt to the last, empty ones included; ``unit`` names their length."""

    unit: str
    spans: list[Span]


def days_past_due(received_on: date, keep: Period, disposed_on: date) -> int:
    """Count the days from the first local day on which a message was due to the local day of its disposal."""
    return (disposed_on - expires_on(received_on, keep)).days - 1


def lateness(days: Mapping[int, int]) -> Lateness | None:
    """Sum up lateness from the number of messages at each count of days; None where there are none."""
    counted = sum(days.values())
    if not counted:
        return None
    middle = (_nth(days, (counted - 1) // 2) + _nth(days, counted // 2)) / 2
    return Lateness(min(days), middle, max(days), counted)


def networks_of(counts: Iterable[DayCount], limit: int) -> list[str]:
    """Name the networks, the busiest first; of more than the limit, the last stands for all others."""
    totals: Counter[str] = Counter()
    for count in counts:
        totals[count.network] += count.disposed
    names = sorted(totals, key=lambda name: (-totals[name], name))
    return names if len(names) <= limit else [*names[: limit - 1], OTHER]


def spans(counts: Iterable[DayCount], limit: int) -> Spans:
    """Gather counts into the shortest periods of which no more than the limit are needed."""
    known = list(counts)
    if not known:
        return Spans("day", [])
    first, last = min(count.received_on for count in known), max(count.received_on for count in known)
    unit = next(unit for unit in _UNITS if unit == "year" or len(_starts(unit, first, last, limit)) <= limit)
    starts = _starts(unit, first, last, _EVERY)
    totals: dict[date, Counter[str]] = {start: Counter() for start in starts}
    for count in known:
        totals[_UNITS[unit].start_of(count.received_on)][count.network] += count.disposed
    made = [Span(*_labels(unit, start), totals[start]) for start in starts]
    return Spans(unit, made if len(made) <= limit else _folded(made, limit))


def _starts(unit: str, first: date, last: date, limit: int) -> list[date]:
    """Give the first days of the periods, or one more of them than the limit."""
    start_of, longest = _UNITS[unit]
    starts = [start_of(first)]
    while len(starts) <= limit and (following := start_of(starts[-1] + longest)) <= last:
        starts.append(following)
    return starts


def _folded(made: list[Span], limit: int) -> list[Span]:
    """Add up the oldest years, which are the ones that nobody looks at one by one."""
    oldest = made[: len(made) - limit + 1]
    networks: Counter[str] = Counter()
    for span in oldest:
        networks.update(span.networks)
    label = f"{oldest[0].label} – {oldest[-1].label}"
    return [Span(label, label, networks), *made[len(oldest) :]]


def _nth(days: Mapping[int, int], index: int) -> int:
    for value in sorted(days):
        index -= days[value]
        if index < 0:
            return value
    raise IndexError


def _labels(unit: str, start: date) -> tuple[str, str]:
    month, year = _SHORT[start.month - 1], start.year
    if unit == "day":
        return say_day(start), f"{start.day} {month}"
    if unit == "week":
        end = start + timedelta(days=6)
        left = f"{start.day}" if end.month == start.month else f"{start.day} {month}"
        left += f" {year}" if end.year != year else ""
        return f"{left} – {end.day} {_SHORT[end.month - 1]} {end.year}", f"{start.day} {month}"
    if unit == "month":
        return say_day(start).partition(" ")[2], f"{month} {year}"
    if unit == "quarter":
        label = f"{month} – {_SHORT[start.month + 1]} {year}"
        return label, label
    return str(year), str(year)


class _Unit(NamedTuple):
    """A length of period: the first day of the one in which a day lies, and the longest that one can be."""

    start_of: Callable[[date], date]
    longest: timedelta


_UNITS: Final[Mapping[str, _Unit]] = {
    "day": _Unit(lambda day: day, timedelta(days=1)),
    "week": _Unit(lambda day: day - timedelta(days=day.weekday()), timedelta(days=7)),
    "month": _Unit(lambda day: day.replace(day=1), timedelta(days=31)),
    "quarter": _Unit(lambda day: day.replace(month=day.month - (day.month - 1) % _QUARTER, day=1), timedelta(days=92)),
    "year": _Unit(lambda day: day.replace(month=1, day=1), timedelta(days=366)),
}
