"""A head that says anything but the truth is found out, and so is a log whose tail was cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.audit.anchor import append_note
from retention.audit.log import checkpoints
from retention.audit.merkle import HASH_SIZE, Frontier, leaf_hashes
from tests.integration_audit.trail import heartbeat

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration_audit.trail import Attacker

SIZE = 701
EDGE = "SELECT edge FROM audit_head"
LEAVES_IN_EDGE = SIZE - 512


def edge_of(attacker: Attacker) -> bytes:
    edge = attacker.one(EDGE)
    assert isinstance(edge, bytes)
    return edge


def frontier_at(attacker: Attacker, size: int) -> Frontier:
    frontier = Frontier()
    frontier.append(leaf_hashes(attacker.bodies()[:size]))
    return frontier


@pytest.mark.parametrize(("size", "index"), [(702, 701), (2**62, 701), (700, 700), (512, 512), (0, 0), (-3, 0)])
def test_head_of_another_size_is_named(attacker: Attacker, size: int, index: int) -> None:
    attacker.set_head(size=size)
    attacker.caught(index, f"the head says {size} entries, there are {SIZE}")


def test_head_with_another_root_is_named(attacker: Attacker) -> None:
    attacker.set_head(root=attacker.flip("SELECT root FROM audit_head", 0))
    attacker.caught(None, "the head's root is not the root of the entries")


@pytest.mark.parametrize("index", [512, 600, 700])
def test_edited_leaf_in_the_edge_is_named(attacker: Attacker, index: int) -> None:
    attacker.set_head(edge=attacker.flip(EDGE, 8 + (index - 512) * HASH_SIZE))
    attacker.caught(index, f"entry {index} does not have the hash that was kept of it")


@pytest.mark.parametrize("tile", [0, 1])
def test_edited_node_in_the_edge_names_the_first_entry_under_it(attacker: Attacker, tile: int) -> None:
    attacker.set_head(edge=attacker.flip(EDGE, 8 + (LEAVES_IN_EDGE + tile) * HASH_SIZE))
    attacker.caught(tile * 256, f"the hash kept over tile {tile} of level 0 is not that tile's")


@pytest.mark.parametrize("length", [0, 7, 8, 8 + HASH_SIZE, -1])
def test_edge_that_was_cut_is_named(attacker: Attacker, length: int) -> None:
    attacker.set_head(edge=edge_of(attacker)[:length])
    attacker.caught(None, "the stored right edge of the log is damaged")


@pytest.mark.parametrize("size", [0, 1, 512, 700])
def test_edge_of_an_earlier_log_is_named(attacker: Attacker, size: int) -> None:
    attacker.set_head(edge=frontier_at(attacker, size).to_bytes())
    attacker.caught(None, "the head's edge is not the edge of its size")


def test_removed_head_is_named(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_head")
    attacker.caught(None, "the audit log has no head")


def test_second_head_is_named(attacker: Attacker) -> None:
    attacker.sql("INSERT INTO audit_head (id, size, root, edge) SELECT 2, size, root, edge FROM audit_head")
    attacker.caught(None, "the audit log must have one head")


@pytest.mark.parametrize("column", ["size", "root", "edge"])
@pytest.mark.parametrize("value", ["'text'", "CAST(x'31' AS TEXT)", "CAST(x'ff' AS TEXT)", "0.5", "x'00'"])
@pytest.mark.parametrize("trail", ["sqlite"], indirect=True)
def test_head_that_only_sqlite_would_store_is_no_head(attacker: Attacker, column: str, value: str) -> None:
    attacker.sql(f"UPDATE audit_head SET {column} = {value}")  # noqa: S608  # two of the above
    assert not attacker.verify().ok


@pytest.mark.parametrize("left", [1, 256, 300, 512, 650, 700])
def test_tail_cut_off_with_the_head_made_anew_shows_in_a_later_checkpoint(attacker: Attacker, left: int) -> None:
    attacker.sql("DELETE FROM audit_entry WHERE seq >= :left", left=left)
    attacker.rebuild()
    attacker.caught(left, f"a checkpoint was signed at size {SIZE}, but only {left} entries can be read")


def test_tail_cut_off_and_another_grown_in_its_place_shows_in_the_checkpoint(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_entry WHERE seq >= 601")
    for seq in range(601, 720):
        attacker.sql("INSERT INTO audit_entry (seq, body) VALUES (:seq, :body)", seq=seq, body=heartbeat(seq).decode())
    attacker.rebuild()
    attacker.caught(601, "the first 701 entries do not have the root of the checkpoint")


def test_tail_cut_off_with_its_checkpoints_shows_in_the_anchor_alone(attacker: Attacker, tmp_path: Path) -> None:
    """Say what verification of the database cannot know: only a checkpoint that left it remembers the tail."""
    anchor = tmp_path / "checkpoints.log"
    for _, note in checkpoints(attacker.connection):
        append_note(anchor, note)
    attacker.sql("DELETE FROM audit_entry WHERE seq >= 601")
    attacker.sql("DELETE FROM audit_checkpoint WHERE size > 601")
    attacker.rebuild()
    assert attacker.verify().ok
    kept = {note for _, note in checkpoints(attacker.connection)}
    lost = [note for note in anchor.read_text(encoding="utf-8").split("\n\n\u2014") if f"\n{SIZE}\n" in note]
    assert len(lost) == 1
    assert not any(f"\n{SIZE}\n" in note for note in kept)
