"""The span of time that a file's name says it covers.

Scheduled exports are named ``[orgId][exportType][from ddMMyyyyHHmmss][to ddMMyyyyHHmmss][uuid].csv``. Widths and
separators are not published, so the name is matched leniently, and nothing depends on it alone.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from retention.model import from_epoch
from retention.sources.files.times import FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from retention.sources.files.times import LocalClock

# Looking ahead, so that a number which merely looks like a time does not hide the times behind it.
_TWO_TIMES = re.compile(r"(?<![0-9])(?=([0-9]{14})[^0-9]{0,4}([0-9]{14}))")


def window_of_name(name: str, clock: LocalClock) -> tuple[datetime, datetime] | None:
    """Give start and end (aware, UTC) that a file's name states in the source's zone, or None where it states none."""
    for first, second in _TWO_TIMES.findall(name):
        start, end = _instant(first, clock), _instant(second, clock)
        if start is not None and end is not None and start < end:
            return start, end
    return None


def _instant(digits: str, clock: LocalClock) -> datetime | None:
    try:
        day, month, year = int(digits[:2]), int(digits[2:4]), int(digits[4:8])
        hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:])
        local = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - local time of the source's zone
    except ValueError:
        return None
    return from_epoch(clock.local_seconds(local)) if FIRST_YEAR <= local.year <= LAST_YEAR else None
