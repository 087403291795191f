"""Copies of one prepared office, database included: each disturbed job gets a fresh one."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, LiteralString, Protocol
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.faults.job import prepared
from tests.kit import Office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


class World(Protocol):
    """Gives copies of one office that was set up and has not worked yet."""

    def copy(self) -> AbstractContextManager[Office]:
        """Lend a copy."""


class SqliteWorld:
    """An office whose database is a file among its others."""

    def __init__(self, folder: Path) -> None:
        """Set the office up."""
        self._folder = folder
        prepared(folder / "first", _sqlite_url(folder / "first"))

    @contextmanager
    def copy(self) -> Iterator[Office]:
        """Lend a copy and remove it afterwards."""
        folder = self._folder / uuid4().hex
        shutil.copytree(self._folder / "first", folder)
        yield Office(folder, _sqlite_url(folder))
        shutil.rmtree(folder)


class PostgresWorld:
    """An office in a database of a server; one copy is lent at a time, because making a database costs more."""

    def __init__(self, folder: Path, url: str) -> None:
        """Set the office up in an empty database and keep every row beside its table."""
        self._folder = folder
        self._url = url
        prepared(folder / "first", url)
        with psycopg.connect(url) as connection:
            rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            self._tables = [name for (name,) in rows]
            connection.execute("CREATE SCHEMA kept")
            for name in self._tables:
                _run(connection, "CREATE TABLE kept.{} AS TABLE public.{}", name, name)

    @contextmanager
    def copy(self) -> Iterator[Office]:
        """Put the database back to what it was at first, and lend a copy of the folder, which is removed afterwards."""
        folder = self._folder / uuid4().hex
        shutil.copytree(self._folder / "first", folder)
        with psycopg.connect(self._url) as connection:
            tables = sql.SQL(", ").join(sql.Identifier("public", name) for name in self._tables)
            connection.execute("SET session_replication_role = replica")  # past the triggers of the audit log
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
            for name in self._tables:
                _run(connection, "INSERT INTO public.{} SELECT * FROM kept.{}", name, name)
        yield Office(folder, self._url)
        shutil.rmtree(folder)


def _run(connection: psycopg.Connection, statement: LiteralString, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'register.db'}"
