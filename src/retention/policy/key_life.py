"""How long the key of a month lives: as long as anything may need it, then for a dispute period, then no longer.

The key of a calendar month (UTC) may be destroyed when all of this holds:

1. The month has ended and no message received in it is registered, held ones included.
2. The dispute period has passed since the month's end and since the last message of the month was disposed of.
3. Every rule has run out for the month: its last second is due under each of them.

By the third, a message of that month which arrives later is due on arrival and never registered, so it never needs the
key. Only a schedule that is made longer afterwards, or a clock that goes back, can bring one that is not due; ingest
rejects it with a finding, because a second key for the month would break what the first one promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retention.policy.schedule import Schedule

_DECEMBER = 12


@dataclass(frozen=True, slots=True)
class KeyVerdict:
    """Whether a month's key may be destroyed, why not yet, and the earliest instant (UTC) as far as it is known."""

    may_go: bool
    because: str
    destroys_at: datetime


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """Give the instants between which a calendar month lies.

    Args:
        month: ``YYYY-MM``.

    Returns:
        Its first instant and the first instant after it, aware, in UTC.

    Raises:
        ValueError: not a month, or the last one of the calendar.

    """
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    last = start.month == _DECEMBER
    return start, start.replace(year=start.year + last, month=1 if last else start.month + 1)


def judge_key(
    schedule: Schedule, dispute: timedelta, month: str, *, empty_since: datetime | None, now: datetime
) -> KeyVerdict:
    """Decide whether the key of a month may be destroyed.

    Args:
        schedule: the rules in force.
        dispute: how long a disposal may be disputed.
        month: ``YYYY-MM`` in UTC.
        empty_since: since when no message of the month was registered or disposed of (aware), or None while there is
            one in the register.
        now: an aware datetime.

    Returns:
        The verdict. While messages are registered, its instant counts on their being disposed of when they are due.

    """
    _, end = month_bounds(month)
    runs_out = max(schedule.due_at(rule, end - timedelta(seconds=1)) for rule in schedule.rules)
    emptied = empty_since or max(runs_out, now)
    disputed_until = max(end, emptied) + dispute
    destroys_at = max(disputed_until, runs_out)
    if now < end:
        because = "the month has not ended"
    elif empty_since is None:
        because = "messages of the month are registered"
    elif now < runs_out:
        because = "a rule keeps messages of the month for longer"
    elif now < disputed_until:
        because = "disposals of the month can still be disputed"
    else:
        return KeyVerdict(may_go=True, because="nothing needs it any more", destroys_at=destroys_at)
    return KeyVerdict(may_go=False, because=because, destroys_at=destroys_at)
