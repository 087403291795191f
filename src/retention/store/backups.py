"""Where in the audit log it is said which backups there are; what they are is said there and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from retention.store.tables_service import backup

if TYPE_CHECKING:
    from sqlalchemy import Connection


def add(connection: Connection, entry_index: int) -> None:
    """Note that the entry of an index speaks of backups."""
    connection.execute(insert(backup).values(entry_index=entry_index))


def entries(connection: Connection, before: int | None = None) -> list[int]:
    """Give the indexes of those entries, in their order; ``before`` leaves out what was said from that index on."""
    query = select(backup.c.entry_index).order_by(backup.c.entry_index)
    if before is not None:
        query = query.where(backup.c.entry_index < before)
    return list(connection.execute(query).scalars())
