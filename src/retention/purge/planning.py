"""Make the plan of a purge: what is due under each rule, what a hold keeps, what a released hold gave up.

This reads and decides; it changes nothing. The dry run and the purge make their plan by this one call.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from retention.model import from_epoch, to_epoch
from retention.policy.days import local_day
from retention.policy.plan import Plan, RulePlan, Tally
from retention.policy.schedule import NO_RULE
from retention.store import holds, register, runs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.model import MessageClass
    from retention.policy.schedule import Rule, Schedule
    from retention.store.register import Bucket


def make_plan(connection: Connection, schedule: Schedule, now: datetime, log_size: int) -> Plan:
    """Make the plan of a purge at an instant.

    Args:
        connection: a transaction that sees one state of the register.
        schedule: the rules in force.
        now: an aware datetime.
        log_size: the number of entries of the audit log, which ties the plan to this state.

    Returns:
        A plan with one part for each rule, and one for registered messages that no rule covers any more, if any.

    """
    known = register.classes(connection)
    previous = runs.last(connection, "done")
    since = runs.planned_at(connection, previous) if previous else 0
    parts = [
        _part(connection, schedule, rule, {number: known[number] for number in ids}, now=now, since=since)
        for rule, ids in _classes_by_rule(schedule, known)
    ]
    return Plan(
        now=to_epoch(now),
        schedule_digest=schedule.digest,
        log_size=log_size,
        total=register.total(connection),
        holds=holds.active_ids(connection),
        rules=tuple(part for part in parts if part.rule != NO_RULE or part.tallies),
    )


def _classes_by_rule(schedule: Schedule, known: dict[int, MessageClass]) -> list[tuple[Rule | None, list[int]]]:
    ids: dict[str | None, list[int]] = defaultdict(list)
    for class_id, message_class in known.items():
        rule = schedule.rule_for(message_class)
        ids[rule.name if rule else None].append(class_id)
    return [*((rule, ids[rule.name]) for rule in schedule.rules), (None, ids[None])]


def _part(
    connection: Connection,
    schedule: Schedule,
    rule: Rule | None,
    known: dict[int, MessageClass],
    *,
    now: datetime,
    since: int,
) -> RulePlan:
    """Plan one rule's part, or that of what no rule covers; ``since`` is the start of the last run."""
    class_ids = sorted(known)
    cutoff = to_epoch(schedule.cutoff(rule, now) if rule else now)
    due = register.count_by_quarter(connection, before=cutoff, class_ids=class_ids)
    held = register.count_by_quarter(connection, before=cutoff, class_ids=class_ids, holds=holds.ACTIVE)
    released = register.count_by_quarter(
        connection, before=cutoff, class_ids=class_ids, holds=holds.released_since(since), negate=holds.ACTIVE
    )
    return RulePlan(
        rule=rule.name if rule else NO_RULE,
        keep=str(rule.keep) if rule else "",
        authority=rule.authority if rule else "no rule of the schedule covers these messages",
        cutoff=cutoff,
        class_ids=tuple(class_ids),
        tallies=_tallies(schedule, known, due, held, released),
    )


def _tallies(
    schedule: Schedule, known: dict[int, MessageClass], due: list[Bucket], held: list[Bucket], released: list[Bucket]
) -> tuple[Tally, ...]:
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for place, buckets in enumerate((due, held, released)):
        for bucket in buckets:
            day = local_day(from_epoch(bucket.at), schedule.zone).isoformat()
            counts[day, known[bucket.class_id].network][place] += bucket.messages
    return tuple(
        Tally(network, day, all_due - kept, kept, given_up)
        for (day, network), (all_due, kept, given_up) in sorted(counts.items())
    )
