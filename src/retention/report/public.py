"""What the page for the public says about the promise, in facts: nothing personal, nothing about how we work inside.

*Since when* is derived and not claimed. The promise is kept since the register was made, or since the last trace of a
break: a purge whose plan held something overdue, or a finding about a log that did not verify or a copy that a source
still held, counted until it was resolved. A log that was found bad is bad until it verifies in full, whoever resolves
the finding.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from retention.audit.stored import latest_note
from retention.model import Period, from_epoch
from retention.policy.days import local_day, start_of_day
from retention.policy.period import expires_on
from retention.store import findings, runs, verifications
from retention.store.orders import PRESENT_KIND

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.policy.plan import Plan
    from retention.policy.schedule import Schedule
    from retention.report.status import Promise as State
    from retention.report.status import Status
    from retention.store.schema import Installation

_BREAKING = frozenset({"log-not-verified", PRESENT_KIND})
_DAY = timedelta(days=1)
_TROUBLES = {
    **dict.fromkeys(("notice-differs", "notice-unsure", "notice-unread"), "notice"),
    **dict.fromkeys(("source-silent", "coverage-gap", "fetch-failed", "listing-failed", "source-failed"), "arrival"),
    **dict.fromkeys(("host-key-changed", "remote-file-back"), "arrival"),
    **dict.fromkeys(("rejected-row", "refused-file", "unrecognised-file", "remote-file-refused"), "records"),
    **dict.fromkeys(("anchor-failed", "anchor-emptied", "restored", "register-mismatch"), "proof"),
    **dict.fromkeys(("upstream-unknown", "upstream-not-deleted", "upstream-call-failed", PRESENT_KIND), "source"),
    **dict.fromkeys(("residue", "erasure-blocked", "file-not-removed", "remote-file-not-removed"), "traces"),
    "belt-closed": "stopped",
    "log-not-verified": "log",
}

Since = Literal["made", "mended", "broken", "unknown"]


class PublicFacts(NamedTuple):
    """Everything that the page says beside the promise itself. Days are local days of the schedule's zone."""

    state: State
    now: datetime
    drill: bool
    troubles: tuple[str, ...]
    unchecked: bool
    since: Since
    since_on: date | None
    registered: int
    oldest_received_on: date | None
    due: int
    held: int
    last_run_on: date | None
    last_disposed: int
    next_due_on: date | None
    note: str | None


def public_facts(
    connection: Connection,
    status: Status,
    schedule: Schedule,
    installation: Installation,
    *,
    grace: timedelta,
    now: datetime,
) -> PublicFacts:
    """Gather what the page says, in the transaction in which the status was read."""
    since, instant = _since(connection, status, schedule, installation, grace)
    last = runs.last(connection, "done")
    stored = latest_note(connection)
    return PublicFacts(
        state=status.promise,
        now=now.astimezone(schedule.zone),
        drill=installation.drill,
        troubles=_troubles(status),
        unchecked=not status.log["problem"] and not status.log["verified"],
        since=since,
        since_on=None if instant is None else local_day(instant, schedule.zone),
        registered=status.registered,
        oldest_received_on=_day(status.oldest_received_on),
        due=status.due,
        held=status.held,
        last_run_on=None if last is None else local_day(from_epoch(last.finished_at or last.started_at), schedule.zone),
        last_disposed=0 if last is None else last.disposed,
        next_due_on=_day(status.next_due_on),
        note=None if stored is None else stored.note,
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _troubles(status: Status) -> tuple[str, ...]:
    """Name what is wrong by kind, the worst first, each once."""
    broken, kinds = status.promise == "broken", status.findings["by_kind"]
    found = ["overdue"] if status.overdue else []
    found += ["log"] if status.log["problem"] else []
    shown = status.upstream["present"] or PRESENT_KIND in kinds
    found += ["source_broken"] if broken and shown else []
    found += ["source"] if (shown and not broken) or status.upstream["overdue"] else []
    found += ["holds"] if status.holds["reviews_overdue"] else []
    found += ["arrival"] if any(one["silent"] for one in status.sources) else []
    found += [_TROUBLES.get(kind, "other") for kind in kinds if kind != PRESENT_KIND]
    return tuple(dict.fromkeys(found or (["other"] if status.reasons else [])))


def _since(
    connection: Connection, status: Status, schedule: Schedule, installation: Installation, grace: timedelta
) -> tuple[Since, datetime | None]:
    known = [one for one in findings.load(connection, open_only=False) if one.kind in _BREAKING]
    if status.promise == "broken":
        began = [from_epoch(one.opened_at) for one in known if one.resolved_at is None]
        began += [datetime.fromisoformat(status.overdue_since)] if status.overdue_since else []
        verified = verifications.last(connection)
        began += [from_epoch(verified.at)] if verified is not None and not verified.ok else []
        return ("broken", min(began)) if began else ("unknown", None)
    mended = [from_epoch(one.resolved_at) for one in known if one.resolved_at is not None]
    mended += [found] if (found := _last_late_purge(connection, schedule, grace)) else []
    return ("mended", max(mended)) if mended else ("made", from_epoch(installation.created_at))


def _last_late_purge(connection: Connection, schedule: Schedule, grace: timedelta) -> datetime | None:
    """Find the latest run whose plan held something overdue; until its end the promise was broken."""
    for found, made in runs.carried_out(connection):
        if _held_overdue(made, schedule, from_epoch(found.started_at) - grace):
            return from_epoch(found.finished_at or found.started_at)
    return None


def _held_overdue(plan: Plan, schedule: Schedule, latest: datetime) -> bool:
    """Tell whether something in a plan had been due by the latest permitted instant when the plan was carried out."""
    return any(
        tally.due > tally.released and _due_at(tally.received_on, rule.keep, schedule) <= latest
        for rule in plan.rules
        if rule.keep  # what no rule covers any more was due at once, and nobody can say how late
        for tally in rule.tallies
    )


def _due_at(received_on: str, keep: str, schedule: Schedule) -> datetime:
    return start_of_day(expires_on(date.fromisoformat(received_on), Period.parse(keep)) + _DAY, schedule.zone)
