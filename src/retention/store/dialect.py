"""What the rest of the program needs of a kind of database beyond plain SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from retention.store.ledger import Counts


class Dialect(Protocol):
    """The differences between SQLite and PostgreSQL, all of them."""

    clock: str
    """An SQL expression: the server's clock in seconds since 1970 UTC. Only leases use it."""

    reading: ClassVar[dict[str, Any]]
    """Execution options of a transaction that reads: it must see one state of the database."""

    writing: ClassVar[dict[str, Any]]
    """Execution options of a transaction that writes: each statement must see what was committed before it."""

    def begin(self, connection: Connection) -> None:
        """Start the transaction that SQLAlchemy announces."""

    def bulk_insert(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Insert many rows as fast as the driver can."""

    def register(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> Counts:
        """Insert message rows that are not there yet, set ``last_seen_at`` of the others; count the new ones.

        A row is received_at, message_key, class_id and so on, in the order of the table; the count is by day and class.
        """

    def erase(self, engine: Engine) -> str | None:
        """Make deleted rows unreadable; give the reason where something prevented it."""

    def files(self, engine: Engine) -> list[Path]:
        """List the database's own files that this machine can read; no connection of ours stays open on them."""
