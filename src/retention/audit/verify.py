"""Verify the log: every entry, every tile, the head, every checkpoint, and what batches say about disposals.

The root is computed anew from the entries and compared with everything that claims to know it. An edited entry shows
at its own index, because the tiles and the head's edge keep a hash of every leaf. Where those were rebuilt as well, the
signed checkpoints show it: then the first bad index is the size of the last checkpoint that still fits.

What this cannot show alone: a log that was rewritten together with tiles, head and checkpoints by somebody who has the
signing key, or cut back to an older checkpoint. For that a checkpoint must have left the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from retention.audit import log as audit_log
from retention.audit.checkpoint import open_note
from retention.audit.facts import FactCheck
from retention.audit.merkle import HASH_SIZE, TILE_WIDTH, Frontier, leaf_hashes, tile_root
from retention.audit.tables import audit_head, audit_tile
from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from retention.audit.checkpoint import VerifierKey

_LIMIT = 100


@dataclass(slots=True)
class Verification:
    """What verification found. ``root`` is computed from the entries; ``problems`` are sentences without values."""

    size: int = 0
    root: bytes = b""
    first_bad_index: int | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    def add(self, problem: str, index: int | None = None) -> None:
        """Note a problem, and the earliest index at which the log is known to be wrong.

        Args:
            problem: one sentence.
            index: the entry it concerns, where that is known.

        """
        if len(self.problems) < _LIMIT:
            self.problems.append(problem)
        if index is not None and (self.first_bad_index is None or index < self.first_bad_index):
            self.first_bad_index = index


def verify(
    connection: Connection, origin: str, keys: list[VerifierKey], progress: Callable[[int], None] | None = None
) -> Verification:
    """Verify the whole log in the database.

    Args:
        connection: a transaction that sees one state of the database.
        origin: the log's origin.
        keys: the public keys that may have signed its checkpoints.
        progress: called now and then with the number of entries read since the last call.

    Returns:
        Size and root as computed from the entries, and every problem found (at most a hundred).

    """
    found = Verification()
    notes = _open_notes(connection, origin, keys, found)
    frontier = Frontier()
    facts = FactCheck(found.add)
    for first, bodies in _tiles_of_entries(connection, found):
        hashes = leaf_hashes([body.encode("utf-8", "replace") for body in bodies])
        _compare_leaves(connection, first, hashes, found)
        for offset, body in enumerate(bodies):
            facts.see(first + offset, body)
        _append_by_checkpoints(frontier, hashes, notes, found)
        if progress:
            progress(len(bodies))
    facts.end()
    found.size, found.root = frontier.size, frontier.root()
    _compare_head(connection, frontier, found)
    _compare_inner_tiles(connection, frontier.size, found)
    for size in sorted(notes):
        if size > frontier.size:
            found.add(
                f"a checkpoint was signed at size {size}, but the log has only {frontier.size} entries", frontier.size
            )
    return found


def verify_head(connection: Connection, origin: str, keys: list[VerifierKey]) -> str | None:
    """Check the head without reading the entries: its own edge, and the latest checkpoint's signature.

    Args:
        connection: any transaction.
        origin: the log's origin.
        keys: the public keys that may have signed its checkpoints.

    Returns:
        None where nothing is wrong, else one sentence.

    """
    row = connection.execute(select(audit_head)).one_or_none()
    notes = audit_log.checkpoints(connection)
    if row is None or not notes:
        return "the audit log has no head or no signed checkpoint"
    try:
        frontier = Frontier.from_bytes(bytes(row.edge))
        checkpoint = open_note(notes[-1][1], keys)
    except LogError as error:
        return str(error)
    if frontier.size != row.size or frontier.root() != bytes(row.root):
        return "the head of the audit log does not fit its own edge"
    if checkpoint.origin != origin or checkpoint.size > row.size:
        return "the latest checkpoint speaks of another log or of entries that are gone"
    if checkpoint.size == row.size and checkpoint.root != frontier.root():
        return "the head of the audit log is not the one that was signed"
    return None


def _open_notes(connection: Connection, origin: str, keys: list[VerifierKey], found: Verification) -> dict[int, bytes]:
    roots: dict[int, bytes] = {}
    for size, note in audit_log.checkpoints(connection):
        try:
            checkpoint = open_note(note, keys)
        except LogError as error:
            found.add(f"the checkpoint at size {size} does not verify: {error}")
            continue
        if checkpoint.origin != origin or checkpoint.size != size:
            found.add(f"the checkpoint stored at size {size} speaks of another log or size")
            continue
        roots[size] = checkpoint.root
    if not roots and not found.problems:
        found.add("the log has no signed checkpoint")
    return roots


def _tiles_of_entries(connection: Connection, found: Verification) -> Iterator[tuple[int, list[str]]]:
    """Group entries by full tile; stop at the first gap, because nothing after it can be placed."""
    first, bodies = 0, list[str]()
    for seq, body in audit_log.stream(connection):
        if seq != first + len(bodies):
            found.add(f"entry {first + len(bodies)} is missing", first + len(bodies))
            break
        bodies.append(body)
        if len(bodies) == TILE_WIDTH:
            yield first, bodies
            first, bodies = first + TILE_WIDTH, []
    if bodies:
        yield first, bodies


def _compare_leaves(connection: Connection, first: int, hashes: list[bytes], found: Verification) -> None:
    kept = _tile(connection, 0, first // TILE_WIDTH)
    if kept is None:
        edge = connection.execute(select(audit_head.c.edge)).scalar()
        try:
            kept = Frontier.from_bytes(bytes(edge)).partial_tile(0) if edge is not None else b""
        except LogError:
            kept = b""
        if len(hashes) == TILE_WIDTH:
            found.add(f"the tile of entries {first} to {first + TILE_WIDTH - 1} is missing", first)
            return
    for offset, leaf in enumerate(hashes):
        if kept[offset * HASH_SIZE : (offset + 1) * HASH_SIZE] != leaf:
            found.add(f"entry {first + offset} is not the one that was appended", first + offset)


def _append_by_checkpoints(
    frontier: Frontier, hashes: list[bytes], notes: dict[int, bytes], found: Verification
) -> None:
    """Append a tile's leaves, stopping at every checkpoint's size to compare the roots."""
    done, start = 0, frontier.size
    for size in sorted(size for size in notes if start < size <= start + len(hashes)):
        frontier.append(hashes[done : size - start])
        done = size - start
        if frontier.root() != notes[size]:
            earlier = max((other for other in notes if other < size), default=0)
            found.add(
                f"the first {size} entries do not have the root of the checkpoint signed at that size; "
                f"the first {earlier} may be right",
                earlier,
            )
    frontier.append(hashes[done:])


def _compare_head(connection: Connection, frontier: Frontier, found: Verification) -> None:
    row = connection.execute(select(audit_head)).one_or_none()
    if row is None:
        found.add("the log has no head")
        return
    if row.size != frontier.size:
        found.add(f"the head says {row.size} entries, there are {frontier.size}", min(row.size, frontier.size))
    elif bytes(row.root) != frontier.root():
        found.add("the head's root is not the root of the entries")
    elif bytes(row.edge) != frontier.to_bytes():
        found.add("the head's edge is not the edge of the entries")


def _compare_inner_tiles(connection: Connection, size: int, found: Verification) -> None:
    """Compare the tiles above the leaves with the ones below them, and look for tiles that should not be there."""
    counts: dict[int, int] = {}
    for level, n in connection.execute(
        select(audit_tile.c.level, audit_tile.c.n).order_by(audit_tile.c.level, audit_tile.c.n)
    ):
        counts[level] = counts.get(level, 0) + 1
        if level > 0 and not _fits_below(connection, level, n):
            found.add(f"tile {n} of level {level} does not fit the tiles below it", n * TILE_WIDTH ** (level + 1))
    level, width = 0, TILE_WIDTH
    while size // width or counts.get(level):
        if counts.get(level, 0) != size // width:
            found.add(f"level {level} has {counts.get(level, 0)} full tiles, {size // width} belong there")
        level, width = level + 1, width * TILE_WIDTH


def _fits_below(connection: Connection, level: int, n: int) -> bool:
    data = _tile(connection, level, n) or b""
    if len(data) != TILE_WIDTH * HASH_SIZE:
        return False
    for offset in range(TILE_WIDTH):
        below = _tile(connection, level - 1, n * TILE_WIDTH + offset)
        if below is None or tile_root(below) != data[offset * HASH_SIZE : (offset + 1) * HASH_SIZE]:
            return False
    return True


def _tile(connection: Connection, level: int, n: int) -> bytes | None:
    query = select(audit_tile.c.data).where(audit_tile.c.level == level, audit_tile.c.n == n)
    data = connection.execute(query).scalar()
    return None if data is None else bytes(data)
