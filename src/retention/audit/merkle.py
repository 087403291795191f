"""The Merkle tree of RFC 6962 section 2.1, kept as its right edge.

    leaf hash = SHA-256(0x00 || entry)     node hash = SHA-256(0x01 || left || right)     empty tree = SHA-256("")

The different first bytes keep an inner node from being passed off as an entry (second pre-image).

Tiles follow C2SP tlog-tiles with height 8: tile n of level L holds 256 hashes of 32 bytes, each the root over 256**L
leaves, and a full tile adds its own root to level L+1. A log therefore needs only its size and the partial tile of each
level (below 8 KiB a level) to go on appending, and never has to read an entry again.

Speed: a hash object that already holds the prefix is copied for each hash. That is faster than joining prefix and data,
and with it hashlib is at least as fast as CPython's built-in SHA-256, on processors with SHA instructions and without.
"""

from __future__ import annotations

from hashlib import sha256
from struct import unpack_from
from typing import TYPE_CHECKING, NamedTuple

from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterable

HASH_SIZE = 32
TILE_WIDTH = 256
TILE_BYTES = TILE_WIDTH * HASH_SIZE
EMPTY_ROOT = sha256(b"").digest()

_LEVEL_BITS = 8
_SIZE_BYTES = 8
_MAX_SIZE = 2**63 - 1  # what a signed 64-bit column holds
_LEAF = sha256(b"\x00")
_NODE = sha256(b"\x01")
_PAIR = f"{2 * HASH_SIZE}s"


class FullTile(NamedTuple):
    """A tile that will never change again: ``data`` is 256 hashes, 8192 bytes."""

    level: int
    n: int
    data: bytes


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry (RFC 6962 section 2.1).

    Args:
        entry: The canonical bytes of the entry.

    Returns:
        32 bytes.

    """
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Hash many entries (RFC 6962 section 2.1).

    Args:
        entries: The canonical bytes of each entry, in order of index.

    Returns:
        32 bytes for each, in the same order.

    """
    copy = _LEAF.copy
    hashes: list[bytes] = []
    append = hashes.append
    for entry in entries:
        digest = copy()
        digest.update(entry)
        append(digest.digest())
    return hashes


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours into their parent (RFC 6962 section 2.1).

    Args:
        left: 32 bytes.
        right: 32 bytes.

    Returns:
        32 bytes.

    """
    return sha256(b"\x01" + left + right).digest()


def tile_root(data: bytes) -> bytes:
    """Compute what a full tile adds to the level above (C2SP tlog-tiles, "Merkle Tree").

    Args:
        data: 256 hashes, 8192 bytes.

    Returns:
        32 bytes.

    Raises:
        ValueError: the tile is not full.

    """
    if len(data) != TILE_BYTES:
        msg = f"a full tile must have {TILE_BYTES} bytes"
        raise ValueError(msg)
    return _root_over(data)


def _root_over(nodes: bytes) -> bytes:
    """Fold whole subtrees of one height, side by side, into the root over them.

    Joining neighbours and carrying an odd last one up unchanged gives the split at the largest power of two that
    RFC 6962 defines. The last node may stand for a smaller subtree.
    """
    copy = _NODE.copy
    while len(nodes) > HASH_SIZE:
        parents: list[bytes] = []
        append = parents.append
        pairs = len(nodes) // (2 * HASH_SIZE)
        for pair in unpack_from(_PAIR * pairs, nodes):  # faster than slicing
            digest = copy()
            digest.update(pair)
            append(digest.digest())
        append(nodes[pairs * 2 * HASH_SIZE :])
        nodes = b"".join(parents)
    return nodes


class Frontier:
    """The right edge of the tree: all that is needed to append, and to know the root.

    It is stored in the transaction of the entries it covers; after a rollback, read it again.
    """

    def __init__(self) -> None:
        """Start with the empty tree."""
        self._size = 0
        self._partials: list[bytes] = []

    @property
    def size(self) -> int:
        """Give the number of leaves."""
        return self._size

    def append(self, leaf_hashes: list[bytes]) -> list[FullTile]:
        """Add leaves at the right and hand out the tiles they fill (C2SP tlog-tiles, "Merkle Tree").

        Args:
            leaf_hashes: 32 bytes each, in order of index.

        Returns:
            Every tile that became full, by level, then by n. Each tile is handed out once in the life of a log.

        Raises:
            ValueError: a hash has another length; nothing was added.

        """
        if not set(map(len, leaf_hashes)) <= {HASH_SIZE}:
            msg = f"a leaf hash must have {HASH_SIZE} bytes"
            raise ValueError(msg)
        full: list[FullTile] = []
        rising, level = b"".join(leaf_hashes), 0
        while rising:
            first = self._size >> _LEVEL_BITS * (level + 1)
            tiles = self._fill(level, first, rising)
            rising = b"".join([_root_over(tile.data) for tile in tiles])
            full += tiles
            level += 1
        self._size += len(leaf_hashes)
        return full

    def _fill(self, level: int, first: int, hashes: bytes) -> list[FullTile]:
        if level == len(self._partials):
            self._partials.append(b"")
        data = self._partials[level] + hashes
        whole = len(data) // TILE_BYTES * TILE_BYTES
        self._partials[level] = data[whole:]
        return [
            FullTile(level, first + n, data[start : start + TILE_BYTES])
            for n, start in enumerate(range(0, whole, TILE_BYTES))
        ]

    def root(self) -> bytes:
        """Compute the root over all leaves so far (RFC 6962 section 2.1).

        Returns:
            32 bytes; EMPTY_ROOT for the empty tree.

        """
        if self._size == 0:
            return EMPTY_ROOT
        remainder = b""
        for partial in self._partials:
            remainder = _root_over(partial + remainder)
        return remainder

    def partial_tile(self, level: int) -> bytes:
        """Give the tile of a level that is begun and not full (C2SP tlog-tiles, "Partial Tiles").

        Args:
            level: The level, from 0.

        Returns:
            0 to 255 hashes of 32 bytes. The index of the tile is ``size >> 8 * (level + 1)``.

        """
        return self._partials[level] if level < len(self._partials) else b""

    def to_bytes(self) -> bytes:
        """Spell the frontier in the one way that from_bytes() accepts.

        Returns:
            The size as 8 bytes, big-endian, then the partial tiles from level 0 upwards. The size alone tells how wide
            each of them is.

        """
        return self._size.to_bytes(_SIZE_BYTES, "big") + b"".join(self._partials)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """Read a frontier back.

        Args:
            data: What to_bytes() gave.

        Returns:
            An equal frontier. Whether its root is the one that was signed is the caller's to check.

        Raises:
            LogError: the length does not fit the size it states.

        """
        size = int.from_bytes(data[:_SIZE_BYTES], "big")
        widths = _partial_widths(size)
        expected = _SIZE_BYTES + sum(widths) * HASH_SIZE
        if len(data) != expected or size > _MAX_SIZE:
            msg = (
                f"the stored right edge of the log is damaged: {len(data)} bytes where its size asks for {expected};"
                " restore the database from before the damage, the log cannot be continued from here"
            )
            raise LogError(msg)
        frontier = cls()
        frontier._size = size
        start = _SIZE_BYTES
        for width in widths:
            end = start + width * HASH_SIZE
            frontier._partials.append(data[start:end])
            start = end
        return frontier


def _partial_widths(size: int) -> list[int]:
    """Tell how many hashes the partial tile of each level holds, from level 0 up to the last level that has any."""
    return [size >> shift & (TILE_WIDTH - 1) for shift in range(0, size.bit_length(), _LEVEL_BITS)]
