"""The tree is that of RFC 6962, its tiles are those of tlog-tiles, however the leaves arrive."""

from __future__ import annotations

import hashlib
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.audit.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    TILE_WIDTH,
    Frontier,
    FullTile,
    leaf_hash,
    leaf_hashes,
    node_hash,
    tile_root,
)
from retention.errors import LogError
from tests.depth import tries

if TYPE_CHECKING:
    from collections.abc import Callable

# The tree that Certificate Transparency implementations test themselves with.
KNOWN_ENTRIES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    bytes(range(0x50, 0x58)),
    bytes(range(0x60, 0x70)),
]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MOST = 70_000
LEAVES = leaf_hashes(n.to_bytes(4, "big") for n in range(MOST))


def by_definition(leaves: list[bytes]) -> bytes:
    """Say the root in the words of RFC 6962 section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


@cache
def subtree(level: int, n: int) -> bytes:
    width = TILE_WIDTH**level
    return by_definition(LEAVES[n * width : (n + 1) * width])


def tiles_from_scratch(size: int) -> tuple[list[FullTile], list[bytes]]:
    """Build every full tile and the partial tile of every level from the leaves, in the words of tlog-tiles."""
    full, partial, level = [], [], 0
    while size // TILE_WIDTH**level:
        hashes = [subtree(level, n) for n in range(size // TILE_WIDTH**level)]
        tiles = [b"".join(hashes[n : n + TILE_WIDTH]) for n in range(0, len(hashes), TILE_WIDTH)]
        partial.append(tiles.pop() if len(hashes) % TILE_WIDTH else b"")
        full += [FullTile(level, n, tile) for n, tile in enumerate(tiles)]
        level += 1
    return full, partial


def frontier_of(size: int) -> Frontier:
    frontier = Frontier()
    frontier.append(LEAVES[:size])
    return frontier


@pytest.mark.parametrize("size", range(len(KNOWN_ROOTS)))
def test_root_is_the_known_one(size: int) -> None:
    frontier = Frontier()
    frontier.append(leaf_hashes(KNOWN_ENTRIES[:size]))
    assert frontier.root().hex() == KNOWN_ROOTS[size]
    assert by_definition([leaf_hash(entry) for entry in KNOWN_ENTRIES[:size]]).hex() == KNOWN_ROOTS[size]


def test_hashes_begin_with_zero_for_a_leaf_and_one_for_a_node() -> None:
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    assert left == hashlib.sha256(b"\0left").digest()
    assert node_hash(left, right) == hashlib.sha256(b"\x01" + left + right).digest()
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hashes([b"left", b"right"]) == [left, right]
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT


def test_root_is_that_of_the_definition_at_every_size_up_to_600() -> None:
    frontier = Frontier()
    for size in range(601):
        assert frontier.size == size
        assert frontier.root() == by_definition(LEAVES[:size])
        frontier.append(LEAVES[size : size + 1])


@given(st.lists(st.integers(0, MOST), max_size=6).map(lambda cuts: sorted({0, *cuts})))
@settings(max_examples=tries(25))
def test_tiles_and_root_do_not_depend_on_how_the_leaves_are_cut_into_batches(cuts: list[int]) -> None:
    frontier = Frontier()
    tiles: list[FullTile] = []
    for start, end in pairwise(cuts):
        tiles += frontier.append(LEAVES[start:end])
    full, partial = tiles_from_scratch(cuts[-1])
    assert frontier.size == cuts[-1]
    assert sorted(tiles) == full
    assert [frontier.partial_tile(level) for level in range(len(partial) + 1)] == [*partial, b""]
    assert frontier.to_bytes() == cuts[-1].to_bytes(8, "big") + b"".join(partial)
    assert frontier.root() == by_definition(LEAVES[: cuts[-1]])


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, MOST])
def test_sizes_around_a_full_tile_keep_the_definition(size: int) -> None:
    frontier = Frontier()
    tiles = frontier.append(LEAVES[:size])
    full, partial = tiles_from_scratch(size)
    assert (tiles, frontier.root()) == (full, by_definition(LEAVES[:size]))
    assert frontier.to_bytes() == size.to_bytes(8, "big") + b"".join(partial)


def test_log_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    frontier = Frontier()
    tiles = frontier.append(LEAVES)
    assert [sum(tile.level == level for tile in tiles) for level in range(3)] == [273, 1, 0]
    assert [len(frontier.partial_tile(level)) // HASH_SIZE for level in range(4)] == [112, 17, 1, 0]
    assert {len(tile.data) for tile in tiles} == {8192}


def test_tile_root_is_what_stands_in_the_level_above() -> None:
    frontier = Frontier()
    tiles = frontier.append(LEAVES[:512])
    assert frontier.partial_tile(1) == b"".join(tile_root(tile.data) for tile in tiles)


@pytest.mark.parametrize("length", [0, 32, 8160, 8224])
def test_tile_root_of_a_tile_that_is_not_full_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="8192"):
        tile_root(bytes(length))


@given(st.integers(0, MOST), st.integers(0, MOST))
@settings(max_examples=tries(25))
def test_frontier_read_back_goes_on_as_if_it_had_never_been_away(one: int, other: int) -> None:
    size, later = sorted((one, other))
    frontier = frontier_of(size)
    copy = Frontier.from_bytes(frontier.to_bytes())
    assert (copy.size, copy.root()) == (size, frontier.root())
    assert copy.append(LEAVES[size:later]) == frontier.append(LEAVES[size:later])
    assert copy.to_bytes() == frontier.to_bytes()
    assert copy.root() == by_definition(LEAVES[:later])


def test_empty_frontier_is_eight_zero_bytes() -> None:
    assert Frontier().to_bytes() == bytes(8)
    assert Frontier.from_bytes(bytes(8)).root() == EMPTY_ROOT
    assert Frontier().append([]) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:-32],
        lambda data: data + bytes(32),
        lambda data: data[:0],
        lambda data: data[:7],
        lambda data: (299).to_bytes(8, "big") + data[8:],
        lambda data: b"\xff" * 8 + data[8:],
    ],
)
def test_damaged_frontier_is_refused(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(LogError, match="right edge of the log is damaged"):
        Frontier.from_bytes(damage(frontier_of(300).to_bytes()))


def test_frontier_beyond_what_the_database_can_count_is_refused() -> None:
    with pytest.raises(LogError, match="damaged"):
        Frontier.from_bytes((2**63).to_bytes(8, "big") + bytes(128 * 32))


@pytest.mark.parametrize("bad", [[b""], [bytes(31), bytes(33)], [bytes(32), bytes(64)]])
def test_hash_of_another_length_is_refused_and_nothing_is_added(bad: list[bytes]) -> None:
    frontier = frontier_of(300)
    before = frontier.to_bytes()
    with pytest.raises(ValueError, match="32 bytes"):
        frontier.append(bad)
    assert frontier.to_bytes() == before


def test_state_stays_small_however_long_the_log() -> None:
    assert len(frontier_of(MOST).to_bytes()) < 3 * 8192
