"""The cheap look at the ends of the log finds what was cut off or changed lately, and names it where it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from retention.audit.checkpoint import Checkpoint, sign
from retention.audit.merkle import EMPTY_ROOT, Frontier, leaf_hashes
from retention.audit.soundness import find_fault, proven_entries
from retention.errors import BrokenLogError
from tests.integration_audit.trail import ORIGIN, Trail, heartbeat, signer

if TYPE_CHECKING:
    from tests.integration_audit.trail import Attacker

KEYS = [signer().verifier]
OTHER = heartbeat(4).decode()
CHANGE = "UPDATE audit_entry SET body = :body WHERE seq = :seq"


def found(attacker: Attacker, origin: str = ORIGIN) -> tuple[str, int | None]:
    fault = find_fault(attacker.connection, origin, KEYS)
    assert fault is not None
    assert "retention audit verify" in str(fault.refusal())
    return fault.problem, fault.index


def test_look_finds_nothing_in_a_log_that_nobody_touched(trail: Trail) -> None:
    with trail.database.read() as connection:
        assert find_fault(connection, ORIGIN, KEYS) is None


@pytest.mark.parametrize(
    ("attack", "answer", "index"),
    [
        ("DELETE FROM audit_checkpoint", "has no signed checkpoint", None),
        ("DELETE FROM audit_head", "has no head", None),
        ("UPDATE audit_head SET size = 700", "does not fit its own edge", None),
        ("UPDATE audit_checkpoint SET note = 'nothing' WHERE size = 701", "must end with an empty line", None),
        ("UPDATE audit_checkpoint SET size = 702 WHERE size = 701", "of another log or of entries that are gone", None),
        ("DELETE FROM audit_entry", "from index 0 on are missing", 0),
        ("DELETE FROM audit_entry WHERE seq = 0", "the first entry has index 1 instead of 0", 0),
        ("DELETE FROM audit_entry WHERE seq >= 650", "from index 650 on are missing", 650),
        ("DELETE FROM audit_entry WHERE seq = 700", "from index 700 on are missing", 700),
        ("DELETE FROM audit_entry WHERE seq = 600", "entry 600 is missing", 600),
        ("INSERT INTO audit_entry (seq, body) VALUES (800, '{}')", "others behind them, up to index 800", 701),
        ("INSERT INTO audit_entry (seq, body) VALUES (-1, '{}')", "the first entry has index -1", -1),
        ("UPDATE audit_entry SET body = body || ' ' WHERE seq = 700", "entry 700 does not have the hash", 700),
        ("UPDATE audit_entry SET body = body || ' ' WHERE seq = 512", "entry 512 does not have the hash", 512),
    ],
)
def test_look_at_the_ends_finds_what_it_can(attacker: Attacker, attack: str, answer: str, index: int | None) -> None:
    attacker.sql(attack)
    problem, where = found(attacker)
    assert answer in problem
    assert where == index


def test_look_knows_another_log(attacker: Attacker) -> None:
    assert "speaks of another log" in found(attacker, "retention/other")[0]


def test_look_finds_a_damaged_edge(attacker: Attacker) -> None:
    attacker.set_head(edge=b"")
    assert "right edge of the log is damaged" in found(attacker)[0]


def test_look_finds_a_head_that_was_cut_back(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_entry WHERE seq > 600")
    attacker.rebuild()
    assert "entries that are gone" in found(attacker)[0]


@pytest.mark.parametrize("seq", [700, 3])
def test_look_finds_a_log_made_anew_that_is_not_the_signed_one(attacker: Attacker, seq: int) -> None:
    attacker.sql(CHANGE, body=OTHER, seq=seq)
    attacker.rebuild()
    assert found(attacker) == ("the audit log is not the one that was signed at 701 entries, or does not go on", None)


def test_look_finds_a_log_that_grew_from_another_one(attacker: Attacker) -> None:
    attacker.sql(CHANGE, body=OTHER, seq=700)
    attacker.sql("INSERT INTO audit_entry (seq, body) VALUES (701, :body)", body=OTHER)
    attacker.rebuild()
    assert "does not go on" in found(attacker)[0]


def test_look_reaches_back_to_the_tile_of_the_newest_checkpoint(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_checkpoint WHERE size > 301")
    attacker.sql(CHANGE, body=OTHER, seq=290)
    assert found(attacker) == ("entry 290 does not have the hash that was kept of it", 290)


def test_look_finds_an_edge_that_does_not_make_the_root(attacker: Attacker) -> None:
    attacker.set_head(edge=attacker.flip("SELECT edge FROM audit_head", 100))
    assert "does not fit its own edge" in found(attacker)[0]


def test_look_finds_a_tile_that_is_gone_under_the_newest_checkpoint(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_checkpoint WHERE size > 301")
    attacker.sql("DELETE FROM audit_tile WHERE level = 0 AND n = 1")
    assert "tile 1 of level 0 is missing" in found(attacker)[0]


def test_look_finds_an_entry_and_its_tile_changed_together(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_checkpoint WHERE size > 301")
    attacker.sql(CHANGE, body=OTHER, seq=290)
    tile = b"".join(leaf_hashes(attacker.bodies()[256:512]))
    attacker.sql("UPDATE audit_tile SET data = :tile WHERE level = 0 AND n = 1", tile=tile)
    assert found(attacker) == ("the hash kept over tile 1 of level 0 is not that tile's", 256)


def test_entry_further_back_is_left_to_the_full_verification(attacker: Attacker) -> None:
    attacker.sql(CHANGE, body=OTHER, seq=40)
    assert find_fault(attacker.connection, ORIGIN, KEYS) is None
    attacker.caught(40, "entry 40")


@pytest.mark.parametrize("size", [0, 256, 512])
def test_look_holds_at_the_border_of_a_tile_and_for_an_empty_log(attacker: Attacker, size: int) -> None:
    """A log that ends with a full tile has no edge of entries; an empty one has neither."""
    attacker.connection.execute(text("DELETE FROM audit_entry WHERE seq >= :size"), {"size": size})
    attacker.connection.exec_driver_sql("DELETE FROM audit_checkpoint")
    frontier = Frontier()
    if size:
        frontier = attacker.rebuild()
    else:
        attacker.set_head(size=0, root=EMPTY_ROOT, edge=frontier.to_bytes())
    note = sign(Checkpoint(ORIGIN, size, frontier.root()), attacker.signer)
    attacker.sql("INSERT INTO audit_checkpoint (size, note) VALUES (:size, :note)", size=size, note=note)
    assert find_fault(attacker.connection, ORIGIN, KEYS) is None


def read(attacker: Attacker, first: int = 0) -> tuple[int, BrokenLogError | None]:
    """Read entries until something is wrong; give how far that was."""
    last = first - 1
    try:
        for last, _ in proven_entries(attacker.connection, first):  # noqa: B007  # it is looked at afterwards
            pass
    except BrokenLogError as error:
        return last + 1, error
    return last + 1, None


@pytest.mark.parametrize("first", [0, 256, 512])
def test_entries_are_given_out_whole(attacker: Attacker, first: int) -> None:
    assert read(attacker, first) == (701, None)


@pytest.mark.parametrize(
    ("attack", "index"),
    [
        ("UPDATE audit_entry SET body = body || ' ' WHERE seq = 40", 40),
        ("UPDATE audit_entry SET body = body || ' ' WHERE seq IN (256, 300)", 256),
        ("UPDATE audit_entry SET body = body || ' ' WHERE seq = 700", 700),
        ("DELETE FROM audit_entry WHERE seq = 300", 300),
        ("DELETE FROM audit_entry WHERE seq >= 690", 690),
        ("DELETE FROM audit_entry", 0),
        ("INSERT INTO audit_entry (seq, body) VALUES (800, '{}')", 701),
        ("INSERT INTO audit_entry (seq, body) VALUES (701, '{}')", 701),
        ("DELETE FROM audit_tile WHERE level = 0 AND n = 1", 256),
    ],
)
def test_nothing_is_given_out_from_the_first_bad_entry_on(attacker: Attacker, attack: str, index: int) -> None:
    attacker.sql(attack)
    given, error = read(attacker)
    assert error is not None
    assert (given, error.index) == (index, index)


def test_entries_that_do_not_make_the_root_of_the_head_are_said_not_to(attacker: Attacker) -> None:
    attacker.set_head(root=bytes(32))
    given, error = read(attacker)
    assert error is not None
    assert (given, error.index) == (701, None)
    assert read(attacker, 512) == (701, None)
