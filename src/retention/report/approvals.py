"""How plans stand to the people who must approve them: who did, whether that still holds, which comes next.

An approval is what the audit log says. The table beside it only says at which entry, so a row that somebody inserts
there approves nothing; and a name counts only while it fits the commitment that the entry carries.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from retention.audit.entry import commitment
from retention.audit.stored import entries_at
from retention.model import from_epoch
from retention.policy.approval import count_people, why_expired
from retention.store import approvals, holds, register, runs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.policy.plan import Plan
    from retention.policy.schedule import Schedule

LOOKED_AT = 20
"""So many of the newest plans are looked at; older ones have expired by any measure."""


class Approval(NamedTuple):
    """One approval: when (ISO 8601), by whom and why; texts that were erased or do not fit the log are None."""

    at: str
    by: str | None
    reason: str | None
    entry: int


class Standing(NamedTuple):
    """How a plan stands: who approved it, how many people must, and why it cannot be carried out any more."""

    plan: Plan
    approvals: tuple[Approval, ...]
    needed: int
    expired: str | None
    used_by: int | None = None

    @property
    def people(self) -> int:
        """How many different people have approved."""
        return count_people(one.by for one in self.approvals if one.by is not None)

    @property
    def state(self) -> Literal["used", "expired", "approved", "waiting"]:
        """How it stands in one word."""
        if self.used_by is not None:
            return "used"
        if self.expired is not None:
            return "expired"
        return "approved" if self.people >= self.needed else "waiting"


class Queue(NamedTuple):
    """What is to be carried out, what waits for people, and what was approved and has expired since."""

    approved: Standing | None
    waiting: Standing | None
    expired: tuple[Standing, ...]


def standing(connection: Connection, plan: Plan, schedule: Schedule, needed: int, now: datetime) -> Standing:
    """Say how a plan stands that no run has used."""
    due = due_under(connection, plan)
    expired = why_expired(plan, schedule, holds=holds.active_ids(connection), due=due, now=now)
    return Standing(plan, approvals_of(connection, plan.digest), needed, expired)


def due_under(connection: Connection, plan: Plan) -> int:
    """Count what is due and not held now under the cutoffs of a plan."""
    return sum(
        bucket.messages
        for part in plan.rules
        for bucket in register.count_by_quarter(
            connection, before=part.cutoff, class_ids=part.class_ids, negate=holds.ACTIVE
        )
    )


def queue(connection: Connection, schedule: Schedule, needed: int, now: datetime) -> Queue:
    """Look at the newest plans: the latest that is approved and bound, and the one that is nearest to that.

    A plan waits while a new one would say the same: it is of the same day and as much is due under it as it says.
    """
    told = [
        standing(connection, plan, schedule, needed, now)
        for plan in approvals.unused(connection, LOOKED_AT, approved=True)
    ]
    ready = next((one for one in told if one.state == "approved"), None)
    fresh = [
        standing(connection, plan, schedule, needed, now)
        for plan in approvals.unused(connection, LOOKED_AT, approved=False)
        if plan.due and schedule.today(from_epoch(plan.now)) == schedule.today(now)
    ]
    waiting = [one for one in fresh if one.state == "waiting" and due_under(connection, one.plan) == one.plan.due]
    last = runs.last(connection, "done")
    since = last.started_at if last else 0
    expired = tuple(one for one in told if one.state == "expired" and one.plan.now >= since)
    return Queue(ready, max(waiting, key=lambda one: one.people, default=None), expired)


def load(connection: Connection, schedule: Schedule, needed: int, now: datetime) -> list[Standing]:
    """Give the newest plans under which something is or was to be disposed of."""
    return [
        standing(connection, kept.plan, schedule, needed, now)._replace(used_by=kept.run_id)
        for kept in approvals.newest(connection, LOOKED_AT)
        if kept.plan.due
    ]


def plans_of(connection: Connection, schedule: Schedule, needed: int, now: datetime, due: int) -> dict[str, Any]:
    """Say what waits for people, as a part of the status; ``due`` is how much is due and not held."""
    if not needed:
        return {"approvals": 0, "approved": None, "waiting": None, "people": 0, "unapproved": 0}
    found = queue(connection, schedule, needed, now)
    covered = due_under(connection, found.approved.plan) if found.approved else 0
    return {
        "approvals": needed,
        "approved": found.approved.plan.digest if found.approved else None,
        "waiting": found.waiting.plan.digest if found.waiting else None,
        "people": found.waiting.people if found.waiting else 0,
        "unapproved": max(0, due - covered),
    }


def approvals_of(connection: Connection, digest: str) -> tuple[Approval, ...]:
    """Give the approvals of a plan, in the order of the log."""
    found = entries_at(connection, approvals.entries_of(connection, digest))
    return tuple(_read(connection, found, digest))


def _read(connection: Connection, found: Iterable[tuple[int, str]], digest: str) -> Iterable[Approval]:
    for index, body in found:
        said = json.loads(body)
        if said["kind"] == "plan_approved" and said["plan_digest"] == digest:
            by, reason = _text(connection, said["by"]), _text(connection, said.get("reason"))
            yield Approval(said["at"], by, reason, index)


def _text(connection: Connection, promised: str | None) -> str | None:
    """Give the text that an entry commits to, if it is still there and still the same."""
    kept = runs.salted_remark(connection, promised) if promised is not None else None
    if kept is None or commitment(kept[1], bytes.fromhex(kept[0])) != promised:
        return None
    return kept[1]
