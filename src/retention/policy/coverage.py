"""Which periods the exports of a source covered, and which not.

What proves that a period was seen: the window that a file's name states (start and end in the source's zone, read by
the source; an end of 23:59:59 means the whole second) covers every instant in it. Where a name states none, the first
and the last receipt in the file are a lower bound: the file reaches from the one to the other, and what lies outside is
not known. Of such a file the days of its first and last receipt count as seen when gaps are looked for, because quiet
hours at either end prove nothing; when the absence of one message is to be shown, only whole days between them count.

Days are local days of the source's zone, so the day on which clocks change has 23 or 25 hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from retention.policy.days import local_day, start_of_day

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


class Window(NamedTuple):
    """A span of time, aware: ``start`` included, ``end`` excluded."""

    start: datetime
    end: datetime


class Days(NamedTuple):
    """Local days, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Watched:
    """A source as coverage sees it: its zone, how often something is expected (or None), and since when it counts.

    ``covers`` says whether what arrives covers periods. Events of a webhook do not: each tells of one message, and that
    there was none says nothing about the messages of that time.
    """

    name: str
    zone: ZoneInfo
    expected: timedelta | None
    since: datetime
    covers: bool = True


def named_window(start: datetime, end: datetime) -> Window:
    """Give the window that a file's name states.

    Args:
        start: aware.
        end: aware; the second that it names belongs to the window.

    Returns:
        The window, its end excluded.

    """
    return Window(start, end + _SECOND)


def touched_days(first: datetime, last: datetime, zone: ZoneInfo) -> Window:
    """Widen what a file's contents span to the whole local days that they touch.

    Args:
        first: the earliest receipt in the file, aware.
        last: the latest one, aware.
        zone: the source's IANA zone.

    Returns:
        From the start of the first day to the end of the last one.

    """
    return Window(start_of_day(local_day(first, zone), zone), start_of_day(local_day(last, zone) + _DAY, zone))


def whole_days(window: Window, zone: ZoneInfo) -> Days | None:
    """Give the local days that lie in a window from their first instant to their last.

    Args:
        window: any window.
        zone: the source's IANA zone.

    Returns:
        The days, or None where the window holds no whole one.

    """
    first = local_day(window.start, zone)
    if start_of_day(first, zone) < window.start:
        first += _DAY
    last = local_day(window.end, zone) - _DAY
    return Days(first, last) if first <= last else None


def merged(windows: Iterable[Window]) -> list[Window]:
    """Join windows that overlap or touch.

    Args:
        windows: in any order.

    Returns:
        Windows in order of time, none of which touches the next.

    """
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return joined


def gaps(covered: list[Window], zone: ZoneInfo) -> list[Days]:
    """Give the local days between covered windows of which some part was not seen.

    Args:
        covered: what :func:`merged` gave.
        zone: the source's IANA zone.

    Returns:
        Runs of days in order, one for each hole; what lies before the first window or after the last is no gap.

    """
    return [Days(local_day(one.end, zone), local_day(other.start - _SECOND, zone)) for one, other in pairwise(covered)]


def matters(gap: Days, keeps_from: datetime, zone: ZoneInfo) -> bool:
    """Tell whether a message of a gap could still be kept, so that its export is worth asking for.

    Args:
        gap: local days without an export.
        keeps_from: the earliest receipt that no rule has made due, aware.
        zone: the source's IANA zone.

    Returns:
        Whether some instant of the gap is not due under every rule.

    """
    return start_of_day(gap.last + _DAY, zone) > keeps_from


def is_silent(last_at: datetime, expected: timedelta, now: datetime) -> bool:
    """Tell whether a source has been silent for longer than it may be.

    Args:
        last_at: when something arrived last, or when the watch began; aware.
        expected: how often something is expected.
        now: aware.

    Returns:
        Whether more time than that has passed.

    """
    return now - last_at > expected
