"""Everything that people may have to be told of, read in one transaction beside the status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.model import from_epoch
from retention.report.approvals import queue
from retention.report.upstream import UNATTESTED
from retention.report.weekly import Week, week_of
from retention.store import findings, holds, jobs, orders

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from retention.policy.hold import Hold
    from retention.policy.schedule import Schedule
    from retention.report.approvals import Queue
    from retention.report.status import Status
    from retention.store.orders import DisposalOrder

FAILED = "notice-failed"
"""The finding that a channel does not work."""
REFUSED = "notice-refused"
"""The finding that a channel does not reach everybody."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that occasions are made of. ``failed`` is how a run ended badly, where this is told at its end."""

    now: datetime
    status: Status
    zone: ZoneInfo
    grace: timedelta
    queue: Queue | None
    holds: tuple[Hold, ...]
    orders: tuple[DisposalOrder, ...]
    belts: tuple[str, ...]
    places: dict[str, tuple[str, ...]]
    failures: dict[str, int]
    week: Week
    at_end: bool = False
    failed: str | None = None


def read_facts(
    connection: Connection,
    status: Status,
    schedule: Schedule,
    now: datetime,
    *,
    grace: timedelta,
    approvals: int,
    at_end: bool = False,
    failed: str | None = None,
) -> Facts:
    """Read what there may be to tell, in the transaction of the status."""
    found = findings.load(connection, open_only=True)
    kinds = ("anchor-failed", "anchor-emptied", "job-failing", FAILED, REFUSED)
    late = [
        one
        for one in orders.load(connection)
        if one.left and one.state in UNATTESTED and one.overdue_at is not None and from_epoch(one.overdue_at) <= now
    ]
    return Facts(
        now=now,
        status=status,
        zone=schedule.zone,
        grace=grace,
        queue=queue(connection, schedule, approvals, now) if approvals else None,
        holds=tuple(holds.load(connection, active_only=True)),
        orders=tuple(late),
        belts=tuple(one.reason for one in found if one.kind == "belt-closed"),
        places={kind: tuple(sorted({one.file for one in found if one.kind == kind})) for kind in kinds},
        failures={one.name: one.failures for one in jobs.load(connection).values()},
        week=week_of(connection, now, schedule.zone),
        at_end=at_end,
        failed=failed,
    )
