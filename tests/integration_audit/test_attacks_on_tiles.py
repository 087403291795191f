"""Whoever edits the kept hashes by SQL is found out; whoever makes them anew as well meets the signed checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.audit.merkle import HASH_SIZE, TILE_BYTES, leaf_hash
from tests.integration_audit.trail import heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration_audit.trail import Attacker, Trail

TILE = "SELECT data FROM audit_tile WHERE level = :level AND n = :n"
WRITE = "UPDATE audit_tile SET data = :data WHERE level = :level AND n = :n"
EDIT = "UPDATE audit_entry SET body = :body WHERE seq = :seq"
PROVEN = "so among them the kept hashes were changed and not the entries"


@pytest.fixture
def digger(deep_trail: Trail) -> Iterator[Attacker]:
    """Give somebody who may write to the database of the log of 70,001 entries."""
    with deep_trail.attacked() as somebody:
        yield somebody


def forge(attacker: Attacker, seq: int) -> None:
    """Edit an entry and put its hash into its tile."""
    attacker.sql(EDIT, body=heartbeat(4).decode(), seq=seq)
    tile = attacker.one(TILE, level=0, n=seq // 256)
    assert isinstance(tile, bytes)
    place = seq % 256 * HASH_SIZE
    data = tile[:place] + leaf_hash(heartbeat(4)) + tile[place + HASH_SIZE :]
    attacker.sql(WRITE, data=data, level=0, n=seq // 256)


@pytest.mark.parametrize("index", [0, 5, 255, 256, 511])
def test_edited_hash_is_named_and_the_entry_cleared(attacker: Attacker, index: int) -> None:
    data = attacker.flip(TILE, index % 256 * HASH_SIZE + 31, level=0, n=index // 256)
    attacker.sql(WRITE, data=data, level=0, n=index // 256)
    found = attacker.caught(index, f"entry {index} does not have the hash that was kept of it")
    assert found.problems[-1] == f"the first 701 entries have the root that was signed, {PROVEN}"


@pytest.mark.parametrize("n", [0, 1])
def test_removed_tile_is_named(attacker: Attacker, n: int) -> None:
    attacker.sql("DELETE FROM audit_tile WHERE n = :n", n=n)
    attacker.caught(256 * n, f"tile {n} of level 0, over the entries from {256 * n} on, is missing")


def test_all_tiles_removed_are_all_missed(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_tile")
    found = attacker.caught(0, "tile 0 of level 0, over the entries from 0 on, is missing")
    assert len(found.problems) == 2


@pytest.mark.parametrize(("level", "n"), [(0, 2), (0, 9), (0, -1), (0, 2**40), (1, 0), (-1, 0), (7, 0), (2**31 - 1, 0)])
def test_tile_that_does_not_belong_there_is_counted(attacker: Attacker, level: int, n: int) -> None:
    insert = "INSERT INTO audit_tile (level, n, data) VALUES (:level, :n, :data)"
    attacker.sql(insert, level=level, n=n, data=bytes(TILE_BYTES))
    attacker.caught(None, "there are 1 tiles that do not belong to this log")


def test_tile_moved_elsewhere_is_missed_and_counted(attacker: Attacker) -> None:
    attacker.sql("UPDATE audit_tile SET n = 5 WHERE n = 1")
    found = attacker.caught(256, "tile 1 of level 0, over the entries from 256 on, is missing")
    assert "there are 1 tiles that do not belong to this log" in found.problems


@pytest.mark.parametrize("length", [1, HASH_SIZE, TILE_BYTES - 1, TILE_BYTES + 1, TILE_BYTES + HASH_SIZE])
def test_tile_of_another_length_is_named(attacker: Attacker, length: int) -> None:
    tile = attacker.one(TILE, level=0, n=1)
    assert isinstance(tile, bytes)
    attacker.sql(WRITE, data=(tile + bytes(HASH_SIZE))[:length], level=0, n=1)
    found = attacker.verify()
    assert found.problems[0] == f"tile 1 of level 0, over the entries from 256 on, has {length} bytes instead of 8192"
    assert found.first_bad_index == 256


def test_tile_that_was_emptied_is_missed(attacker: Attacker) -> None:
    attacker.sql(WRITE, data=b"", level=0, n=1)
    attacker.caught(256, "tile 1 of level 0, over the entries from 256 on, is missing")


def test_swapped_tiles_are_named(attacker: Attacker) -> None:
    attacker.sql("UPDATE audit_tile SET n = 1 - n - 5 WHERE level = 0")
    attacker.sql("UPDATE audit_tile SET n = n + 5 WHERE level = 0")
    attacker.caught(0, "entry 0 does not have the hash that was kept of it")


@pytest.mark.parametrize("value", ["'text'", "CAST(x'ff' AS TEXT)", "7"])
@pytest.mark.parametrize("trail", ["sqlite"], indirect=True)
def test_tile_that_is_not_bytes_is_named(attacker: Attacker, value: str) -> None:
    attacker.sql(f"UPDATE audit_tile SET data = {value} WHERE n = 1")  # noqa: S608  # one of the above
    attacker.caught(256, "bytes instead of 8192")


@pytest.mark.parametrize(("seq", "fitting"), [(1, 1), (300, 201), (511, 501), (690, 601), (700, 601)])
def test_edit_with_all_hashes_made_anew_meets_the_next_checkpoint(attacker: Attacker, seq: int, fitting: int) -> None:
    attacker.sql(EDIT, body=heartbeat(4).decode(), seq=seq)
    attacker.rebuild()
    signed = fitting // 100 * 100 + 101
    found = attacker.caught(fitting, f"the first {signed} entries do not have the root of the checkpoint")
    assert len(found.problems) == 1


def test_first_entry_edited_with_all_hashes_made_anew_leaves_nothing_proven(attacker: Attacker) -> None:
    attacker.sql(EDIT, body=heartbeat(4).decode(), seq=0)
    attacker.rebuild()
    attacker.caught(0, "none before it fits")


def test_hash_made_anew_in_its_tile_alone_does_not_fit_what_is_kept_over_it(attacker: Attacker) -> None:
    forge(attacker, 300)
    found = attacker.caught(201, "the first 301 entries do not have the root of the checkpoint")
    assert "the hash kept over tile 1 of level 0 is not that tile's" in found.problems


def test_plain_edit_beside_a_hidden_one_does_not_cover_it(attacker: Attacker) -> None:
    forge(attacker, 310)
    attacker.sql(EDIT, body=heartbeat(5).decode(), seq=390)
    found = attacker.caught(301, "entry 390 does not have the hash that was kept of it")
    assert any("the last that fits is at 301" in problem for problem in found.problems)


def test_two_plain_edits_are_named_by_their_own_indexes(attacker: Attacker) -> None:
    for seq in (350, 390, 650):
        attacker.sql(EDIT, body=heartbeat(5).decode(), seq=seq)
    found = attacker.caught(350, "entry 350 does not have the hash that was kept of it")
    assert "entry 650 does not have the hash that was kept of it" in found.problems


def test_deep_log_that_nobody_touched_verifies(deep_trail: Trail) -> None:
    assert deep_trail.verify().problems == []


@pytest.mark.parametrize("tile", [0, 255])
def test_edited_hash_of_a_higher_tile_names_the_first_entry_under_it(digger: Attacker, tile: int) -> None:
    data = digger.flip(TILE, tile % 256 * HASH_SIZE, level=1, n=tile // 256)
    digger.sql(WRITE, data=data, level=1, n=tile // 256)
    found = digger.caught(tile * 256, f"the hash kept over tile {tile} of level 0 is not that tile's")
    assert found.problems[-1] == f"the first 70001 entries have the root that was signed, {PROVEN}"


def test_removed_higher_tile_is_named(digger: Attacker) -> None:
    digger.sql("DELETE FROM audit_tile WHERE level = 1")
    digger.caught(0, "tile 0 of level 1, over the entries from 0 on, is missing")


def test_edited_entry_is_not_blamed_on_the_tiles_above_it(digger: Attacker) -> None:
    digger.sql(EDIT, body=heartbeat(4).decode(), seq=50_123)
    found = digger.caught(50_123, "entry 50123 does not have the hash that was kept of it")
    assert not any("kept over tile" in problem for problem in found.problems)


def test_edited_hash_over_a_removed_tile_is_not_told_twice(digger: Attacker) -> None:
    digger.sql("DELETE FROM audit_tile WHERE level = 0 AND n = 200")
    digger.sql(WRITE, data=digger.flip(TILE, 200 * HASH_SIZE, level=1, n=0), level=1, n=0)
    found = digger.caught(200 * 256, "tile 200 of level 0, over the entries from 51200 on, is missing")
    assert len(found.problems) == 1


def test_hash_made_anew_deep_in_the_log_shows_in_the_tile_above(digger: Attacker) -> None:
    forge(digger, 50_123)
    found = digger.caught(50_001, "the hash kept over tile 195 of level 0 is not that tile's")
    assert not any(PROVEN in problem for problem in found.problems)


def test_edit_deep_in_the_log_with_all_hashes_made_anew_meets_the_next_checkpoint(digger: Attacker) -> None:
    digger.sql(EDIT, body=heartbeat(4).decode(), seq=50_123)
    digger.rebuild()
    digger.caught(50_001, "the first 60001 entries do not have the root of the checkpoint")


def test_deep_log_that_was_cut_far_back_shows_where_it_was_cut(digger: Attacker) -> None:
    digger.sql("DELETE FROM audit_entry WHERE seq >= 300")
    digger.caught(300, "the head says 70001 entries, there are 300")
