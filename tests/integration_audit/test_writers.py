"""Writers at the same time take turns, what is rolled back was never there, and whoever verifies sees one state."""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from retention.audit.verify import verify
from retention.errors import DatabaseError
from tests.integration_audit.trail import ORIGIN, Trail, batch, heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

ROUNDS = 12


@pytest.fixture
def own_trail(database_url: str) -> Iterator[Trail]:
    """Give a new log that a test may write to, once on SQLite and once on PostgreSQL."""
    trail = Trail.found(database_url)
    yield trail
    trail.database.close()


def write(url: str, writer: int) -> list[tuple[int, int]]:
    """Append, sign and now and then give up; tell which indexes were taken, from and to."""
    trail = Trail.opened(url)
    taken = []
    for turn in range(ROUNDS):
        count = 1 + (7 * writer + 5 * turn) % 90
        with trail.database.write() if turn % 5 < 4 else given_up(trail) as connection:
            size = trail.log.lock(connection).size
            first = trail.log.append(connection, batch(1000 * writer + turn + 1, size, count))
            assert first == size
            trail.log.sign_head(connection, ORIGIN, trail.signer)
        if turn % 5 < 4:
            taken.append((first, first + count + 1))
    trail.database.close()
    return taken


@contextmanager
def given_up(trail: Trail) -> Iterator[Connection]:
    """Open a transaction that is rolled back by an exception at its end."""
    with suppress(_GivenUpError), trail.database.write() as connection:
        yield connection
        raise _GivenUpError


class _GivenUpError(Exception):
    pass


def check(trail: Trail, written: list[list[tuple[int, int]]]) -> None:
    """Demand that every index was taken once, in order for each writer, and that the log verifies."""
    for taken in written:
        assert taken == sorted(taken)
        assert len(taken) == ROUNDS - ROUNDS // 5
    spans = sorted(span for taken in written for span in taken)
    assert [first for first, _ in spans] == [1, *(end for _, end in spans[:-1])]
    found = trail.verify()
    assert (found.problems, found.size) == ([], spans[-1][1])
    with trail.database.read() as connection:
        rows = connection.execute(text("SELECT count(*), min(seq), max(seq) FROM audit_entry")).one()
        sizes = list(connection.execute(text("SELECT size FROM audit_checkpoint ORDER BY size")).scalars())
    assert tuple(rows) == (found.size, 0, found.size - 1)
    assert sizes == [1, *(end for _, end in spans)]


def test_threads_that_write_at_the_same_time_take_turns(own_trail: Trail, database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        running: list[Future[list[tuple[int, int]]]] = [pool.submit(write, database_url, n) for n in range(1, 5)]
        written = [each.result() for each in running]
    check(own_trail, written)


def test_processes_that_write_at_the_same_time_take_turns(own_trail: Trail, database_url: str) -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        written = [each.result() for each in [pool.submit(write, database_url, n) for n in (1, 2)]]
    check(own_trail, written)


def contents(trail: Trail) -> list[object]:
    with trail.database.read() as connection:
        tables = ("audit_entry", "audit_tile", "audit_head", "audit_checkpoint")
        return [connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")).all() for table in tables]  # noqa: S608  # the four above


def test_append_that_is_rolled_back_leaves_nothing(own_trail: Trail) -> None:
    own_trail.purge(2, 99)
    before = contents(own_trail)
    with given_up(own_trail) as connection:
        own_trail.log.append(connection, batch(3, 201, 600))
        own_trail.log.sign_head(connection, ORIGIN, own_trail.signer)
    assert contents(own_trail) == before
    assert own_trail.append(heartbeat(1)) == 201
    assert own_trail.verify().ok


def test_append_of_nothing_changes_nothing(own_trail: Trail) -> None:
    before = contents(own_trail)
    assert own_trail.append() == 1
    assert contents(own_trail) == before


def test_writer_that_does_not_ask_the_head_is_stopped_by_the_primary_key(own_trail: Trail) -> None:
    with pytest.raises(DatabaseError), own_trail.database.write() as connection:
        connection.execute(text("INSERT INTO audit_entry (seq, body) VALUES (0, 'other')"))
    assert own_trail.verify().ok


def test_appends_that_commit_during_a_verification_do_not_mislead_it(own_trail: Trail, database_url: str) -> None:
    other = Trail.opened(database_url).purge(30, 99)
    met: list[int] = []

    def append_meanwhile(count: int) -> None:
        met.append(count)
        other.purge(1, 299)

    with own_trail.database.read() as connection:
        found = verify(connection, ORIGIN, [own_trail.signer.verifier], append_meanwhile)
    assert (found.problems, found.size) == ([], 3001)
    assert met == [2560, 441]
    assert own_trail.verify().size == 3601
    other.database.close()


def test_threads_may_share_one_database(own_trail: Trail) -> None:
    def write_and_read(run: int) -> int:
        first = own_trail.append(heartbeat(run))
        with own_trail.database.read() as connection:
            assert own_trail.log.head(connection).size > first
        return first

    with ThreadPoolExecutor(12) as pool:
        taken = list(pool.map(write_and_read, range(60)))
    assert sorted(taken) == list(range(1, 61))
    assert own_trail.verify().ok
