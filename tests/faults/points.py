"""Points at which a process can be made to die or to meet an error: every statement, commit and step on a file.

Installed once in a process that has nothing else to do, below the program: in the drivers of the databases and at the
interpreter's audit events, so that what fails is what fails on a bad day. Nothing of the program is replaced.
"""

# ruff: noqa: ANN401  # methods of drivers are wrapped, whatever they take and give

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Kind = Literal["statement", "commit", "committed", "file", "read"]
How = Literal["count", "kill", "fail", "outage"]
"""``kill``: the process dies at the point. ``fail``: the point raises, once. ``outage``: it raises from there on."""

_FILE_EVENTS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.truncate"})
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_READING = ("SELECT", "PRAGMA", "BEGIN", "SHOW", "WITH")


class Point(NamedTuple):
    """One point: its place in the order, what it is, and in which part of the job it lies."""

    number: int
    part: str
    kind: Kind
    what: str


class Points:
    """Counts the points as they come, and strikes at one of them."""

    def __init__(self, how: How, at: int | None, folder: Path) -> None:
        """Say how to strike, at which point, and in which folder files matter."""
        self.seen: list[Point] = []
        self.part = ""
        self.struck = False
        self._how = how
        self._at = at
        self._folder = str(folder)
        self._busy = False

    def reach(self, kind: Kind, what: str, fail: Callable[[], Exception]) -> None:
        """Note a point and strike where it is its turn; ``fail`` gives the error that a driver or the system raises."""
        if self._busy:
            return
        number = len(self.seen)
        self.seen.append(Point(number, self.part, kind, what[:80]))
        if number != self._at and not (self.struck and self._how == "outage"):
            return
        if self._how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        self.struck = True
        self._busy = True
        try:
            error = fail()
        finally:
            self._busy = False
        raise error

    def install(self) -> None:
        """Watch both drivers and the file system from now on, to the end of the process."""
        patch = pytest.MonkeyPatch()
        _watch_sqlite(self, patch)
        _watch_postgres(self, patch)
        patch.setattr(os, "fsync", partial(self._fsync, os.fsync))
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            kind: Kind = "file" if flags & _WRITES else "read"
        elif event in _FILE_EVENTS:
            path, kind = arguments[0], "file"
        else:
            return
        if isinstance(path, str | bytes) and (name := os.fsdecode(path)).startswith(self._folder):
            self.reach(kind, f"{event} {name.removeprefix(self._folder)}", _no_space)

    def _fsync(self, original: Callable[[int], None], descriptor: int) -> None:
        self.reach("file", "fsync", _no_space)
        original(descriptor)


def _no_space() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _watch_sqlite(points: Points, patch: pytest.MonkeyPatch) -> None:
    def error() -> Exception:
        return sqlite3.OperationalError("disk I/O error")

    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *values: Any) -> Cursor:
            points.reach("statement", sql, error)
            _note_write(self.connection, sql)
            super().execute(sql, *values)
            return self

        def executemany(self, sql: str, rows: Any) -> Cursor:
            points.reach("statement", sql, error)
            _note_write(self.connection, sql)
            super().executemany(sql, rows)
            return self

    class Connection(sqlite3.Connection):
        written = ""

        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def commit(self) -> None:
            _commit(points, self, super().commit, error)

    patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Connection))


def _watch_postgres(points: Points, patch: pytest.MonkeyPatch) -> None:
    execute, executemany, copy = psycopg.Cursor.execute, psycopg.Cursor.executemany, psycopg.Cursor.copy
    commit = psycopg.Connection.commit

    def lost(connection: Any) -> Callable[[], Exception]:
        """Lose the connection in earnest: whatever is tried on it afterwards fails as well."""

        def error() -> Exception:
            connection.close()
            return psycopg.OperationalError("server closed the connection unexpectedly")

        return error

    def refused(connection: Any) -> Callable[[], Exception]:
        """Let every other statement be refused by a server that goes on, and lose the connection at the rest."""
        if len(points.seen) % 2:
            return lost(connection)
        return lambda: psycopg.errors.DiskFull("could not extend file: No space left on device")

    def watched_execute(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        points.reach("statement", str(query), refused(self.connection))
        _note_write(self.connection, str(query))
        return execute(self, query, *values, **options)

    def watched_executemany(self: Any, query: Any, *values: Any, **options: Any) -> None:
        points.reach("statement", str(query), refused(self.connection))
        _note_write(self.connection, str(query))
        executemany(self, query, *values, **options)

    @contextmanager
    def watched_copy(self: Any, statement: Any, *values: Any, **options: Any) -> Iterator[Any]:
        points.reach("statement", str(statement), refused(self.connection))
        _note_write(self.connection, str(statement))
        with copy(self, statement, *values, **options) as copying:
            yield copying
        points.reach("statement", "the end of a COPY", refused(self.connection))

    def watched_commit(self: Any) -> None:
        _commit(points, self, partial(commit, self), lost(self))

    patch.setattr(psycopg.Cursor, "execute", watched_execute)
    patch.setattr(psycopg.Cursor, "executemany", watched_executemany)
    patch.setattr(psycopg.Cursor, "copy", watched_copy)
    patch.setattr(psycopg.Connection, "commit", watched_commit)
    patch.setattr(psycopg.Connection, "written", "", raising=False)


def _note_write(connection: Any, sql: str) -> None:
    if not sql.lstrip().upper().startswith(_READING):
        connection.written = sql


def _commit(points: Points, connection: Any, commit: Callable[[], None], error: Callable[[], Exception]) -> None:
    """A transaction that wrote has two points: before it is committed, and after, when nobody has heard of it yet."""
    last, connection.written = connection.written, ""
    if last:
        points.reach("commit", f"COMMIT after {last}", error)
    commit()
    if last:
        points.reach("committed", f"COMMIT after {last}", error)
