"""Compare the tree that the entries make, tile by tile, with the tiles, the head and the checkpoints in the database.

A hash that differs at level 0 names its entry. A hash that differs above it follows from that, unless the tile below
still leads to what is kept: only then is it reported, with the first entry under it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.audit import stored
from retention.audit.merkle import HASH_SIZE, TILE_BYTES, TILE_WIDTH, Frontier, tile_root
from retention.audit.signed import Checkpoints
from retention.errors import LogError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.audit.checkpoint import VerifierKey
    from retention.audit.merkle import FullTile
    from retention.audit.signed import Report


_LIMIT = 100


class Walk:
    """One walk over the leaves, from the first to the last; what does not fit is reported as it is met."""

    def __init__(self, connection: Connection, origin: str, keys: list[VerifierKey], report: Report) -> None:
        """Start before the first leaf."""
        self._connection = connection
        self._report = report
        self._checkpoints = Checkpoints(connection, origin, keys, report)
        self._frontier = Frontier()
        self._as_kept: Frontier | None = None  # the tree of the kept hashes, from where an entry differs from its own
        self._first_unlike: int | None = None
        self._unlike_above: list[tuple[int, int]] = []  # level and number of tiles that the hash over them does not fit
        self._leaf_tiles: dict[int, bytes] = {}
        self._missing_tiles = 0
        self._head: stored.StoredHead | None = None
        self._edge = Frontier()
        try:
            self._head = stored.head(connection)
            self._edge = Frontier.from_bytes(self._head.edge)
        except LogError as error:
            report(str(error), None)

    @property
    def size(self) -> int:
        """The number of leaves so far."""
        return self._frontier.size

    def root(self) -> bytes:
        """Give the root over the leaves so far."""
        return self._frontier.root()

    def turn_page(self, count: int) -> None:
        """Read the stored tiles of the next leaves.

        Args:
            count: how many leaves will be appended before the next page.

        """
        first, last = self.size // TILE_WIDTH, (self.size + count) // TILE_WIDTH
        self._leaf_tiles = stored.tiles(self._connection, 0, first, last + 1)

    def append(self, hashes: list[bytes]) -> None:
        """Append the leaves of one tile, comparing them with it, and the root with every checkpoint among them.

        Args:
            hashes: 32 bytes each, in order of index; fewer than a tile holds at the end of the log only.

        """
        start, done = self.size, 0
        kept = self._compare_leaves(start // TILE_WIDTH, hashes)
        while (size := self._checkpoints.next_size) <= start + len(hashes):
            self._grow(hashes[done : size - start], kept[done : size - start])
            self._checkpoints.compare(self.root(), self._as_kept.root() if self._as_kept else None)
            done = size - start
        self._grow(hashes[done:], kept[done:])

    def end(self) -> None:
        """Compare what is left once the last leaf was appended: edge, head, later checkpoints, what does not belong."""
        whole = self._nothing_outside()
        self._compare_edge()
        if whole and self._head is not None:
            self._compare_head(self._head)
        self._checkpoints.end(self.size)
        self._report_above()
        proven = self._checkpoints.fitting
        if self._first_unlike is not None and self._first_unlike < proven:
            self._report(
                f"the first {proven} entries have the root that was signed, "
                "so among them the kept hashes were changed and not the entries",
                None,
            )

    def _grow(self, made: list[bytes], kept: list[bytes]) -> None:
        for tile in self._frontier.append(made):
            if tile.level:
                self._compare_full(tile)
        if self._as_kept is not None:
            self._as_kept.append(kept)

    def _compare_leaves(self, n: int, hashes: list[bytes]) -> list[bytes]:
        """Compare the leaves of a tile with what was kept of them; give them as they were kept."""
        made = b"".join(hashes)
        kept = self._leaf_tiles.get(n, b"")
        if kept == made:
            return hashes
        if len(hashes) == TILE_WIDTH:
            self._check_length(0, n, kept)
        elif self._edge.size // TILE_WIDTH == n:
            kept = self._edge.partial_tile(0)
        self._compare_hashes(0, n, made, kept)
        if self._first_unlike is not None and self._as_kept is None:
            self._as_kept = Frontier.from_bytes(self._frontier.to_bytes())
        whole = len(kept) // HASH_SIZE * HASH_SIZE
        known = [kept[start : start + HASH_SIZE] for start in range(0, min(whole, len(made)), HASH_SIZE)]
        return known + hashes[len(known) :]

    def _compare_full(self, tile: FullTile) -> None:
        kept = stored.tile(self._connection, tile.level, tile.n)
        if kept != tile.data:
            self._check_length(tile.level, tile.n, kept)
            self._compare_hashes(tile.level, tile.n, tile.data, kept)

    def _compare_edge(self) -> None:
        """Compare the tiles above the leaves that are begun, as far as the edge is the one of this place."""
        level, n = 1, self.size // TILE_WIDTH**2
        while self.size // TILE_WIDTH**level:
            if self._edge.size // TILE_WIDTH ** (level + 1) == n:
                self._compare_hashes(level, n, self._frontier.partial_tile(level), self._edge.partial_tile(level))
            level, n = level + 1, n // TILE_WIDTH

    def _check_length(self, level: int, n: int, kept: bytes) -> None:
        if len(kept) == TILE_BYTES:
            return
        self._missing_tiles += not kept
        first = n * TILE_WIDTH ** (level + 1)
        problem = f"has {len(kept)} bytes instead of {TILE_BYTES}" if kept else "is missing"
        self._report(f"tile {n} of level {level}, over the entries from {first} on, {problem}", first)

    def _compare_hashes(self, level: int, n: int, made: bytes, kept: bytes) -> None:
        for place, start in enumerate(range(0, min(len(made), len(kept)), HASH_SIZE), n * TILE_WIDTH):
            one = kept[start : start + HASH_SIZE]
            if one == made[start : start + HASH_SIZE]:
                continue
            if level == 0:
                self._unlike(place)
                self._report(f"entry {place} does not have the hash that was kept of it", place)
            elif len(self._unlike_above) < _LIMIT and not self._follows(level - 1, place, one):
                self._unlike_above.append((level - 1, place))

    def _unlike(self, index: int) -> None:
        if self._first_unlike is None or index < self._first_unlike:
            self._first_unlike = index

    def _report_above(self) -> None:
        """Report hashes over tiles last: by now it is known which entries under them are proven by a checkpoint."""
        proven = self._checkpoints.fitting
        for level, n in self._unlike_above:
            first, width = n * TILE_WIDTH ** (level + 1), TILE_WIDTH ** (level + 1)
            index = first if proven >= first + width else max(first, proven)
            self._unlike(index)
            self._report(f"the hash kept over tile {n} of level {level} is not that tile's", index)

    def _follows(self, level: int, n: int, root: bytes) -> bool:
        """Tell whether a kept hash differs only because of what was reported about the tile below it."""
        below = stored.tile(self._connection, level, n)
        return len(below) != TILE_BYTES or tile_root(below) == root

    def _nothing_outside(self) -> bool:
        stranger = stored.entry_outside(self._connection, self.size)
        if stranger is None:
            return True
        if stranger < 0:
            self._report(f"an entry stands before the first one, at index {stranger}", stranger)
            return True
        self._report(f"entry {self.size} is missing; those after it were not checked", self.size)
        return False

    def _compare_head(self, head: stored.StoredHead) -> None:
        if head.size != self.size:
            self._report(f"the head says {head.size} entries, there are {self.size}", max(0, min(head.size, self.size)))
            return
        if head.root != self.root():
            self._report("the head's root is not the root of the entries", None)
        if self._edge.size != self.size:
            self._report("the head's edge is not the edge of its size", None)
        self._count_tiles()

    def _count_tiles(self) -> None:
        belong, width = -self._missing_tiles, TILE_WIDTH
        while self.size // width:
            belong += self.size // width
            width *= TILE_WIDTH
        strangers = stored.count_tiles(self._connection) - belong
        if strangers:
            self._report(f"there are {strangers} tiles that do not belong to this log", None)
