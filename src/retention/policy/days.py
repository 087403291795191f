"""Local days as intervals of time.

A local day of an IANA zone runs from its start to the start of the next day. Its start is the first instant from
which the wall clock's date never falls below that day again. That is 00:00 almost always; it differs where 00:00 is
skipped (Sao Paulo until 2018), where a whole day is skipped (Apia, 30 December 2011: its start equals the start of
the 31st, so the day is empty), and where clocks were set back across midnight (St John's until 2011: what the first
pass showed as the next day's first minute counts as the earlier day, so that days stay a partition of time and no
message is kept longer than its wall-clock day allows).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_MOMENT = timedelta(seconds=1)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Give the instant at which a local day starts.

    Args:
        day: the local day.
        zone: the schedule's IANA time zone.

    Returns:
        An aware datetime in UTC.

    """
    first = datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
    second = datetime.combine(day, time(0, 0, fold=1), tzinfo=zone).astimezone(UTC)
    if second > first and (second - _MOMENT).astimezone(zone).date() < day:
        return second
    return first


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """Give the local day in which an instant lies.

    Args:
        moment: an aware datetime.
        zone: the schedule's IANA time zone.

    Returns:
        The day D with ``start_of_day(D) <= moment < start_of_day(D + 1)``.

    """
    day = moment.astimezone(zone).date()
    if moment < start_of_day(day, zone):
        return day - timedelta(days=1)
    return day
