"""Fixtures of the integration tests: an installation at work, whose audit log must verify when the test is over.

Most of these tests want a fresh installation and nothing else, so one is made once and copied, and on PostgreSQL one
database gets its rows back for each test instead of being made anew.
"""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import stamina

from retention import cycle
from retention.ingest.importing import Terms
from tests.integration.work import Work
from tests.kit import Office
from tests.postgres import KeptRows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer
    from tests.sftp_server import SftpUser


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
def founded_on_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, KeptRows]]:
    """Give the folder and the rows of such an installation on PostgreSQL; its database is lent to test after test."""
    folder = tmp_path_factory.mktemp("founded")
    with postgres_server.database(f"kept_{uuid4().hex}") as url:
        Office(folder, url).found()
        yield folder, KeptRows(url)


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
    first: Path
    kept: KeptRows
    first, kept = request.getfixturevalue("founded_on_postgres")
    if not kept.put_back():  # the test before left another schema than migrations make
        return Office(tmp_path, kept.url).found()
    shutil.copytree(first, tmp_path, dirs_exist_ok=True)
    return Office(tmp_path, kept.url)


@pytest.fixture
def work(office: Office) -> Iterator[Work]:
    """Give an installation at work, once on SQLite and once on PostgreSQL."""
    yield from _at_work(office)


@pytest.fixture
def sqlite_work(sqlite_office: Office) -> Iterator[Work]:
    """Give an installation at work on SQLite."""
    yield from _at_work(sqlite_office)


@pytest.fixture
def fetching(sqlite_work: Work, sftp_user: SftpUser) -> Iterator[Work]:
    """Give an installation whose source fetches from a server; it tries again without waiting."""
    sqlite_work.reopen(sftp_user.source())
    with stamina.set_testing(True, attempts=2):
        yield sqlite_work


@pytest.fixture
def small_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let imports commit every seven records, so that a few rows make several batches."""
    monkeypatch.setattr(cycle, "Terms", partial(Terms, batch_size=7))
