"""Look at the promise for those who watch: people, monitoring and the service's own ``/metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.report.prometheus import as_prometheus
from retention.report.status import Expected, status_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.audit.memory import Memory
    from retention.context import Context
    from retention.report.status import Status


def look(context: Context, now: datetime) -> Status:
    """Read the state of the promise: the anchors first, then the database in one transaction."""
    memory = context.remembered()
    with context.database.read() as connection:
        return status_in(connection, context, memory, now)


def status_in(connection: Connection, context: Context, memory: Memory, now: datetime) -> Status:
    """Read the state of the promise in a transaction; ``memory`` is what the anchors held before it began."""
    return status_of(
        connection,
        context.schedule,
        now,
        expected=Expected(
            context.settings.purge.grace_time,
            context.watched_sources,
            context.settings.purge.approvals,
            context.settings.job_times,
        ),
        origin=context.installation.origin,
        keys=context.verifiers,
        drill=context.installation.drill,
        memory=memory,
    )


def metrics(context: Context, now: datetime) -> str:
    """Give the state of the promise in the text exposition format of Prometheus."""
    return as_prometheus(look(context, now))
