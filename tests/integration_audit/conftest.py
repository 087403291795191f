"""Logs to attack: built once for each process of the tests, because every attack is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration_audit.trail import Attacker, Trail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import PostgresServer


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def trail(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    """Give a log of 701 entries: the first, then seven batches of 99 disposals, each closed and signed.

    That makes two full tiles, 189 leaves and two hashes of level 1 in the edge.
    """
    if request.param == "sqlite":
        yield from _made(f"sqlite:///{tmp_path_factory.mktemp('trail') / 'trail.db'}", 7, 99)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database("trail") as url:
        yield from _made(url, 7, 99)


@pytest.fixture(scope="session")
def deep_trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    """Give a log of 70,001 entries on SQLite: a full tile of level 1 and a hash of level 2 in the edge."""
    yield from _made(f"sqlite:///{tmp_path_factory.mktemp('trail') / 'deep.db'}", 7, 9_999)


@pytest.fixture
def attacker(trail: Trail) -> Iterator[Attacker]:
    """Give somebody who may write to the database of the log of 701 entries."""
    with trail.attacked() as somebody:
        yield somebody


def _made(url: str, batches: int, disposals: int) -> Iterator[Trail]:
    trail = Trail.found(url).purge(batches, disposals)
    yield trail
    trail.database.close()
