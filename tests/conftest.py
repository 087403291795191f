"""What every test may ask for: databases, and how hard Hypothesis tries."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import settings

from tests.kit import Office
from tests.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer

# No deadline anywhere: how long an example takes says more about the machine than about the code.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run one PostgreSQL for the tests of this process; each worker of pytest-xdist has its own."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """Give the address of the server's maintenance database, ``postgresql://…``."""
    return postgres_server.url("postgres")


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of an empty PostgreSQL database that is dropped after the test."""
    with postgres_server.database(f"test_{uuid4().hex}") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Run the test twice, each time with the address of an empty database of another kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'register.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Give an installation that is set up as a drill, once on SQLite and once on PostgreSQL."""
    return Office(tmp_path, database_url).found()


@pytest.fixture
def sqlite_office(tmp_path: Path) -> Office:
    """Give an installation that is set up as a drill on SQLite."""
    return Office(tmp_path, f"sqlite:///{tmp_path / 'register.db'}").found()
