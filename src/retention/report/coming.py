"""What becomes due in the coming days, day by day, so that nobody is surprised by it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from retention.model import from_epoch, to_epoch
from retention.policy.days import local_day
from retention.store import holds, register

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.model import MessageClass
    from retention.policy.schedule import Rule, Schedule

DAYS = 7
"""How many days are looked ahead."""


def by_rule(schedule: Schedule, known: dict[int, MessageClass]) -> Iterable[tuple[Rule | None, list[int]]]:
    """Give the classes of messages that each rule covers; those that none covers any more come last, under None."""
    for rule in (*schedule.rules, None):
        ids = [number for number, found in known.items() if schedule.rule_for(found) is rule]
        if ids:
            yield rule, ids


def coming(
    connection: Connection, schedule: Schedule, classes: Iterable[tuple[Rule | None, list[int]]], now: datetime
) -> list[dict[str, Any]]:
    """Count what becomes due within the coming days and is not held, by the local day from which it is due."""
    days: Counter[str] = Counter()
    for rule, class_ids in classes:
        if rule is None:  # due already
            continue
        since, before = schedule.cutoff(rule, now), schedule.cutoff(rule, now + timedelta(days=DAYS))
        found = register.count_by_quarter(
            connection, since=to_epoch(since), before=to_epoch(before), class_ids=class_ids, negate=holds.ACTIVE
        )
        for bucket in found:
            due_at = schedule.due_at(rule, from_epoch(bucket.at))
            days[local_day(due_at, schedule.zone).isoformat()] += bucket.messages
    return [{"on": day, "due": messages} for day, messages in sorted(days.items())]
