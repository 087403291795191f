"""Everything that is particular to SQLite.

A deleted row survives in four places: in the freed part of its page (``secure_delete`` overwrites it, and must be read
back because builds differ); in the gap of other pages that it passed through when SQLite balanced its tree, which
``secure_delete`` does not see (so the table is rebuilt, and dropping the old one overwrites every page it had); in the
write-ahead log (a TRUNCATE checkpoint empties it, and reports *busy* in its result row, not as an error, while any
reader is open); and in temporary files (kept in memory instead).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from sqlalchemy import MetaData, QueuePool, create_engine

from retention.errors import DatabaseError, SchemaError
from retention.store.ledger import SECONDS
from retention.store.tables import (
    message,
    redated,
    upstream_call,
    upstream_item,
    upstream_order,
    webhook_event,
    webhook_seen,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Engine, Table

    from retention.store.ledger import Counts

MINIMUM = (3, 35, 0)  # RETURNING
BUSY_SECONDS = 30
BUSY_PAUSE = 0.0002
CHECKPOINT_TRIES = 20
CHECKPOINT_PAUSE = 0.25

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
)
_REGISTER = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_TOUCH = "UPDATE message SET last_seen_at = ? WHERE received_at = ? AND message_key = ? AND last_seen_at < ?"


def engine(url: str, *, create: bool) -> Engine:
    """Make an engine for a SQLite file; its folder must exist and only ``create`` makes the file."""
    path = Path(url.removeprefix("sqlite:///"))
    if sqlite3.sqlite_version_info < MINIMUM:
        msg = f"this Python has SQLite {sqlite3.sqlite_version}; 3.35 or later is needed"
        raise DatabaseError(msg)
    if not create and not path.exists():
        msg = f"no database at {path}; make it with: retention init"
        raise SchemaError(msg)
    if create:
        _make_private(path)
    uri = f"file:{quote(str(path))}?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
        _prepare(connection)
        return connection

    # The address says "in memory", for which SQLAlchemy would share connections by thread and close them in mid-use.
    return create_engine("sqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True)


def _make_private(path: Path) -> None:
    """Make the file, where it is missing, for its owner only; SQLite gives its log and index the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        msg = f"{path}: the database cannot be made ({error.strerror}); check [database] url and its folder"
        raise DatabaseError(msg) from None


def _prepare(connection: sqlite3.Connection) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    if connection.execute("PRAGMA secure_delete").fetchone() != (1,):
        connection.close()
        msg = "this SQLite does not honour PRAGMA secure_delete, so deleted rows would stay readable; use another build"
        raise DatabaseError(msg)


class SqliteDialect:
    """SQLite's side of :class:`retention.store.dialect.Dialect`."""

    clock = "(julianday('now') - 2440587.5) * 86400.0"
    reading: ClassVar[dict[str, Any]] = {}
    writing: ClassVar[dict[str, Any]] = {"retention_write": True}

    def begin(self, connection: Connection) -> None:
        """Take the write lock at once where the transaction will write."""
        if connection.get_execution_options().get("retention_write", False):
            _take_turn(connection.connection.driver_connection)
        else:
            connection.exec_driver_sql("BEGIN")

    def bulk_insert(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Insert by one prepared statement."""
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(rows))

    def register(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> Counts:
        """Insert what is new; the rest was seen again."""
        new = _insert_new(connection.connection.driver_connection, rows)
        if new.total() < len(rows):
            seen = [(row[7], row[0], row[1], row[7]) for row in rows]
            connection.exec_driver_sql(_TOUCH, seen)
        return new

    def erase(self, engine: Engine) -> str | None:
        """Rebuild what holds identifiers, then empty the write-ahead log, again and again while a reader is open."""
        with engine.execution_options(**self.writing).connect() as connection, connection.begin():
            always = (message, redated, upstream_call, webhook_event, webhook_seen)
            for table in (*always, *_orders_with_gaps(connection)):
                _rebuild(connection, table)
        raw = engine.raw_connection()
        try:
            cursor: Any = raw.cursor()  # a driver's own type
            # Without this each try would itself wait for as long as a writer may wait, far past the lease.
            cursor.execute("PRAGMA busy_timeout = 0")
            for attempt in range(CHECKPOINT_TRIES):
                if attempt:
                    time.sleep(CHECKPOINT_PAUSE)
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                busy, *_ = cursor.fetchone()
                if not busy:
                    return None
        finally:
            raw.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
            raw.close()
        return "a reader kept the write-ahead log busy, so it still holds deleted rows; close it and run again"

    def files(self, engine: Engine) -> list[Path]:
        """List the main file, its write-ahead log and its shared-memory index, and close our connections to them.

        Whoever reads such a file and closes it takes away every POSIX lock that the process has on it. Another process
        would then remove the log under an open connection, and what that connection commits next would be lost.
        """
        with engine.connect() as connection:
            databases = connection.exec_driver_sql("PRAGMA database_list").all()
        engine.dispose()
        main = next(file for _, name, file in databases if name == "main")
        return [path for suffix in ("", "-wal", "-shm") if (path := Path(main + suffix)).exists()]


def _insert_new(driver: Any, rows: Sequence[tuple[Any, ...]]) -> Counts:  # noqa: ANN401  # a driver's own type
    """Insert rows by one prepared statement; count those that were new, by day and class.

    The driver asks for a row when it has inserted the one before, so the counter of changes tells of each by itself.
    """
    new: Counts = Counter()
    before = driver.total_changes

    def each() -> Iterator[tuple[Any, ...]]:
        nonlocal before
        for row in rows:
            yield row
            if (after := driver.total_changes) != before:
                before = after
                new[row[0] // SECONDS, row[2]] += 1

    driver.executemany(_REGISTER, each())
    return new


def _take_turn(driver: Any) -> None:  # noqa: ANN401  # a driver's own type
    """Take the write lock in the first instant in which it is free.

    SQLite's own way to wait asks ten times a second. Between two batches of a purge the lock is free for less than a
    millisecond, so a hold that waits like that can wait until nothing is left that it could keep.
    """
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        for _ in range(int(BUSY_SECONDS / BUSY_PAUSE)):
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                time.sleep(BUSY_PAUSE)
            else:
                return
        driver.execute("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _orders_with_gaps(connection: Connection) -> tuple[Table, ...]:
    """Give the tables of disposal orders where identifiers went from them; else nothing is to be erased there."""
    owed = connection.exec_driver_sql("SELECT 1 FROM upstream_order WHERE unerased > 0 LIMIT 1").one_or_none()
    return (upstream_item, upstream_order) if owed else ()


def _rebuild(connection: Connection, table: Table) -> None:
    """Copy a table's rows into a new one in the order of its key and put that in its place."""
    fresh = table.to_metadata(MetaData(), name=f"{table.name}_rebuilt")
    fresh.create(connection)
    key = ", ".join(column.name for column in table.primary_key)
    connection.exec_driver_sql(f"INSERT INTO {fresh.name} SELECT * FROM {table.name} ORDER BY {key}")
    connection.exec_driver_sql(f"DROP TABLE {table.name}")
    connection.exec_driver_sql(f"ALTER TABLE {fresh.name} RENAME TO {table.name}")


DIALECT = SqliteDialect()
