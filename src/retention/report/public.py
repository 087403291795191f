"""What the page for the public says about the promise, in facts: nothing personal, nothing about how we work inside.

*Since when* is derived and not claimed: see ``breaks.py``. The promise is kept since the register was made, or since
the last break was over.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

from retention.audit.stored import latest_note
from retention.model import from_epoch
from retention.policy.days import local_day
from retention.report.breaks import broken_since, last_break
from retention.store import runs
from retention.store.orders import PRESENT_KIND

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from retention.policy.schedule import Schedule
    from retention.report.breaks import Break
    from retention.report.status import Promise as State
    from retention.report.status import Status
    from retention.store.schema import Installation

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

Since = Literal["made", "mended", "broken", "found", "unknown"]


class PublicFacts(NamedTuple):
    """Everything that the page says beside the promise itself. Days are local days of the schedule's zone.

    ``broken_on`` and ``broken_by`` tell of the last break, where it is over: when it began, and what it was.
    """

    state: State
    now: datetime
    drill: bool
    troubles: tuple[str, ...]
    unchecked: bool
    since: Since
    since_on: date | None
    broken_on: date | None
    broken_by: tuple[str, ...]
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
    since, instant, before = _since(connection, status, schedule, grace, now)
    instant = from_epoch(installation.created_at) if since == "made" else instant
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
        broken_on=None if before is None else local_day(before.began, schedule.zone),
        broken_by=() if before is None else before.what,
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
    connection: Connection, status: Status, schedule: Schedule, grace: timedelta, now: datetime
) -> tuple[Since, datetime | None, Break | None]:
    if status.promise == "broken":
        first, by_finding = broken_since(connection, status, grace, now)
        return ("unknown" if first is None else "found" if by_finding else "broken"), first, None
    before = last_break(connection, schedule, grace)
    return ("made", None, None) if before is None else ("mended", before.ended, before)
