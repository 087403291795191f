"""Backups of an office's database, taken and put back as an administrator would: everything but keys and anchors."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from tests.integration.work import Work


class Backup:
    """The database of an office as it was at one moment."""

    def __init__(self, work: Work) -> None:
        """Take it, with the database closed."""
        self._work = work
        self._url = work.office.url
        work.context.database.close()
        if self._url.startswith("sqlite"):
            self._file = work.office.folder / "register.db"
            shutil.copyfile(self._file, self._file.with_suffix(".backup"))
        else:
            with psycopg.connect(self._url) as connection:
                self._tables = _tables(connection)
                connection.execute("DROP SCHEMA IF EXISTS backup CASCADE")
                connection.execute("CREATE SCHEMA backup")
                for name in self._tables:
                    _run(connection, "CREATE TABLE backup.{} AS TABLE public.{}", name, name)
        work.reopen()

    def put_back(self) -> None:
        """Put it back over what is there now."""
        self._work.context.database.close()
        if self._url.startswith("sqlite"):
            for ending in ("-wal", "-shm"):
                self._file.with_name(f"{self._file.name}{ending}").unlink(missing_ok=True)
            shutil.copyfile(self._file.with_suffix(".backup"), self._file)
        else:
            with psycopg.connect(self._url) as connection:
                # As pg_restore --disable-triggers does: the log's tables let nobody truncate them otherwise.
                connection.execute("SET LOCAL session_replication_role = replica")
                for name in self._tables:
                    _run(connection, "TRUNCATE public.{}", name)
                    _run(connection, "INSERT INTO public.{} SELECT * FROM backup.{}", name, name)
                connection.execute("DROP SCHEMA backup CASCADE")
        self._work.reopen()


def _tables(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return [name for (name,) in rows]


def _run(connection: psycopg.Connection, statement: LiteralString, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
