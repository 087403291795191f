"""PostgreSQL for the measurements: the tests' private server, and psql beside us.

The work is the server's, so what its processes used while a command ran is added to the command's own seconds of
processor, where the system tells it. Memory is the client's alone, and bytes written are left out: the server writes
later, when it likes.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from benchmarks.databases import POSTGRES
from benchmarks.measure import measured
from tests.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import LiteralString

    from benchmarks.measure import Cost
    from tests.postgres import PostgresServer

_PROC = Path("/proc")
_SETTLES_WITHIN = 5.0  # seconds until the server process of a finished client is gone


class Postgres:
    """PostgreSQL's side of :class:`benchmarks.databases.Kind`."""

    name = POSTGRES

    def __init__(self, server: PostgresServer) -> None:
        """Look for psql and for the server's processes."""
        self._server = server
        self._program = shutil.which("psql")
        self._postmaster = int((server.folder / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0])
        self.tool = "psql" if self._program else "psycopg"
        # A vacuum that starts by itself would be counted for whoever happens to run.
        self._execute("ALTER SYSTEM SET autovacuum = off")
        self._execute("SELECT pg_reload_conf()")
        with psycopg.connect(server.url("postgres")) as connection:
            self.title = f"PostgreSQL {connection.info.parameter_status('server_version')}"

    def url(self, folder: Path) -> str:
        """Give the address of the database."""
        return self._server.url(_name(folder))

    def create(self, folder: Path) -> None:
        """Make an empty database."""
        self._execute("CREATE DATABASE {}", _name(folder))

    def duplicate(self, original: Path, copy: Path) -> None:
        """Copy the database file by file and let the server write what it has put off."""
        self._execute("CREATE DATABASE {} TEMPLATE {}", _name(copy), _name(original))
        self._execute("CHECKPOINT")

    def remove(self, folder: Path) -> None:
        """Drop the database."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", _name(folder))

    def measured(self, command: Sequence[str | Path], *, accepted: Iterable[int] = (0,)) -> tuple[Cost, str]:
        """Run one of our commands and measure it."""
        return self._with_server(command, None, accepted)

    def script(self, folder: Path, text: str) -> Cost:
        """Run a script by psql, or by Python in a process of its own, and measure it."""
        script = folder / "script.sql"
        script.write_text(text, encoding="utf-8")
        command: Sequence[str | Path] = (sys.executable, "-m", "benchmarks.standin", "postgres", self.url(folder))
        if self._program:
            command = (self._program, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", self.url(folder))
        return self._with_server(command, script, (0,))[0]

    def _with_server(
        self, command: Sequence[str | Path], script: Path | None, accepted: Iterable[int]
    ) -> tuple[Cost, str]:
        workers, before = self._server_workers(), self._server_seconds()
        cost, said = measured(command, script=script, accepted=accepted)
        until = time.monotonic() + _SETTLES_WITHIN
        while self._server_workers() - workers and time.monotonic() < until:
            time.sleep(0.01)
        return replace(cost, cpu=cost.cpu + self._server_seconds() - before, written=None), said

    def _server_workers(self) -> set[int]:
        if not _PROC.is_dir():
            return set()
        return {pid for pid, fields in _processes() if int(fields[1]) == self._postmaster}

    def _server_seconds(self) -> float:
        """Sum up the server's processes, with those that the postmaster has seen the end of."""
        if not _PROC.is_dir():
            return 0.0
        ticks = 0
        for pid, fields in _processes():
            if pid == self._postmaster:
                ticks += sum(int(field) for field in fields[11:15])
            elif int(fields[1]) == self._postmaster:
                ticks += sum(int(field) for field in fields[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _execute(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a server for the measurements; nothing is left of it afterwards."""
    with running_postgres() as server:
        yield Postgres(server)


def _name(folder: Path) -> str:
    return folder.name.replace("-", "_")


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Give each process and the fields of its stat from the third on; its name, which may hold spaces, is left out."""
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:  # it has just ended
                continue
            yield int(entry.name), stat.rpartition(")")[2].split()
