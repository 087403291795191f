"""When the promise was broken, as far as anything tells: for the page for the public, which must say so honestly.

A break is dated by the day from which something was overdue, not by when that was noticed; only a log that did not
verify is dated by when it was found, because nothing tells since when it was so. What put the promise at risk and was
mended in time is no break.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from retention.model import Period, from_epoch, to_epoch
from retention.policy.days import start_of_day
from retention.policy.period import expires_on
from retention.report.log_standing import CALLED_MENDED, NOT_VERIFIED
from retention.report.upstream import upstream_of
from retention.store import findings, holds, orders, runs, verifications

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from retention.policy.hold import Hold
    from retention.policy.plan import Plan
    from retention.policy.schedule import Schedule
    from retention.report.status import Status

OVERDUE, LOG, SOURCE = "overdue", "log", "source"
_DAY = timedelta(days=1)


class Break(NamedTuple):
    """A time in which the promise was broken, and by what."""

    what: tuple[str, ...]
    began: datetime
    ended: datetime


def broken_since(
    connection: Connection, status: Status, grace: timedelta, now: datetime
) -> tuple[datetime | None, bool]:
    """Give since when a broken promise is broken, or None where nothing tells; and whether that is a log's finding."""
    overdue = [datetime.fromisoformat(status.overdue_since)] if status.overdue_since else []
    upstream = upstream_of(connection, now, grace)
    overdue += [from_epoch(at) + grace for at in upstream.broken_since]
    known = findings.of_kind(connection, NOT_VERIFIED)
    found = [from_epoch(one.opened_at) for one in known if one.resolved_at is None]
    verified = verifications.last(connection)
    found += [from_epoch(verified.at)] if verified is not None and not verified.ok else []
    if not overdue and not found:
        return None, False
    first = min([*overdue, *found])
    return first, first not in overdue


def last_break(connection: Connection, schedule: Schedule, grace: timedelta) -> Break | None:
    """Give the latest time in which the promise was broken and that is over; times that overlap are one."""
    known = [*_late_purges(connection, schedule, grace), *_logs(connection), *_sources(connection, grace)]
    if not known:
        return None
    known.sort(key=lambda one: one.ended, reverse=True)
    what, began, ended = known[0]
    for one in known[1:]:
        if one.ended >= began:
            what, began = (*what, *one.what), min(began, one.began)
    return Break(tuple(dict.fromkeys(what)), began, ended)


def _late_purges(connection: Connection, schedule: Schedule, grace: timedelta) -> Iterator[Break]:
    """Find the latest runs whose plans held something overdue; until they ended the promise was broken."""
    late, every = False, holds.load(connection)
    for found, made in runs.carried_out(connection):
        oldest = _oldest_due(made, schedule, every, grace)
        if oldest is not None and oldest + grace <= from_epoch(found.started_at):
            late = True
            yield Break((OVERDUE,), oldest + grace, from_epoch(found.finished_at or found.started_at))
        elif late:
            return


def _oldest_due(plan: Plan, schedule: Schedule, every: list[Hold], grace: timedelta) -> datetime | None:
    """Give from when the first of what a plan held was due and held by nothing.

    What holds gave up since the run before waits from the latest release of one that was placed before it was overdue:
    which of several covered it nobody can say any more.
    """
    due = []
    for rule in plan.rules:
        if not rule.keep:
            continue  # what no rule covers any more was due at once, and nobody can say how late
        for tally in rule.tallies:
            at = _due_at(tally.received_on, rule.keep, schedule)
            if tally.due > tally.released:
                due.append(at)
            elif tally.due:
                due.append(max([at, *_let_go(every, plan, at + grace)]))
    return min(due, default=None)


def _let_go(every: list[Hold], plan: Plan, overdue_at: datetime) -> Iterator[datetime]:
    for hold in every:
        if hold.released_at is not None and to_epoch(hold.released_at) <= plan.now and hold.placed_at <= overdue_at:
            yield hold.released_at


def _due_at(received_on: str, keep: str, schedule: Schedule) -> datetime:
    return start_of_day(expires_on(date.fromisoformat(received_on), Period.parse(keep)) + _DAY, schedule.zone)


def _logs(connection: Connection) -> Iterator[Break]:
    """Find when a log did not verify. One that a person called mended was so only when it verified in full again.

    That is a finding of its own, opened and mended in that instant; what it is about is the one before it.
    """
    before = None
    for one in findings.of_kind(connection, NOT_VERIFIED):
        began = before if before is not None and one.reason == CALLED_MENDED else one.opened_at
        if one.resolved_at is not None:
            yield Break((LOG,), from_epoch(began), from_epoch(one.resolved_at))
        before = one.opened_at


def _sources(connection: Connection, grace: timedelta) -> Iterator[Break]:
    """Find when a source held for longer than the grace what it should not; what went in time was no break."""
    for overdue_at, resolved_at in orders.shown_and_settled(connection):
        began, ended = from_epoch(overdue_at) + grace, from_epoch(resolved_at)
        if began < ended:
            yield Break((SOURCE,), began, ended)
