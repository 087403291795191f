"""Does the register hold what its ledger says, and does the ledger say what the log says? Days and counts, no more."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

from retention.store import ledger, register

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.audit.verify import Verification

REGISTER_MISMATCH = "register-mismatch"
"""The finding of a register that was changed around the program."""

_FIRST_DAY = date(1970, 1, 1)
_DAYS = 10


def difference(connection: Connection, *, by_day: bool = False) -> str | None:
    """Say how the register differs from its ledger; ``by_day`` counts each day and class even where the total fits.

    The days in the answer are days of UTC.
    """
    kept, total = ledger.by_day(connection), ledger.load(connection).messages
    if kept.total() != total:
        return f"the ledger has {kept.total()} messages by day and {total} in all; somebody has changed it"
    if not by_day and register.total(connection) == total:
        return None
    real = ledger.count(connection)
    wrong = sorted(place for place in real.keys() | kept.keys() if real[place] != kept[place])
    if not wrong:
        return None
    of_day, must_be, classes = Counter[int](), Counter[int](), Counter[int]()
    for day, class_id in wrong:
        of_day[day] += real[day, class_id]
        must_be[day] += kept[day, class_id]
        classes[day] += 1
    told = [f"{_spelled(day)} has {of_day[day]}, not {must_be[day]}" for day in sorted(classes)]
    more = f" and {len(told) - _DAYS} days more" if len(told) > _DAYS else ""
    same = "; the days add up, their classes do not" if of_day == must_be else ""
    return (
        f"messages were deleted, inserted or changed around this program: there are {real.total()}, not {total}; "
        f"of the classes that differ, {', '.join(told[:_DAYS])}{more}{same}"
    )


def difference_from_log(connection: Connection, found: Verification) -> str | None:
    """Say how the ledger differs from what the log, as it was read, says of the register's size."""
    told = ledger.load(connection).told
    if not found.ok or found.registered is None:
        return None
    if found.miscounted is not None:
        return found.miscounted
    if found.registered == told:
        return None
    return f"the log says that {found.registered} messages are registered, the ledger says {told}"


def _spelled(day: int) -> str:
    try:
        return (_FIRST_DAY + timedelta(days=day)).isoformat()
    except OverflowError:  # somebody has written a time of receipt that no calendar has
        return f"day {day}"
