"""Tiles of the log at any size up to its head, read from the database or from an exported bundle.

C2SP tlog-tiles with height 8: tile n of level L holds up to 256 hashes, each the root over 256**L entries. A tile that
is begun is partial; a narrower partial tile is a prefix of a wider one: whoever has the wider has every size before it.
In a bundle a tile is a file named tile/<L>/<N>, a partial one tile/<L>/<N>.p/<W>; <N> is written in groups of three
digits, all but the last with an x in front. The entries themselves stand in tile/entries/<N>, each after its length as
two bytes, big-endian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from retention.audit import stored
from retention.audit.canonical import MAX_ENTRY_BYTES
from retention.audit.merkle import HASH_SIZE, TILE_WIDTH, Frontier
from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

ENTRIES = "entries"

_LENGTH_BYTES = 2


class TileReader(Protocol):
    """Where tiles come from."""

    def tile(self, level: int, n: int, width: int) -> bytes:
        """Read the first hashes of a tile.

        Args:
            level: The level, from 0.
            n: The tile's number in its level.
            width: How many hashes, 1 to 256.

        Returns:
            ``width`` hashes of 32 bytes.

        Raises:
            LogError: They are not there.

        """
        ...  # pragma: no cover  # a contract has no body


class DatabaseTiles:
    """Tiles as they stand in the database: full ones in their table, begun ones in the edge of the head."""

    def __init__(self, connection: Connection) -> None:
        """Read the head; raises LogError where it is missing or damaged."""
        self._connection = connection
        self._edge = Frontier.from_bytes(stored.head(connection).edge)

    def tile(self, level: int, n: int, width: int) -> bytes:
        """Read the first hashes of a tile (C2SP tlog-tiles, "Partial Tiles").

        Args:
            level: The level, from 0.
            n: The tile's number in its level.
            width: How many hashes, 1 to 256.

        Returns:
            ``width`` hashes of 32 bytes.

        Raises:
            LogError: They are not there.

        """
        begun = self._edge.size // TILE_WIDTH ** (level + 1) == n
        data = self._edge.partial_tile(level) if begun else stored.tile(self._connection, level, n)
        return _first_hashes(data, level, n, width)


class FolderTiles:
    """Tiles in a folder in the layout of C2SP tlog-tiles."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder."""
        self._folder = folder

    def tile(self, level: int, n: int, width: int) -> bytes:
        """Read the first hashes of a tile: from the full one, else from the narrowest partial one that has them.

        Args:
            level: The level, from 0.
            n: The tile's number in its level.
            width: How many hashes, 1 to 256.

        Returns:
            ``width`` hashes of 32 bytes.

        Raises:
            LogError: They are not there.

        """
        full = self._folder / tile_path(level, n)
        widths = (int(file.name) for file in full.with_name(f"{full.name}.p").glob("*") if file.name.isdecimal())
        wide = sorted(one for one in widths if width <= one < TILE_WIDTH)
        for path in (full, *(self._folder / tile_path(level, n, one) for one in wide)):
            try:
                return _first_hashes(path.read_bytes(), level, n, width)
            except OSError:
                continue
        return _first_hashes(b"", level, n, width)


def _first_hashes(data: bytes, level: int, n: int, width: int) -> bytes:
    wanted = data[: width * HASH_SIZE]
    if len(wanted) != width * HASH_SIZE:
        msg = f"tile {n} of level {level} is missing or too short, so nothing can be proven with it"
        raise LogError(msg)
    return wanted


def tile_path(level: int | str, n: int, width: int | None = None) -> str:
    """Name the file of a tile (C2SP tlog-tiles, "Merkle Tree").

    Args:
        level: The level, from 0, or ENTRIES for the entries themselves.
        n: The tile's number in its level.
        width: How many hashes a partial tile holds, 1 to 255; None for a full one.

    Returns:
        The path below the bundle, such as ``tile/0/x001/234.p/7``.

    """
    groups = [f"{n % 1000:03d}"]
    while n := n // 1000:
        groups.append(f"x{n % 1000:03d}")
    path = f"tile/{level}/{'/'.join(reversed(groups))}"
    return path if width is None else f"{path}.p/{width}"


def tiles_of(size: int, since: int = 0) -> Iterator[tuple[int, int, int]]:
    """Name every tile of a tree that a smaller tree did not have in full (C2SP tlog-tiles, "Partial Tiles").

    Args:
        size: Number of leaves.
        since: Number of leaves of the smaller tree.

    Yields:
        Level, number and width of each tile, by level, then by number. The width is 256 for all but the last ones.

    """
    level, hashes, before = 0, size, since
    while hashes:
        for n in range(before // TILE_WIDTH, hashes // TILE_WIDTH):
            yield level, n, TILE_WIDTH
        if width := hashes % TILE_WIDTH:
            yield level, hashes // TILE_WIDTH, width
        level, hashes, before = level + 1, hashes // TILE_WIDTH, before // TILE_WIDTH


def entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Spell the entries of one tile (C2SP tlog-tiles, "Log entries").

    Args:
        entries: The canonical bytes of up to 256 entries, in order of index.

    Returns:
        Each entry after its length in two bytes, big-endian.

    Raises:
        LogError: An entry is longer than two bytes can say.

    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            msg = f"the log holds an entry of more than {MAX_ENTRY_BYTES} bytes; look with: retention audit verify"
            raise LogError(msg)
        parts += (len(entry).to_bytes(_LENGTH_BYTES, "big"), entry)
    return b"".join(parts)
