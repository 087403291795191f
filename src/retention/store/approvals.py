"""Where in the audit log the approvals of each plan stand; who approved and when is said there and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import insert, select

from retention.policy.plan import Plan, load_plan
from retention.store.tables import plan, plan_approval

if TYPE_CHECKING:
    from sqlalchemy import Connection


class KeptPlan(NamedTuple):
    """A plan that was made, when (epoch seconds UTC), and the run that used it, if one did."""

    plan: Plan
    made_at: int
    run_id: int | None


def add(connection: Connection, digest: str, entry_index: int) -> None:
    """Note that the entry of an index approves a plan."""
    connection.execute(insert(plan_approval).values(plan_digest=digest, entry_index=entry_index))


def entries_of(connection: Connection, digest: str) -> list[int]:
    """Give the indexes of the entries that approve a plan, in their order."""
    query = select(plan_approval.c.entry_index).where(plan_approval.c.plan_digest == digest)
    return list(connection.execute(query.order_by(plan_approval.c.entry_index)).scalars())


def newest(connection: Connection, limit: int) -> list[KeptPlan]:
    """Give the plans that were made last, the latest first."""
    query = select(plan.c.body, plan.c.made_at, plan.c.run_id).order_by(plan.c.made_at.desc(), plan.c.digest)
    return [KeptPlan(load_plan(row[0]), row[1], row[2]) for row in connection.execute(query.limit(limit))]


def unused(connection: Connection, limit: int, *, approved: bool) -> list[Plan]:
    """Give the plans that no run has used, the latest first; ``approved`` only those that somebody approved."""
    query = select(plan.c.body).where(plan.c.run_id.is_(None)).order_by(plan.c.made_at.desc(), plan.c.digest)
    if approved:
        query = query.where(plan.c.digest.in_(select(plan_approval.c.plan_digest)))
    return [load_plan(body) for body in connection.execute(query.limit(limit)).scalars()]
