"""Tiles are named as the format says, and the database and a bundle hold the same ones at every size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aics_tlog.tiles import entry_bundle_path, parse_entry_bundle
from aics_tlog.tiles import tile_path as their_tile_path
from hypothesis import given
from hypothesis import strategies as st

from retention.audit.tiles import ENTRIES, DatabaseTiles, FolderTiles, entry_bundle, tile_path, tiles_of
from retention.errors import LogError
from tests.bundle_kit import Log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    log = Log.found(tmp_path_factory.mktemp("log") / "log.db").purge(150, 150, 250)
    yield log
    log.database.close()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ((0, 0), "tile/0/000"),
        ((0, 999), "tile/0/999"),
        ((0, 1000), "tile/0/x001/000"),
        ((3, 1234067), "tile/3/x001/x234/067"),
        ((1, 273, 112), "tile/1/273.p/112"),
        ((ENTRIES, 1234067, 1), "tile/entries/x001/x234/067.p/1"),
    ],
)
def test_a_tile_has_the_path_that_the_format_gives_it(name: tuple[int | str, int], path: str) -> None:
    assert tile_path(*name) == path


@given(level=st.integers(0, 7), n=st.integers(0, 10**10), width=st.none() | st.integers(1, 255))
def test_paths_are_those_of_a_reader_written_elsewhere(level: int, n: int, width: int | None) -> None:
    assert tile_path(level, n, width) == their_tile_path(level, n, width)
    assert tile_path(ENTRIES, n, width) == entry_bundle_path(n, width)


def test_the_tree_of_70000_entries_has_the_tiles_that_the_format_lists() -> None:
    tiles = list(tiles_of(70_000))
    assert len([one for one in tiles if one[0] == 0 and one[2] == 256]) == 273
    assert [one for one in tiles if one[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert (1, 0, 256) in tiles
    assert list(tiles_of(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(size=st.integers(0, 70_000), since=st.integers(0, 70_000))
def test_a_later_export_names_the_tiles_that_were_not_full_before(size: int, since: int) -> None:
    since = min(size, since)
    before = {one for one in tiles_of(since) if one[2] == 256}
    assert set(tiles_of(size, since)) == set(tiles_of(size)) - before


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=20))
def test_entries_are_read_back_by_a_reader_written_elsewhere(entries: list[bytes]) -> None:
    assert parse_entry_bundle(entry_bundle(entries)) == entries


def test_an_entry_that_two_bytes_cannot_measure_is_refused() -> None:
    with pytest.raises(LogError, match="more than 65535 bytes"):
        entry_bundle([b"x" * 65_536])


def test_a_bundle_holds_what_the_database_holds_at_every_width(log: Log, tmp_path: Path) -> None:
    log.export(tmp_path / "bundle")
    folder, size = FolderTiles(tmp_path / "bundle"), log.size
    with log.database.read() as connection:
        database = DatabaseTiles(connection)
        for level, n, most in tiles_of(size):
            for width in {1, most // 2 or 1, most}:
                assert folder.tile(level, n, width) == database.tile(level, n, width)
                assert len(folder.tile(level, n, width)) == 32 * width


def test_tiles_beyond_the_log_are_refused(log: Log, tmp_path: Path) -> None:
    log.export(tmp_path / "bundle")
    with log.database.read() as connection:
        for reader in (DatabaseTiles(connection), FolderTiles(tmp_path / "bundle")):
            for level, n, width in [(0, 2, 43), (0, 3, 1), (1, 0, 3), (2, 0, 1)]:
                with pytest.raises(LogError, match=f"tile {n} of level {level} is missing or too short"):
                    reader.tile(level, n, width)


def test_a_lost_full_tile_is_not_made_up_for_by_a_narrow_one(log: Log, tmp_path: Path) -> None:
    log.export(tmp_path / "bundle")
    (tmp_path / "bundle/tile/0/000").rename(tmp_path / "bundle/tile/0/lost")
    with pytest.raises(LogError, match="missing"):
        FolderTiles(tmp_path / "bundle").tile(0, 0, 256)
