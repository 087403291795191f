"""Whoever edits, removes, adds or moves an entry by SQL is found out at that entry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from retention.audit.merkle import TILE_WIDTH, leaf_hash, leaf_hashes
from tests.integration_audit.trail import batch, heartbeat

if TYPE_CHECKING:
    from tests.integration_audit.trail import Attacker, Trail

SIZE = 701
EDIT = "UPDATE audit_entry SET body = :body WHERE seq = :seq"


def body_of(attacker: Attacker, seq: int) -> str:
    return str(attacker.one("SELECT body FROM audit_entry WHERE seq = :seq", seq=seq))


def change(attacker: Attacker, seq: int, **fields: object) -> None:
    changed = json.loads(body_of(attacker, seq)) | fields
    attacker.sql(EDIT, body=json.dumps(changed, sort_keys=True, separators=(",", ":")), seq=seq)


def test_log_that_nobody_touched_verifies(trail: Trail) -> None:
    found = trail.verify()
    assert (found.ok, found.size, found.first_bad_index, found.problems) == (True, SIZE, None, [])
    with trail.database.read() as connection:
        assert (found.size, found.root) == trail.log.head(connection)


@pytest.mark.parametrize("seq", [0, 1, 255, 256, 300, 511, 512, 700])
def test_edited_entry_is_named(attacker: Attacker, seq: int) -> None:
    attacker.sql(EDIT, body=heartbeat(4).decode(), seq=seq)
    attacker.caught(seq, f"entry {seq} does not have the hash that was kept of it")


def test_day_of_a_disposal_cannot_be_changed(attacker: Attacker) -> None:
    change(attacker, 333, received_on="2026-08-02")
    attacker.caught(333, "entry 333 does not have the hash that was kept of it")


def test_pseudonym_of_a_disposal_cannot_be_changed(attacker: Attacker) -> None:
    change(attacker, 333, pseudonym="AAAAAAAAAAAAAAAAAAAAAA")
    attacker.caught(333, "entry 333 does not have the hash that was kept of it")


def test_count_of_a_batch_cannot_be_changed(attacker: Attacker) -> None:
    change(attacker, 400, count=98)
    attacker.caught(400, "entry 400 does not have the hash that was kept of it")


def test_same_values_spelled_another_way_are_another_entry(attacker: Attacker) -> None:
    attacker.sql(EDIT, body=body_of(attacker, 333).replace(",", ", ", 1), seq=333)
    attacker.caught(333, "entry 333 does not have the hash that was kept of it")


@pytest.mark.parametrize("seq", [0, 255, 256, 300, 699])
def test_removed_entry_is_named(attacker: Attacker, seq: int) -> None:
    attacker.sql("DELETE FROM audit_entry WHERE seq = :seq", seq=seq)
    attacker.caught(seq, f"entry {seq} is missing")


@pytest.mark.parametrize("left", [0, 1, 256, 300, 512, 700])
def test_tail_cut_off_shows_where_it_was_cut(attacker: Attacker, left: int) -> None:
    attacker.sql("DELETE FROM audit_entry WHERE seq >= :left", left=left)
    attacker.caught(left, f"the head says {SIZE} entries, there are {left}")


def test_removed_entry_is_not_hidden_by_closing_the_gap(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_entry WHERE seq = 300")
    attacker.sql("UPDATE audit_entry SET seq = -seq WHERE seq > 300")
    attacker.sql("UPDATE audit_entry SET seq = -seq - 1 WHERE seq < 0")
    attacker.caught(300, "entry 300 does not have the hash that was kept of it")


def test_inserted_entry_is_named(attacker: Attacker) -> None:
    attacker.sql("UPDATE audit_entry SET seq = -seq WHERE seq >= 300")
    attacker.sql("UPDATE audit_entry SET seq = -seq + 1 WHERE seq < 0")
    attacker.sql("INSERT INTO audit_entry (seq, body) VALUES (300, :body)", body=heartbeat(4).decode())
    attacker.caught(300, "entry 300 does not have the hash that was kept of it")


@pytest.mark.parametrize(("seq", "index"), [(701, 701), (702, 701), (2**40, 701), (-1, -1), (-(2**40), -(2**40))])
def test_entry_added_outside_the_log_is_named(attacker: Attacker, seq: int, index: int) -> None:
    attacker.sql("INSERT INTO audit_entry (seq, body) VALUES (:seq, :body)", seq=seq, body=heartbeat(4).decode())
    found = attacker.verify()
    assert (found.ok, found.first_bad_index) == (False, index)


@pytest.mark.parametrize(("one", "other"), [(10, 11), (10, 690), (255, 256)])
def test_swapped_entries_are_both_named(attacker: Attacker, one: int, other: int) -> None:
    first, second = body_of(attacker, one), body_of(attacker, other)
    attacker.sql(EDIT, body=second, seq=one)
    attacker.sql(EDIT, body=first, seq=other)
    found = attacker.caught(one, f"entry {one} does not have the hash that was kept of it")
    assert f"entry {other} does not have the hash that was kept of it" in found.problems


def test_log_that_was_emptied_does_not_verify(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_entry")
    attacker.rebuild()
    attacker.caught(0, f"a checkpoint was signed at size {SIZE}, but only 0 entries can be read")


def test_log_that_was_begun_anew_does_not_verify(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_entry")
    for seq, body in enumerate(batch(1, 0, SIZE - 1)):
        attacker.sql("INSERT INTO audit_entry (seq, body) VALUES (:seq, :body)", seq=seq, body=body.decode())
    attacker.rebuild()
    attacker.caught(0, "the first 1 entries do not have the root of the checkpoint signed at that size")


def test_history_rewritten_and_grown_does_not_verify(attacker: Attacker) -> None:
    attacker.sql(EDIT, body=heartbeat(4).decode(), seq=201)
    attacker.sql("INSERT INTO audit_entry (seq, body) VALUES (:seq, :body)", seq=SIZE, body=heartbeat(5).decode())
    attacker.rebuild()
    attacker.caught(201, "the first 301 entries do not have the root")


def test_node_of_the_tree_passed_off_as_an_entry_gives_another_root(attacker: Attacker) -> None:
    leaves = leaf_hashes(attacker.bodies())
    assert leaf_hash(leaves[0] + leaves[1]) != leaf_hash(b"\x01" + leaves[0] + leaves[1])
    if attacker.connection.dialect.name == "postgresql":
        return  # its text columns hold no bytes that are not text
    pairs = [leaves[n] + leaves[n + 1] for n in range(0, SIZE - 1, 2)]
    attacker.sql("DELETE FROM audit_entry WHERE seq > 350")
    for seq, pair in enumerate([*pairs, leaves[-1]]):
        attacker.sql("UPDATE audit_entry SET body = CAST(:body AS TEXT) WHERE seq = :seq", body=pair, seq=seq)
    attacker.caught(0, "entry 0 does not have the hash that was kept of it")


@pytest.mark.parametrize(
    "value", ["CAST(x'ff' AS TEXT)", "CAST(body AS BLOB) || x'ff'", "x'00ff'", "7", "''", "zeroblob(100000)"]
)
@pytest.mark.parametrize("seq", [7, TILE_WIDTH])
@pytest.mark.parametrize("trail", ["sqlite"], indirect=True)
def test_what_only_sqlite_would_store_is_named_like_any_other_edit(attacker: Attacker, value: str, seq: int) -> None:
    attacker.sql(f"UPDATE audit_entry SET body = {value} WHERE seq = :seq", seq=seq)  # noqa: S608  # one of the above
    attacker.caught(seq, f"entry {seq} does not have the hash that was kept of it")
