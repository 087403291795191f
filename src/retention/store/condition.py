"""In what condition a database is: what it says of itself, asked and never set."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection


class FileCondition(NamedTuple):
    """A SQLite file, as a connection of ours sees it."""

    version: str
    secure_delete: int
    journal_mode: str


class ServerCondition(NamedTuple):
    """A PostgreSQL server, as a connection of ours sees it; times in milliseconds, ``clock`` in seconds since 1970."""

    version: str
    number: int
    local: bool
    encrypted: bool
    powers: tuple[str, ...]
    recovering: bool
    clock: float
    transaction_timeout: int
    statement_timeout: int
    commits_wait: bool
    fsync: bool
    archives: bool
    standbys: int
    database: str
    role: str


def file_condition(connection: Connection) -> FileCondition:
    """Ask a SQLite database."""
    ask = connection.exec_driver_sql
    return FileCondition(
        str(ask("SELECT sqlite_version()").scalar_one()),
        int(ask("PRAGMA secure_delete").scalar_one()),
        str(ask("PRAGMA journal_mode").scalar_one()),
    )


_SERVER = text("""
SELECT current_setting('server_version'), current_setting('server_version_num')::int,
  inet_server_addr() IS NULL, coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),
  concat_ws(' ', CASE WHEN r.rolsuper THEN 'superuser' END, CASE WHEN r.rolcreaterole THEN 'createrole' END,
    CASE WHEN r.rolcreatedb THEN 'createdb' END, CASE WHEN r.rolreplication THEN 'replication' END,
    CASE WHEN r.rolbypassrls THEN 'bypassrls' END),
  pg_is_in_recovery(), extract(epoch FROM clock_timestamp())::float8,
  coalesce((SELECT setting::int FROM pg_settings WHERE name = 'transaction_timeout'), 0),
  coalesce((SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'), 0),
  current_setting('synchronous_commit') <> 'off', current_setting('fsync') = 'on',
  current_setting('archive_mode') <> 'off',
  (SELECT count(*) FROM pg_stat_replication) + (SELECT count(*) FROM pg_replication_slots WHERE NOT temporary),
  current_database()::text, current_user::text
FROM pg_roles r WHERE r.rolname = current_user
""")


def server_condition(connection: Connection) -> ServerCondition:
    """Ask a PostgreSQL server."""
    told = list(connection.execute(_SERVER).one())
    told[4] = tuple(str(told[4]).split())
    return ServerCondition._make(told)
