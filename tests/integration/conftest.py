"""Fixtures of the integration tests: an installation at work, whose audit log must verify when the test is over."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import stamina

from retention import arrivals
from retention.ingest.importing import Terms
from tests.integration.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit import Office
    from tests.sftp_server import SftpUser


def _at_work(office: Office) -> Iterator[Work]:
    work = Work(office)
    yield work
    found = work.verify()
    work.context.database.close()
    assert found.ok, found.problems


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
    monkeypatch.setattr(arrivals, "Terms", partial(Terms, batch_size=7))
