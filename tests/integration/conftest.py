"""Fixtures of the integration tests: an installation at work, whose audit log must verify when the test is over.

Most of these tests want a fresh installation and nothing else, so one is made once and copied, and one database of the
server is emptied for each test instead of being made anew.
"""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from retention import cycle
from retention.audit.tables import metadata as audit_tables
from retention.ingest.importing import Terms
from retention.store.tables import metadata as store_tables
from tests.integration.work import Work
from tests.kit import Office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer


def _at_work(office: Office) -> Iterator[Work]:
    work = Work(office)
    yield work
    found = work.verify()
    work.context.database.close()
    assert found.ok, found.problems


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of an installation on SQLite that was set up as a drill and never used."""
    folder = tmp_path_factory.mktemp("founded")
    Office(folder, f"sqlite:///{folder / 'register.db'}").found()
    return folder


@pytest.fixture(scope="session")
def kept_postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of a database that the tests of this process use one after the other."""
    with postgres_server.database(f"kept_{uuid4().hex}") as url:
        yield url


@pytest.fixture
def sqlite_office(founded: Path, tmp_path: Path) -> Office:
    """Give a fresh installation on SQLite: a copy of the one that was set up."""
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    return Office(tmp_path, f"sqlite:///{tmp_path / 'register.db'}")


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    """Give a fresh installation, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        made: Office = request.getfixturevalue("sqlite_office")
        return made
    url: str = request.getfixturevalue("kept_postgres")
    _empty(url)
    return Office(tmp_path, url).found()


def _empty(url: str) -> None:
    """Empty every table, or take the schema away where the test before left another one than migrations make."""
    described = {*store_tables.tables, *audit_tables.tables, "alembic_version"}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        if {name for (name,) in found} != described:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
            return
        connection.execute("SET session_replication_role = replica")  # past the triggers of the audit log
        # A TRUNCATE takes five times as long: it makes new files for every table.
        for name in sorted(described - {"alembic_version"}):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        counters = connection.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'").fetchall()
        for (name,) in counters:
            connection.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(name)))


@pytest.fixture
def work(office: Office) -> Iterator[Work]:
    """Give an installation at work, once on SQLite and once on PostgreSQL."""
    yield from _at_work(office)


@pytest.fixture
def sqlite_work(sqlite_office: Office) -> Iterator[Work]:
    """Give an installation at work on SQLite."""
    yield from _at_work(sqlite_office)


@pytest.fixture
def small_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let imports commit every seven records, so that a few rows make several batches."""
    monkeypatch.setattr(cycle, "Terms", partial(Terms, batch_size=7))
