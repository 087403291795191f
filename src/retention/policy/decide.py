"""Decide about one message, with reasons.

The order of the questions is the policy: does a rule cover it, has its period passed, does a hold suspend disposal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from retention.model import iso
from retention.policy.days import local_day
from retention.policy.words import say_day, say_period

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from retention.model import MessageClass
    from retention.policy.hold import Candidate, Hold
    from retention.policy.schedule import Rule, Schedule

Outcome = Literal["not_covered", "kept", "due", "held"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to happen to one message, and why, one sentence a step."""

    outcome: Outcome
    rule: Rule | None
    expires_on: date | None
    due_at: datetime | None
    holds: tuple[int, ...]
    reasons: tuple[str, ...]


def decide(
    schedule: Schedule,
    holds: Iterable[Hold],
    message_class: MessageClass,
    candidate: Candidate,
    now: datetime,
) -> Decision:
    """Decide whether a message is kept, due or held.

    Args:
        schedule: the rules in force.
        holds: every hold; released ones are passed over.
        message_class: the attributes that rules see.
        candidate: the attributes that holds see, with the aware instant of receipt.
        now: an aware datetime.

    Returns:
        The decision with its reasons in the order in which the questions were asked.

    """
    zone, received_at = schedule.zone, candidate.received_at
    received_on = local_day(received_at, zone)
    reasons = [f"received {iso(received_at)}, which is {say_day(received_on)} in {schedule.time_zone}"]
    rule = schedule.rule_for(message_class)
    covering = tuple(hold.hold_id for hold in holds if hold.active and hold.covers(candidate))
    holding = [f"hold {hold_id} suspends its disposal" for hold_id in covering] or ["no hold covers it"]
    if rule is None:
        reasons += ["no rule of the schedule covers it: it must not be kept here", *holding]
        return Decision("held" if covering else "not_covered", None, None, None, covering, tuple(reasons))
    last_day, due_at = schedule.expires_on(rule, received_at), schedule.due_at(rule, received_at)
    reasons += [
        f'rule "{rule.name}" covers it and keeps it for {say_period(rule.keep)} ({rule.keep})',
        f"{say_day(received_on)} and {say_period(rule.keep)}: it may be kept through {say_day(last_day)}",
        f"due from {iso(due_at)}, the start of the next day in {schedule.time_zone}",
    ]
    if due_at > now:
        reasons += [f"now is {iso(now)}: not yet due", *(holding if covering else [])]
        return Decision("kept", rule, last_day, due_at, covering, tuple(reasons))
    reasons.append(f"now is {iso(now)}: due")
    reasons += holding
    return Decision("held" if covering else "due", rule, last_day, due_at, covering, tuple(reasons))
