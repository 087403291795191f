"""Is the log worth going on with? Its two ends against its signed head, in a few milliseconds whatever its size.

What is looked at, and nothing else:

    head              its root and its size are those of its own right edge
    ends              the first entry has index 0, the last one the index below the size
    newest tile       every entry under the right edge hashes into it, so the last entry is there and is the one it was
    newest checkpoint its signature holds; the entries of its tile hash into the stored tile; the stored tiles give the
                      root that was signed, and lead from it to the head

So a tail that was cut off, an emptied log, a forged head and whatever was changed lately show before anything is added
to the log or said from it. An entry that was edited or removed further back does not: for that the whole log is read,
by verify.py, and by ``proven_entries`` for whoever gives the entries out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.audit import rotation, stored
from retention.audit.merkle import HASH_SIZE, TILE_WIDTH, Frontier, leaf_hashes, tile_root
from retention.audit.proof import verify_consistency
from retention.audit.prove import Prover
from retention.audit.tiles import DatabaseTiles
from retention.errors import BrokenLogError, LogError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from retention.audit.checkpoint import Checkpoint, VerifierKey

_WAY_OUT = (
    "Nothing goes on from such a log. See all that is wrong with: retention audit verify. Then put back the newest "
    "backup whose log verifies; where that is older than the anchors, go on with: retention audit new-epoch"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the log: one sentence, and the first entry that is known to be wrong, where one is."""

    problem: str
    index: int | None = None

    def refusal(self) -> BrokenLogError:
        """Say that nothing goes on, and the way out.

        Returns:
            The error to raise.

        """
        where = "" if self.index is None else f" from entry {self.index} on"
        return BrokenLogError(
            f"the audit log does not verify{where}: {self.problem}. {_WAY_OUT}", self.index, problem=self.problem
        )


def find_fault(connection: Connection, origin: str, keys: list[VerifierKey]) -> Fault | None:
    """Compare the log's ends with its signed head, without reading what lies between them.

    Args:
        connection: a transaction that sees one state of the database.
        origin: the log's origin.
        keys: the public keys that may have signed its checkpoints.

    Returns:
        The first thing that does not fit, or None. None does not say that the whole log verifies.

    """
    try:
        head = stored.head(connection)
        edge = Frontier.from_bytes(head.edge)
        if (edge.size, edge.root()) != (head.size, head.root):
            return Fault("the head of the audit log does not fit its own edge")
        return _ends(connection, head.size) or _tiles(connection, head, _newest(connection, head, origin, keys))
    except LogError as error:
        return Fault(str(error))


def _ends(connection: Connection, size: int) -> Fault | None:
    first, last = stored.ends(connection)
    if size and last is not None and first != 0:
        return Fault(f"the first entry has index {first} instead of 0", min(first or 0, 0))
    there = 0 if last is None else last + 1
    if there < size:
        return Fault(f"the head says {size} entries, but those from index {there} on are missing", there)
    if there > size:
        return Fault(f"the head says {size} entries, but there are others behind them, up to index {last}", size)
    return None


def _newest(connection: Connection, head: stored.StoredHead, origin: str, keys: list[VerifierKey]) -> Checkpoint:
    """Give the newest checkpoint, with its signature verified; raise where it speaks of something else."""
    latest = stored.latest_note(connection)
    if latest is None:
        msg = "the audit log has no signed checkpoint"
        raise LogError(msg)
    chain = rotation.introduced(connection)
    checkpoint = rotation.open_signed(latest, rotation.believe(keys, chain, [latest]), chain)
    expected = rotation.origin_at(chain, latest.size, origin)
    if (checkpoint.origin, checkpoint.size) != (expected, latest.size) or checkpoint.size > head.size:
        msg = "the newest checkpoint speaks of another log or of entries that are gone"
        raise LogError(msg)
    return checkpoint


def _tiles(connection: Connection, head: stored.StoredHead, checkpoint: Checkpoint) -> Fault | None:
    tiles = DatabaseTiles(connection)
    for n in sorted({(size - 1) // TILE_WIDTH for size in (checkpoint.size, head.size) if size}):
        fault = _entries_of(connection, tiles, n, head.size)
        if fault is not None:
            return fault
    prover = Prover(tiles, head.size)
    try:
        path = prover.consistency(checkpoint.size)
        verify_consistency(checkpoint.size, checkpoint.root, path, head.size, head.root)
    except LogError:
        return Fault(f"the audit log is not the one that was signed at {checkpoint.size} entries, or does not go on")
    return None


def _entries_of(connection: Connection, tiles: DatabaseTiles, n: int, size: int) -> Fault | None:
    """Compare the entries of one tile with the hashes that were kept of them."""
    first, end = n * TILE_WIDTH, min((n + 1) * TILE_WIDTH, size)
    there = dict(stored.entries_between(connection, first, end))
    kept = tiles.tile(0, n, end - first)
    made = dict(zip(there, leaf_hashes(there.values()), strict=True))
    for index in range(first, end):
        place = (index - first) * HASH_SIZE
        if made.get(index) != kept[place : place + HASH_SIZE]:
            return _unlike(index, missing=index not in there)
    if end - first == TILE_WIDTH and tiles.tile(1, n // TILE_WIDTH, n % TILE_WIDTH + 1)[-HASH_SIZE:] != tile_root(kept):
        return Fault(f"the hash kept over tile {n} of level 0 is not that tile's", first)
    return None


def proven_entries(connection: Connection, first: int = 0) -> Iterator[tuple[int, str]]:
    """Stream entries in order, each compared with the hash that was kept of it before it is given out.

    Args:
        connection: a transaction that sees one state of the database.
        first: index of the first entry, a multiple of 256; the root is compared too where it is 0.

    Yields:
        Pairs of index and body; at most ten tiles are in memory.

    Raises:
        BrokenLogError: an entry is missing, or is not the one that was hashed; those before it were given out.

    """
    head = stored.head(connection)
    edge, frontier, position = Frontier.from_bytes(head.edge), Frontier(), first
    for page in stored.entry_pages(connection, first):
        kept = stored.tiles(connection, 0, position // TILE_WIDTH, (position + len(page)) // TILE_WIDTH + 1)
        for start in range(0, len(page), TILE_WIDTH):
            bodies = page[start : start + TILE_WIDTH]
            n = position // TILE_WIDTH
            hashes = leaf_hashes(bodies)
            frontier.append(hashes)
            data = edge.partial_tile(0) if n == edge.size // TILE_WIDTH else kept.get(n, b"")
            good = _fitting(hashes, data)
            yield from enumerate((body.decode() for body in bodies[:good]), position)
            position += good
            if good < len(bodies):
                raise _unlike(position, missing=False).refusal()
    if position != head.size or stored.entry_outside(connection, position) is not None:
        raise _unlike(position, missing=position < head.size).refusal()
    if not first and frontier.root() != head.root:
        raise Fault("the root of the head is not the root of the entries").refusal()


def _fitting(hashes: Sequence[bytes], kept: bytes) -> int:
    """Count the hashes up to the first that is not the one that was kept."""
    if b"".join(hashes) == kept[: len(hashes) * HASH_SIZE]:
        return len(hashes)
    pairs = (kept[place * HASH_SIZE : (place + 1) * HASH_SIZE] == one for place, one in enumerate(hashes))
    return next(place for place, same in enumerate(pairs) if not same)


def _unlike(index: int, *, missing: bool) -> Fault:
    what = "is missing" if missing else "does not have the hash that was kept of it"
    return Fault(f"entry {index} {what}", index)
