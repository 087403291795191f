"""Calendar arithmetic of retention periods.

Rules that hold here:

1. Months are counted forward by the corresponding-date rule (Dodds v Walker [1981] 1 WLR 1027, HL; in English
   statute Interpretation Act 1978 section 5 and Schedule 1, "month"): a message received on day D may be kept
   through the day of the same number, the period's months later; where that month has no such day, through its
   last day. Days of the period are added after the months.
2. Counting forward is the definition. Counting backward is not its inverse (31 May minus three months is not
   unique). It lands on the latest due day or on the day after it: where no day was clipped it comes back to the
   starting day, and where one was clipped it falls on the last day of its month, whose forward expiry lies before it.
   So :func:`last_due_day` counts backward once and lets the forward test decide between the two.
3. The forward expiry never decreases when the day increases, so the due days are a prefix of time and one cutoff
   says it all.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retention.model import Period

_MONTHS = 12


def expires_on(received_on: date, keep: Period) -> date:
    """Give the last day on which a message received on this day may be kept.

    Args:
        received_on: the local day of receipt, in the schedule's time zone.
        keep: the retention period.

    Returns:
        The last permitted local day; the message is due from 00:00 of the day after it.

    Raises:
        OverflowError: the result lies outside the years 1 to 9999.

    """
    return _add_months(received_on, keep.months) + timedelta(days=keep.days)


def last_due_day(today: date, keep: Period) -> date:
    """Give the latest local day of receipt whose messages are due on ``today``.

    Args:
        today: the current local day, in the schedule's time zone.
        keep: the retention period.

    Returns:
        The latest day D with ``expires_on(D, keep) < today``.

    Raises:
        OverflowError: the result lies outside the years 1 to 9999.

    """
    day = _add_months(today - timedelta(days=keep.days), -keep.months)
    return day if expires_on(day, keep) < today else day - timedelta(days=1)


def _add_months(day: date, months: int) -> date:
    year, month0 = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    if not date.min.year <= year <= date.max.year:
        msg = "the period leads outside the calendar"
        raise OverflowError(msg)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))
