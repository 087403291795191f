"""How the jobs of the service stand, where one was ever used.

A row of a job proves nothing by itself: who went back to cron leaves it there, and keeps the promise all the same. So
a job is *stuck* only where it is switched on and nobody has done its work since: no run has come to its end, and where
people must approve plans, no run has verified the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention.model import from_epoch, iso, to_epoch
from retention.policy.words import say_count
from retention.store import jobs
from retention.store.jobs import FAILING_AFTER

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from retention.store.jobs import JobState

FAILING, LATE = "failing", "late"


def jobs_of(
    connection: Connection, switched_on: Collection[str], now: datetime, grace: timedelta, worked_at: int | None
) -> list[dict[str, Any]]:
    """Give every job that was ever begun; ``worked_at`` is when a run last did its work, whoever called it."""
    latest = to_epoch(now - grace)
    return [
        {
            "job": name,
            "outcome": state.outcome,
            "started_at": iso(from_epoch(state.started_at)),
            "ended_at": None if state.ended_at is None else iso(from_epoch(state.ended_at)),
            "exit_code": state.exit_code,
            "failures": state.failures,
            "next_due_at": None if state.next_due_at is None else iso(from_epoch(state.next_due_at)),
            "stuck": _stuck(state, latest, worked_at or 0) if name in switched_on else None,
        }
        for name, state in jobs.load(connection).items()
    ]


def stuck_jobs(told: list[dict[str, Any]]) -> list[str]:
    """Say of each job that is stuck what a person must look at."""
    reasons = []
    for one in told:
        if one["stuck"] == FAILING:
            last = f"{say_count(one['failures'], 'time')} in a row, the last one {one['ended_at']}"
            reasons.append(f"the job {one['job']} of the service failed {last}; see its log")
        elif one["stuck"] == LATE:
            due = f"was due {one['next_due_at']}, and no run has done its work since"
            reasons.append(f"the job {one['job']} of the service {due}; see that retention serve is at work")
    return reasons


def _stuck(state: JobState, latest: int, worked_at: int) -> str | None:
    if state.failures >= FAILING_AFTER and worked_at < (state.ended_at or state.started_at):
        return FAILING
    due = state.next_due_at
    return LATE if due is not None and due < latest and worked_at < due else None
