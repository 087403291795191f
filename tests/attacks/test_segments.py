"""The format lets old entries go: with their hashes kept, every later proof holds, and so does the rest of the log.

The program does not drop anything yet; ARCHITECTURE.md says how it may. This shows that nothing has to be rewritten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from retention.audit import stored
from retention.audit.checkpoint import open_note
from retention.audit.merkle import TILE_WIDTH, Frontier, leaf_hash, leaf_hashes
from retention.audit.proof import verify_consistency, verify_inclusion
from retention.audit.prove import Prover
from retention.audit.tiles import DatabaseTiles
from tests.bundle_kit import Log, signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DROPPED = 2 * TILE_WIDTH
KEY = signer().verifier


@pytest.fixture
def thinned(tmp_path: Path) -> Iterator[tuple[Log, dict[int, bytes]]]:
    """Give a log of 801 entries whose first two tiles have lost their entries, and the entries as they were."""
    log = Log.found(tmp_path / "log.db").purge(*[99] * 8)
    with log.database.write() as connection:
        bodies = {seq: body.encode() for seq, body in connection.execute(text("SELECT seq, body FROM audit_entry"))}
        connection.execute(text("DELETE FROM audit_entry WHERE seq < :end"), {"end": DROPPED})
    yield log, bodies
    log.database.close()


def test_every_entry_that_is_left_is_proven_and_every_one_that_was_dropped_can_be(
    thinned: tuple[Log, dict[int, bytes]],
) -> None:
    log, bodies = thinned
    head = open_note(log.note, [KEY])
    with log.database.read() as connection:
        prover = Prover(DatabaseTiles(connection), head.size)
        for index in range(0, head.size, 7):
            path = prover.inclusion(index)
            verify_inclusion(leaf_hash(bodies[index]), index, path, head.size, head.root)


def test_every_older_checkpoint_is_still_what_the_log_went_on_from(thinned: tuple[Log, dict[int, bytes]]) -> None:
    log, _ = thinned
    head = open_note(log.note, [KEY])
    with log.database.read() as connection:
        prover = Prover(DatabaseTiles(connection), head.size)
        for size, note in stored.notes(connection):
            older = open_note(note, [KEY])
            verify_consistency(size, older.root, prover.consistency(size), head.size, head.root)


def test_the_rest_is_verified_from_the_hashes_of_what_is_gone(thinned: tuple[Log, dict[int, bytes]]) -> None:
    """Begin with the kept tiles, go on with the entries, and meet the root that was signed."""
    log, bodies = thinned
    frontier = Frontier()
    with log.database.read() as connection:
        for n in range(DROPPED // TILE_WIDTH):
            data = stored.tile(connection, 0, n)
            frontier.append([data[start : start + 32] for start in range(0, len(data), 32)])
        left = connection.execute(text("SELECT body FROM audit_entry ORDER BY seq")).scalars().all()
    assert len(left) == len(bodies) - DROPPED
    frontier.append(leaf_hashes([body.encode() for body in left]))
    assert frontier.root() == open_note(log.note, [KEY]).root


def test_the_log_goes_on(thinned: tuple[Log, dict[int, bytes]]) -> None:
    log, _ = thinned
    before = open_note(log.note, [KEY])
    log.purge(300)
    after = open_note(log.note, [KEY])
    with log.database.read() as connection:
        path = Prover(DatabaseTiles(connection), after.size).consistency(before.size)
    verify_consistency(before.size, before.root, path, after.size, after.root)
