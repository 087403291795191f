"""What people do with a plan: look at it, and approve it. Names and reasons are texts of operators, see remarks.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.acts.remarks import keep_remark
from retention.audit.entry import entry
from retention.errors import UsageError
from retention.policy.approval import same_person
from retention.report.approvals import Standing, load, standing
from retention.store import approvals, runs
from retention.upkeep import demand_order

if TYPE_CHECKING:
    from datetime import datetime

    from retention.context import Context


def list_plans(context: Context, now: datetime) -> list[Standing]:
    """Give the newest plans and how each stands."""
    with context.database.read() as connection:
        return load(connection, context.schedule, context.settings.purge.approvals, now)


def show_plan(context: Context, digest: str, now: datetime) -> Standing:
    """Give one unused plan and how it stands.

    Raises:
        UsageError: no such plan, or several fit, or a run has used it.

    """
    with context.database.read() as connection:
        plan = runs.find_plan(connection, digest)
        return standing(connection, plan, context.schedule, context.settings.purge.approvals, now)


def approve_plan(context: Context, digest: str, *, by: str, reason: str | None, now: datetime) -> Standing:
    """Approve a plan in a person's name, and say how it stands then.

    Raises:
        UsageError: plans need no approval here; there is no such plan, it has expired or disposes of nothing; or the
            same person has approved it already.
        BrokenLogError: the audit log does not verify.

    """
    needed = context.settings.purge.approvals
    if not needed:
        msg = "plans need no approval here; that is set by [purge] approvals in the configuration"
        raise UsageError(msg)
    demand_order(context, now)
    with context.database.write() as connection:
        context.log.lock(connection)
        plan = runs.find_plan(connection, digest)
        found = standing(connection, plan, context.schedule, needed, now)
        _check(found, by)
        told = {"by": keep_remark(connection, by)}
        if reason is not None:
            told["reason"] = keep_remark(connection, reason)
        index = context.log.append(connection, [entry("plan_approved", now, plan_digest=plan.digest, **told)])
        approvals.add(connection, plan.digest, index)
        return standing(connection, plan, context.schedule, needed, now)


def _check(found: Standing, by: str) -> None:
    if found.expired is not None:
        msg = f"this plan cannot be approved, because {found.expired}; make a new one with: retention purge --dry-run"
        raise UsageError(msg)
    if not found.plan.due:
        msg = "this plan disposes of nothing, so there is nothing to approve"
        raise UsageError(msg)
    if any(one.by is not None and same_person(one.by, by) for one in found.approvals):
        msg = "you have approved this plan already; each approval must be another person's"
        raise UsageError(msg)
