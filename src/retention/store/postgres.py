"""Everything that is particular to PostgreSQL (14 or later, and what speaks its protocol).

VACUUM puts what a DELETE leaves behind beyond the reach of SQL; its bytes stay in free space of the server's files
until they are overwritten. Those, the server's write-ahead log, its archive, replicas and backups are beyond our reach;
documents that speak of disposal say so.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import create_engine

from retention.errors import DatabaseError
from retention.settings.secrets import read_secret
from retention.store.ledger import DAY_OF_RECEIPT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from retention.store.ledger import Counts

_OPTIONS = "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC"
_STAGE = "CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE message) ON COMMIT DELETE ROWS"
_COPY = "COPY incoming FROM STDIN"
_REGISTER = (
    "WITH added AS (INSERT INTO message SELECT * FROM incoming ON CONFLICT DO NOTHING RETURNING received_at, class_id) "
    f"SELECT {DAY_OF_RECEIPT}, class_id, count(*) FROM added GROUP BY 1, 2"
)
_TOUCH = """
UPDATE message m SET last_seen_at = i.last_seen_at FROM incoming i
WHERE m.received_at = i.received_at AND m.message_key = i.message_key AND m.last_seen_at < i.last_seen_at
"""


def engine(url: str, *, create: bool) -> Engine:  # noqa: ARG001  # the same signature as sqlite.engine
    """Make an engine for a PostgreSQL database; the password may come from the credential ``database-password``."""
    arguments: dict[str, Any] = {"options": _OPTIONS, "keepalives_idle": 30, "connect_timeout": 10}
    if (password := read_secret("database-password")) is not None:
        arguments["password"] = password
    driver_url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        return create_engine(driver_url, hide_parameters=True, connect_args=arguments)
    except ModuleNotFoundError:
        msg = 'the PostgreSQL driver is not installed; install it with: pip install "retention-enforcer[postgres]"'
        raise DatabaseError(msg) from None


class PostgresDialect:
    """PostgreSQL's side of :class:`retention.store.dialect.Dialect`."""

    clock = "EXTRACT(EPOCH FROM clock_timestamp())::float8"
    reading: ClassVar[dict[str, Any]] = {"isolation_level": "REPEATABLE READ"}
    writing: ClassVar[dict[str, Any]] = {"isolation_level": "READ COMMITTED"}

    def begin(self, connection: Connection) -> None:
        """Do nothing: the driver begins by itself."""

    def bulk_insert(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Insert by COPY."""
        _copy(connection, f"COPY {table} ({', '.join(columns)}) FROM STDIN", rows)

    def register(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> Counts:
        """Copy into a temporary table, then insert what is new; the rest was seen again."""
        connection.exec_driver_sql(_STAGE)
        connection.exec_driver_sql("TRUNCATE incoming")
        _copy(connection, _COPY, rows)
        new = Counter({(day, number): count for day, number, count in connection.exec_driver_sql(_REGISTER)})
        if new.total() < len(rows):
            connection.exec_driver_sql(_TOUCH)
        return new

    def erase(self, engine: Engine) -> str | None:
        """Remove dead rows from the pages of the tables that hold identifiers."""
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM message, upstream_item, upstream_call, webhook_event, webhook_seen")
        return None

    def files(self, engine: Engine) -> list[Path]:  # noqa: ARG002  # the server's files are not ours to read
        """None: the server's files are not ours to read."""
        return []


def _copy(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    driver = connection.connection.driver_connection
    if driver is None:
        msg = "the database connection was closed"
        raise DatabaseError(msg)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


DIALECT = PostgresDialect()
