"""The log appends, signs and finds; it signs nothing over a head or a checkpoint that is not its own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from retention.audit.checkpoint import Checkpoint, open_note, sign
from retention.audit.log import Head, checkpoints, find_disposals, stream
from retention.audit.merkle import EMPTY_ROOT, leaf_hash
from retention.errors import Exit, LogError
from retention.model import to_epoch
from tests.integration_audit.trail import NOW, ORIGIN, Trail, batch, heartbeat, signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    """Give a log with its first entry, signed."""
    trail = Trail.found(f"sqlite:///{tmp_path / 'trail.db'}")
    yield trail
    trail.database.close()


@pytest.fixture
def connection(trail: Trail) -> Iterator[Connection]:
    """Give a transaction that writes."""
    with trail.database.write() as opened:
        yield opened


def test_new_log_is_empty(trail: Trail, connection: Connection) -> None:
    connection.exec_driver_sql("DELETE FROM audit_head")
    trail.log.create(connection)
    assert trail.log.head(connection) == trail.log.lock(connection) == Head(0, EMPTY_ROOT)


def test_head_follows_the_entries(trail: Trail, connection: Connection) -> None:
    first = next(stream(connection))[1]
    assert trail.log.head(connection) == (1, leaf_hash(first.encode()))
    assert trail.log.append(connection, [heartbeat(1), heartbeat(2)]) == 1
    assert trail.log.append(connection, [heartbeat(3)]) == 3
    assert trail.log.head(connection).size == 4
    assert [index for index, _ in stream(connection)] == [0, 1, 2, 3]
    assert [body.encode() for _, body in stream(connection, 1, 3)] == [heartbeat(1), heartbeat(2)]


@pytest.mark.parametrize(
    ("start", "end", "count"), [(0, None, 20_202), (0, 10_000, 10_000), (9_999, 20_001, 10_002), (5, 5, 0)]
)
def test_stream_goes_on_from_page_to_page(trail: Trail, start: int, end: int | None, count: int) -> None:
    trail.purge(1, 10_099).purge(1, 10_100)
    with trail.database.read() as connection:
        indexes = [index for index, _ in stream(connection, start, end)]
    assert indexes == list(range(start, start + count))


def test_disposals_are_found_by_their_pseudonyms(trail: Trail, connection: Connection) -> None:
    trail.log.append(connection, [*batch(1, 1, 30), heartbeat(1), *batch(2, 33, 5)])
    wanted = {f"{7:022d}", f"{35:022d}", f"{99:022d}"}
    assert [index for index, _ in find_disposals(connection, wanted)] == [7, 35]
    assert list(find_disposals(connection, set())) == []


def test_entry_that_only_looks_like_a_disposal_is_not_found(trail: Trail, connection: Connection) -> None:
    disposal = batch(1, 1, 1)[0]
    trail.log.append(connection, [disposal.replace(b'{"batch":1', b'{"other":1')])
    assert list(find_disposals(connection, {f"{1:022d}"})) == []


def test_size_is_signed_once(trail: Trail, connection: Connection) -> None:
    trail.log.append(connection, [heartbeat(1)])
    note = trail.log.sign_head(connection, ORIGIN, trail.signer)
    assert open_note(note, [trail.signer.verifier]) == Checkpoint(ORIGIN, *trail.log.head(connection))
    assert trail.log.sign_head(connection, ORIGIN, trail.signer) == note
    assert [kept.size for kept in checkpoints(connection)] == [1, 2]
    assert list(checkpoints(connection))[1].note == note


def test_checkpoints_are_streamed_from_page_to_page(connection: Connection) -> None:
    rows = [(size, f"note {size}") for size in range(2, 1_203)]
    connection.exec_driver_sql("INSERT INTO audit_checkpoint (size, note) VALUES (?, ?)", rows)
    assert [kept.size for kept in checkpoints(connection)] == list(range(1, 1_203))


def test_time_at_which_a_checkpoint_left_is_kept(trail: Trail, connection: Connection) -> None:
    trail.log.anchored(connection, 1, NOW + timedelta(seconds=3))
    found = connection.exec_driver_sql("SELECT size, anchored_at FROM audit_checkpoint").all()
    assert [tuple(row) for row in found] == [(1, to_epoch(NOW) + 3)]


@pytest.mark.parametrize(
    ("attack", "answer"),
    [
        ("DELETE FROM audit_head", "has no head"),
        ("INSERT INTO audit_head SELECT 2, size, root, edge FROM audit_head", "must have one head"),
        ("UPDATE audit_head SET size = 'none'", "must have one head"),
        ("UPDATE audit_head SET size = 2", "does not fit its own edge"),
        ("UPDATE audit_head SET root = zeroblob(32)", "does not fit its own edge"),
        ("UPDATE audit_head SET edge = zeroblob(8)", "does not fit its own edge"),
        ("UPDATE audit_head SET edge = x'00'", "right edge of the log is damaged"),
    ],
)
def test_nothing_is_appended_or_signed_over_a_head_that_is_damaged(
    trail: Trail, connection: Connection, attack: str, answer: str
) -> None:
    connection.exec_driver_sql(attack)
    with pytest.raises(LogError, match=answer) as caught:
        trail.log.append(connection, [heartbeat(1)])
    assert caught.value.exit_code is Exit.LOG_NOT_VERIFIED
    with pytest.raises(LogError, match=answer):
        trail.log.sign_head(connection, ORIGIN, trail.signer)


def test_head_that_is_not_there_cannot_be_told(trail: Trail, connection: Connection) -> None:
    connection.exec_driver_sql("DELETE FROM audit_head")
    with pytest.raises(LogError, match="has no head"):
        trail.log.head(connection)


def plant(connection: Connection, size: int, note: str) -> None:
    connection.exec_driver_sql("DELETE FROM audit_checkpoint")
    connection.exec_driver_sql("INSERT INTO audit_checkpoint (size, note) VALUES (?, ?)", (size, note))


def test_planted_note_is_not_given_out_as_a_checkpoint(trail: Trail, connection: Connection) -> None:
    plant(connection, 1, "nothing")
    with pytest.raises(LogError, match="must end with an empty line"):
        trail.log.sign_head(connection, ORIGIN, trail.signer)


def test_checkpoint_by_another_key_is_not_given_out(trail: Trail, connection: Connection) -> None:
    plant(connection, 1, sign(Checkpoint(ORIGIN, *trail.log.head(connection)), signer(2)))
    with pytest.raises(LogError, match="no signature of a known key"):
        trail.log.sign_head(connection, ORIGIN, trail.signer)


@pytest.mark.parametrize("size", [1, 2])
def test_nothing_is_signed_beside_a_checkpoint_of_another_history(
    trail: Trail, connection: Connection, size: int
) -> None:
    plant(connection, size, sign(Checkpoint(ORIGIN, size, bytes(32)), trail.signer))
    with pytest.raises(LogError, match="signed of entries that are gone or changed"):
        trail.log.sign_head(connection, ORIGIN, trail.signer)
