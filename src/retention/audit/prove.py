"""Make proofs from tiles (RFC 9162 sections 2.1.3.1 and 2.1.4.1); what they show is checked in proof.py.

A proof takes at most two tiles of each level, so about a millisecond whatever the size of the log. The size is that of
a signed checkpoint: a proof to any other size proves nothing to anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.audit.merkle import EMPTY_ROOT, HASH_SIZE, TILE_WIDTH, node_hash

if TYPE_CHECKING:
    from retention.audit.tiles import TileReader

_LEVEL_BITS = 8


class Prover:
    """Makes proofs about the tree of one size. Keeps the tiles it has read: use one for a few proofs."""

    def __init__(self, reader: TileReader, size: int) -> None:
        """Remember where tiles come from and the size of the tree, taken from a signed checkpoint."""
        self._reader = reader
        self._size = size
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self, size: int | None = None) -> bytes:
        """Compute the root that the tree has, or had at a smaller size.

        Args:
            size: Number of leaves, at most that of the tree; None for the tree itself.

        Returns:
            32 bytes (RFC 6962 section 2.1).

        Raises:
            LogError: A tile is missing.

        """
        size = self._size if size is None else size
        return self._over(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int) -> list[bytes]:
        """Prove that an entry stands at its index (RFC 9162 section 2.1.3.1).

        Args:
            index: From 0, below the size.

        Returns:
            The hashes from the leaf's sibling upwards, 32 bytes each.

        Raises:
            LogError: A tile is missing.
            ValueError: There is no such index.

        """
        if not 0 <= index < self._size:
            msg = "there is no entry with this index in a tree of this size"
            raise ValueError(msg)
        path: list[bytes] = []
        low, high = 0, self._size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._over(middle, high))
                high = middle
            else:
                path.append(self._over(low, middle))
                low = middle
        return path[::-1]

    def consistency(self, first: int) -> list[bytes]:
        """Prove that the tree only grew since it had a smaller size (RFC 9162 section 2.1.4.1).

        Args:
            first: The smaller size, from 0 to the size.

        Returns:
            The hashes of the path, 32 bytes each; none where there is nothing to show.

        Raises:
            LogError: A tile is missing.
            ValueError: The tree is smaller than that.

        """
        if not 0 <= first <= self._size:
            msg = "a tree cannot be consistent with one that is larger"
            raise ValueError(msg)
        path: list[bytes] = []
        low, high = 0, self._size
        while first and first != high:
            middle = low + _split(high - low)
            if first <= middle:
                path.append(self._over(middle, high))
                high = middle
            else:
                path.append(self._over(low, middle))
                low = middle
        if low:
            path.append(self._over(low, high))
        return path[::-1]

    def _over(self, low: int, high: int) -> bytes:
        """Hash the entries from low to high, a range that the splitting of the tree leads to."""
        hashes: list[bytes] = []
        while low < high:
            height = (high - low).bit_length() - 1
            if low:
                height = min(height, (low & -low).bit_length() - 1)
            hashes.append(self._subtree(height, low >> height))
            low += 1 << height
        root = hashes.pop()
        while hashes:
            root = node_hash(hashes.pop(), root)
        return root

    def _subtree(self, height: int, n: int) -> bytes:
        """Hash the n-th whole subtree over 2**height leaves, out of the tile that holds the hashes below it."""
        level, rows = height // _LEVEL_BITS, 1 << height % _LEVEL_BITS
        tile, place = divmod(n * rows, TILE_WIDTH)
        data = self._tile(level, tile)[place * HASH_SIZE : (place + rows) * HASH_SIZE]
        nodes = [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)]
        while len(nodes) > 1:
            nodes = [node_hash(*pair) for pair in zip(nodes[::2], nodes[1::2], strict=True)]
        return nodes[0]

    def _tile(self, level: int, n: int) -> bytes:
        data = self._tiles.get((level, n))
        if data is None:
            width = min(TILE_WIDTH, (self._size >> _LEVEL_BITS * level) - n * TILE_WIDTH)
            data = self._tiles[level, n] = self._reader.tile(level, n, width)
        return data


def _split(size: int) -> int:
    """Give the largest power of two below a size of at least 2."""
    return 1 << (size - 1).bit_length() - 1
