"""What became of the service's jobs. Only the service that leads writes here, inside a transaction that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import insert, select, update

from retention.store.service_tables import job

if TYPE_CHECKING:
    from sqlalchemy import Connection


FAILING_AFTER = 3
"""Failures in a row that a person should hear of."""


class JobState(NamedTuple):
    """One job. Instants are epoch seconds UTC; ``failures`` are those in a row."""

    name: str
    outcome: str
    started_at: int
    ended_at: int | None
    exit_code: int | None
    failures: int
    next_due_at: int | None


_COLUMNS = tuple(job.c[name] for name in JobState._fields)


def load(connection: Connection) -> dict[str, JobState]:
    """Give every job that was ever started, by its name."""
    return {row[0]: JobState(*row) for row in connection.execute(select(*_COLUMNS).order_by(job.c.name))}


def save(connection: Connection, state: JobState) -> None:
    """Write what is known of a job now."""
    values = state._asdict()
    if connection.execute(update(job).where(job.c.name == state.name).values(values)).rowcount == 0:
        connection.execute(insert(job).values(values))
