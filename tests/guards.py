"""How somebody who owns the database gets past the triggers that keep the audit log append-only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


def pass_guards(connection: Connection) -> None:
    """Drop the triggers of a SQLite file for good; on PostgreSQL, switch them off for this transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
        connection.execute(text(f'DROP TRIGGER "{name}"'))


@contextmanager
def guards_put_back(connection: Connection) -> Iterator[None]:
    """Get past the triggers for one change, and leave them behind as they were."""
    kept = []
    if connection.dialect.name == "sqlite":
        kept = list(connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")).scalars())
    pass_guards(connection)
    yield
    for trigger in kept:
        connection.exec_driver_sql(trigger)
