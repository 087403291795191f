"""Whether people have approved a plan, and whether what they approved still holds.

A plan fixes its cutoffs, and what is past its period on arrival is never registered: under fixed cutoffs the due set
only shrinks. So an approved plan stays what people saw for as long as schedule and holds stay what they were.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from retention.model import to_epoch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from retention.policy.plan import Plan
    from retention.policy.schedule import Schedule


def why_expired(plan: Plan, schedule: Schedule, *, holds: tuple[int, ...], due: int, now: datetime) -> str | None:
    """Say why a plan is not bound any more to what it was made of.

    Args:
        plan: the plan that people look at or have approved.
        schedule: the rules in force.
        holds: the ids of the holds that are active now, in the order in which a plan names them.
        due: how many messages are due and not held now, under the plan's own cutoffs.
        now: an aware datetime.

    Returns:
        The reason, to follow "because"; None while the plan is bound.

    """
    if plan.schedule_digest != schedule.digest:
        return "the schedule has changed since"
    if plan.holds != holds:
        return "a hold was placed or released since"
    if plan.now > to_epoch(now):
        return "it was made at a later time than it is now"
    if due > plan.due:
        return "more messages are due under its cutoffs than it says"
    return None


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are the same person's, however they are typed.

    Args:
        one: a name.
        other: another.

    Returns:
        Whether they are equal but for case, spaces at the ends and compatible characters.

    """
    return _plain(one) == _plain(other)


def count_people(names: Iterable[str]) -> int:
    """Count the different people among those who approved.

    Args:
        names: who approved, as often as they did.

    Returns:
        How many people that are.

    """
    return len({_plain(name) for name in names})


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
