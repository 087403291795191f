"""Whatever single byte is changed, verification finds it and never fails over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.depth import tries

if TYPE_CHECKING:
    from tests.integration_audit.trail import Attacker, Trail

SIZE = 701
TEXTS = st.sampled_from(["audit_entry.body", "audit_checkpoint.note"])
DATA = st.sampled_from(["audit_tile.data", "audit_head.root", "audit_head.edge"])
KEY = {"audit_entry": "seq", "audit_checkpoint": "size", "audit_tile": "n", "audit_head": "id"}
PLACES = st.integers(0, 2**20)
KEYS = {
    "audit_entry": range(SIZE),
    "audit_checkpoint": [1, *range(101, SIZE + 1, 100)],
    "audit_tile": [0, 1],
    "audit_head": [1],
}


@given(TEXTS | DATA, PLACES, PLACES, st.integers(1, 255))
@example("audit_head.edge", 0, 7, 1)
@example("audit_checkpoint.note", 7, 100, 128)
@settings(max_examples=tries(60))
def test_any_byte_that_is_changed_is_found(trail: Trail, where: str, row: int, place: int, bits: int) -> None:
    table, _, column = where.partition(".")
    key = KEYS[table][row % len(KEYS[table])]
    with trail.attacked() as attacker:
        before = stored(attacker, table, column, key)
        place %= len(before)
        after = before[:place] + bytes([before[place] ^ bits]) + before[place + 1 :]
        if attacker.connection.dialect.name == "postgresql" and is_text(where):
            after = another_character(before, place, bits)
        store(attacker, table, column, key, after)
        found = attacker.verify()
        assert not found.ok
        assert all(problem.isprintable() for problem in found.problems)
        if table == "audit_entry":
            assert found.first_bad_index == key


def is_text(where: str) -> bool:
    return where in {"audit_entry.body", "audit_checkpoint.note"}


def another_character(before: bytes, place: int, bits: int) -> bytes:
    """Change one character into another that PostgreSQL can store in a text."""
    text = before.decode()
    place = min(place, len(text) - 1)
    other = chr(32 + (ord(text[place]) - 32 + 1 + bits % 94) % 95)
    return (text[:place] + other + text[place + 1 :]).encode()


def stored(attacker: Attacker, table: str, column: str, key: int) -> bytes:
    value = attacker.one(f"SELECT {column} FROM {table} WHERE {KEY[table]} = :key", key=key)  # noqa: S608  # see KEY
    assert isinstance(value, bytes | str)
    return value.encode() if isinstance(value, str) else value


def store(attacker: Attacker, table: str, column: str, key: int, data: bytes) -> None:
    value: bytes | str = data
    kind = ":data"
    if is_text(f"{table}.{column}"):
        if attacker.connection.dialect.name == "sqlite":
            kind = "CAST(:data AS TEXT)"
        else:
            value = data.decode()
    attacker.sql(f"UPDATE {table} SET {column} = {kind} WHERE {KEY[table]} = :key", data=value, key=key)  # noqa: S608  # see KEY
