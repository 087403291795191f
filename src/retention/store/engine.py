"""One database: its engine, its transactions, and the translation of its errors.

``read`` opens a transaction that never writes, ``write`` one that will: on SQLite it takes the write lock at once, so
that a transaction which has read never fails to upgrade. Errors of drivers leave here as ``DatabaseError`` without
parameters, because parameters may be personal.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from retention.errors import DatabaseError, RetentionError, SchemaError, TransientDatabaseError
from retention.store import postgres, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from retention.store.dialect import Dialect

_PASSING = frozenset({"40001", "40P01", "55P03", "57P01"})  # serialisation, deadlock, lock not available, shut down

_ADVICE = {
    "unable to open": "; check [database] url, and owner and mode of the file and of its folder",
    "readonly": "; check owner and mode of the file and of its folder, which must be writable too",
    "not a database": "; check [database] url, or restore the file from its backup",
    "permission denied for table": "; after an upgrade run again what this prints: retention init --print-grants",
    "permission denied for schema": "; init is for the role that owns the tables: see retention init --print-grants",
    "malformed": "; the file is damaged: restore it from its backup",
}


class Database:
    """A register's database, SQLite or PostgreSQL by its URL."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        """Join an engine with what is particular to its kind of database."""
        self.engine = engine
        self._reading = engine.execution_options(**dialect.reading)
        self._writing = engine.execution_options(**dialect.writing)
        self.dialect = dialect
        self._raw = engine.dialect.loaded_dbapi.Error
        event.listen(engine, "begin", dialect.begin)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction for reading; it sees one state of the database throughout."""
        with translated(self._raw), self._reading.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction for writing; it commits at the end of the block and rolls back on any exception."""
        with translated(self._raw), self._writing.connect() as connection, connection.begin():
            yield connection

    def erase(self) -> str | None:
        """Make deleted rows unreadable in the files we reach; give the reason where that was not possible."""
        with translated(self._raw):
            return self.dialect.erase(self.engine)

    def files(self) -> list[Path]:
        """List the database's own files that this machine can read."""
        with translated(self._raw):
            return self.dialect.files(self.engine)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(url: str, *, create: bool = False) -> Database:
    """Open the database at a URL; only ``create`` makes a SQLite file that is not there.

    Raises:
        SchemaError: a SQLite file that does not exist.
        DatabaseError: the driver is not installed, or the server cannot be reached.

    """
    with translated():
        module = sqlite if url.startswith("sqlite:") else postgres
        return Database(module.engine(url, create=create), module.DIALECT)


@contextmanager
def translated(raw: type[Exception] = DBAPIError) -> Iterator[None]:
    """Turn a driver's error into ours, with the statement's parameters left out.

    ``raw`` is the base of the driver's own errors, for what does not go through SQLAlchemy: COPY and checkpoints.
    """
    try:
        yield
    except DBAPIError as error:
        raise _translation(error.orig, lost=error.connection_invalidated) from None
    except SQLAlchemyError as error:
        msg = f"the database layer failed ({type(error).__name__}); see the URL in [database]"
        raise DatabaseError(msg) from None
    except raw as error:
        raise _translation(error, lost=False) from None


def _translation(error: BaseException | None, *, lost: bool) -> RetentionError:
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    text = primary or (str(error).splitlines() or [""])[0]
    state = getattr(error, "sqlstate", None) or ""
    if "locked" in text:
        return TransientDatabaseError("the database is locked by another program; try again when it has finished")
    if lost or state[:2] == "08" or state in _PASSING:
        return TransientDatabaseError(f"the database says: {text}")
    if state == "3D000" or ("database" in text and "does not exist" in text):
        return SchemaError("the database does not exist; have it made on the server, then run: retention init")
    hint = next((advice for said, advice in _ADVICE.items() if said in text), "")
    return DatabaseError(f"the database says: {text}{hint}")
