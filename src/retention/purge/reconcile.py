"""Bring what an interrupted run left behind to a stated end, before anything new begins.

An import that was cut off is gone on with when its file is found again, which may be never; so the log is told at once
what it has registered.

A run's row is committed as ``running`` before its first batch and says how it ended in its last write. A row that still
says ``running`` when another run holds the lease belongs to a process that died. Its batches are whole (each was one
transaction), so nothing has to be undone: the run is marked, and the log says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.audit.entry import entry
from retention.store import lease, ledger, runs

if TYPE_CHECKING:
    from datetime import datetime

    from retention.audit.log import AuditLog
    from retention.store.engine import Database


def tell_interrupted_imports(database: Database, log: AuditLog, held_lease: lease.Lease, now: datetime) -> int:
    """Write an entry of what an import has registered that was cut off before it could say so itself.

    Args:
        database: the register.
        log: its audit log.
        held_lease: the lease of this run, which proves that no import is under way.
        now: an aware datetime.

    Returns:
        The number of messages that the log did not know of.

    """
    with database.read() as connection:
        counted = ledger.load(connection)
    if counted.messages != counted.told:
        with database.write() as connection:
            lease.renew(connection, held_lease, database.dialect.clock)
            log.lock(connection)
            counted = ledger.tell(connection)
            log.append(connection, [entry("import_interrupted", now, before=counted.told, after=counted.messages)])
    return counted.messages - counted.told


def close_interrupted(database: Database, log: AuditLog, held_lease: lease.Lease, now: datetime) -> list[int]:
    """Mark every run that died as interrupted, with an entry.

    Args:
        database: the register.
        log: its audit log.
        held_lease: the lease of this run, which proves that the others are over.
        now: an aware datetime.

    Returns:
        The numbers of those runs.

    """
    with database.read() as connection:
        if not runs.running(connection):
            return []
    with database.write() as connection:
        lease.renew(connection, held_lease, database.dialect.clock)
        died = runs.running(connection)
        entries = [
            entry("run_interrupted", now, run=run.id, batches=run.batches, disposed=run.disposed, cause="killed")
            for run in died
        ]
        log.append(connection, entries)
        for run in died:
            runs.finish(connection, run.id, "interrupted", now)
    return [run.id for run in died]
