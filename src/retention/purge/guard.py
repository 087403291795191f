"""Safety belts: what must hold before a plan is carried out without a person's word.

Each belt looks at figures and answers with an objection or nothing. A belt that objects stops the run before it deletes
anything; it is passed by naming the plan's digest and a reason, and the passing is an entry of the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from retention.errors import BeltClosedError
from retention.model import from_epoch, iso, to_epoch
from retention.policy.schedule import NO_RULE, parse_schedule
from retention.policy.words import say_count
from retention.store import imports, register, runs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.policy.plan import Plan
    from retention.policy.schedule import Rule, Schedule
    from retention.settings import PurgeSettings

CLOCK_SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Objection:
    """One belt that is closed: its name and the figures, in a sentence."""

    belt: str
    figures: str


def inspect(
    connection: Connection, plan: Plan, schedule: Schedule, settings: PurgeSettings, now: datetime
) -> list[Objection]:
    """Ask every belt about a plan.

    Args:
        connection: a transaction that sees one state of the register.
        plan: what is to be carried out.
        schedule: the rules in force.
        settings: the limits.
        now: an aware datetime.

    Returns:
        The objections, in the order share, count, clock, schedule; empty where no belt objects.

    """
    found = [
        _share(plan, settings),
        _count(plan, settings),
        _clock(connection, settings, now),
        _schedule(connection, schedule, now),
    ]
    return [objection for objection in found if objection is not None]


def stop(objections: list[Objection], plan: Plan) -> NoReturn:
    """Stop the run because belts object.

    Args:
        objections: what :func:`inspect` gave, at least one.
        plan: the plan they are about.

    Raises:
        BeltClosedError: always; the message names belt, figures and how to pass it.

    """
    lines = [f"safety belt {objection.belt}: {objection.figures}" for objection in objections]
    lines += [
        "Nothing was deleted. Look at the plan with: retention purge --dry-run",
        f'If it is right, carry it out with: retention purge --plan {plan.digest} --reason "WHY"',
    ]
    raise BeltClosedError("\n".join(lines))


def _share(plan: Plan, settings: PurgeSettings) -> Objection | None:
    if plan.due <= settings.max_share * plan.total:
        return None
    share = plan.due / plan.total
    return Objection(
        "share",
        f"the plan disposes of {plan.due} of {say_count(plan.total, 'message')} ({share:.1%}), "
        f"more than max_share = {settings.max_share:.1%} of the register",
    )


def _count(plan: Plan, settings: PurgeSettings) -> Objection | None:
    if plan.due <= settings.max_count:
        return None
    return Objection(
        "count", f"the plan disposes of {say_count(plan.due, 'message')}, more than max_count = {settings.max_count}"
    )


def _clock(connection: Connection, settings: PurgeSettings, now: datetime) -> Objection | None:
    """Compare the clock with every trace of time that we have: newest message, last import, last run."""
    last_run = runs.last(connection)
    last_import = imports.last_finished_at(connection)
    newest = register.bounds(connection)[1]
    ours = [moment for moment in (last_run and last_run.started_at, last_import) if moment]
    if ours and now < from_epoch(max(ours)) - CLOCK_SLACK:
        return Objection(
            "clock", f"the clock says {iso(now)}, but something was done here at {iso(from_epoch(max(ours)))}"
        )
    traces = [*ours, *([newest] if newest is not None else [])]
    if traces:
        latest = from_epoch(max(traces))
        if now > latest + settings.clock_jump:
            return Objection(
                "clock",
                f"the clock says {iso(now)}, but the newest message, import or run is of {iso(latest)}, "
                f"more than max_clock_jump = {settings.max_clock_jump} ago",
            )
    return None


def _schedule(connection: Connection, schedule: Schedule, now: datetime) -> Objection | None:
    """Compare the schedule with the one of the last finished run: is anything due earlier than it was then?"""
    previous = runs.last(connection, "done")
    if previous is None or previous.schedule_digest == schedule.digest:
        return None
    text = runs.schedule_text(connection, previous.schedule_digest)
    if text is None:
        return Objection("schedule", "the schedule of the last run is not known any more, so it cannot be compared")
    before = parse_schedule(text)
    shortened = [
        rule.name if (rule := before.rule_for(message_class)) else NO_RULE
        for message_class in register.classes(connection).values()
        if _cutoff(schedule, schedule.rule_for(message_class), now)
        > _cutoff(before, before.rule_for(message_class), now)
    ]
    if not shortened:
        return None
    names = ", ".join(sorted(set(shortened)))
    told = f"for {say_count(len(shortened), 'class')} of messages that were under {names}"
    return Objection("schedule", f"the schedule was shortened since the last run, {told}")


def _cutoff(schedule: Schedule, rule: Rule | None, now: datetime) -> int:
    return to_epoch(schedule.cutoff(rule, now) if rule else now)
