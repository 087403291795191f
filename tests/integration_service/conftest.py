"""An office with a webhook, set up once and copied: on SQLite, or on either database."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from retention import cycle
from retention.ingest.importing import Terms
from tests.kit import Office
from tests.receiver import hooked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.work import Work


@pytest.fixture
def hooked_office(tmp_path: Path) -> Office:
    """Give an office on SQLite."""
    return hooked(Office(tmp_path, f"sqlite:///{tmp_path / 'register.db'}")).found()


@pytest.fixture
def work(database_url: str, tmp_path: Path) -> Iterator[Work]:
    """Give an office at work, once on SQLite and once on PostgreSQL; its log must verify afterwards."""
    from tests.integration.work import Work  # noqa: PLC0415  # of another folder of tests

    at_work = Work(hooked(Office(tmp_path, database_url)).found())
    yield at_work
    found = at_work.verify()
    at_work.context.database.close()
    assert found.ok, found.problems


@pytest.fixture
def small_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let imports commit every seven records, so that a few events make several batches."""
    monkeypatch.setattr(cycle, "Terms", partial(Terms, batch_size=7))
