"""Every fault that the audit log must withstand, done by SQL on a live installation, past its triggers.

The details of each stand in ``tests/integration_audit``; here the whole command must answer, on either database.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from retention.audit.checkpoint import Checkpoint, sign
from retention.audit.merkle import Frontier, leaf_hashes
from tests.integration_audit.trail import heartbeat, signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.conftest import Besieged
    from tests.integration_audit.trail import Attacker

    Attack = Callable[[Attacker], object]

EDIT = "UPDATE audit_entry SET body = :body WHERE seq = :seq"
SHIFT = ("UPDATE audit_entry SET seq = -seq WHERE seq >= :seq", "UPDATE audit_entry SET seq = -seq + 1 WHERE seq < 0")
OTHER = heartbeat(4).decode()


def edit(by: Attacker, seq: int) -> None:
    by.sql(EDIT, body=OTHER, seq=seq)


def insert(by: Attacker) -> None:
    by.sql(SHIFT[0], seq=300)
    by.sql(SHIFT[1])
    by.sql("INSERT INTO audit_entry (seq, body) VALUES (300, :body)", body=OTHER)


def swap(by: Attacker) -> None:
    for change in ("-1 WHERE seq = 50", "50 WHERE seq = 51", "51 WHERE seq = -1"):
        by.sql(f"UPDATE audit_entry SET seq = {change}")  # noqa: S608  # one of the above


def spoil_tile(by: Attacker) -> None:
    tile = by.flip("SELECT data FROM audit_tile WHERE level = 0 AND n = 0", 7 * 32)
    by.sql("UPDATE audit_tile SET data = :tile WHERE level = 0 AND n = 0", tile=tile)


def rebuild(by: Attacker) -> None:
    edit(by, 60)
    by.rebuild()


def second_pre_image(by: Attacker) -> None:
    """Pass a node of the tree off as an entry: two leaves become one entry whose text is their two hashes."""
    first, other = leaf_hashes(by.bodies()[:2])
    by.sql(EDIT, body=(first + other).hex(), seq=0)
    by.sql("DELETE FROM audit_entry WHERE seq = 1")
    by.sql("UPDATE audit_entry SET seq = -seq WHERE seq > 1")
    by.sql("UPDATE audit_entry SET seq = -seq - 1 WHERE seq < -1")
    by.rebuild()


def latest(by: Attacker) -> tuple[int, str]:
    size = by.one("SELECT max(size) FROM audit_checkpoint")
    assert isinstance(size, int)
    return size, by.note(size)


def respell(change: Callable[[str], str]) -> Attack:
    """Spell the newest checkpoint another way, under a good signature by the log's own key."""

    def attack(by: Attacker) -> None:
        size, note = latest(by)
        spelled = change(note.partition("\n\n")[0] + "\n")
        by.replace_note(size, f"{spelled}\n{by.signer.signature_line(spelled)}")

    return attack


def strip(by: Attacker) -> None:
    size, note = latest(by)
    by.replace_note(size, note.partition("\n\n")[0] + "\n")


def sign_by_another(by: Attacker) -> None:
    size, note = latest(by)
    name, _, root = note.split("\n")[:3]
    by.replace_note(size, sign(Checkpoint(name, size, b64decode(root)), signer(9, name)))


def other_bits(note: str) -> str:
    """Spell the root so that lax decoders read the same bytes: two bits of its last character are not used."""
    return f"{note[:-3]}{chr(ord(note[-3]) + 1)}=\n"


@pytest.mark.parametrize(
    ("attack", "index"),
    [
        pytest.param(lambda by: edit(by, 40), 40, id="edited"),
        pytest.param(lambda by: by.sql("DELETE FROM audit_entry WHERE seq = 41"), 41, id="deleted"),
        pytest.param(insert, 300, id="inserted"),
        pytest.param(swap, 50, id="reordered"),
        pytest.param(spoil_tile, 7, id="tile edited"),
        pytest.param(rebuild, 6, id="all tiles rebuilt"),
        pytest.param(second_pre_image, 0, id="second pre-image"),
        pytest.param(lambda by: by.sql("DELETE FROM audit_entry WHERE seq >= 300"), 300, id="truncated"),
        pytest.param(strip, None, id="signature stripped"),
        pytest.param(sign_by_another, None, id="another key"),
        pytest.param(respell(lambda note: note.replace("\n4", "\n04", 1)), None, id="leading zero"),
        pytest.param(respell(lambda note: note + "more\n"), None, id="extra line"),
        pytest.param(respell(lambda note: note.replace("\n", "\r\n")), None, id="CRLF"),
        pytest.param(respell(other_bits), None, id="base64 of another spelling"),
    ],
)
def test_fault_is_found_without_any_memory(besieged: Besieged, attack: Attack, index: int | None) -> None:
    with besieged.attacked() as somebody:
        attack(somebody)
    code, answer = besieged.asked()
    assert (code, answer["ok"], answer["first_bad_index"]) == (13, False, index), answer["problems"]


def sign_all(by: Attacker, sizes: list[int]) -> None:
    """Make every hash anew and sign the checkpoints of some sizes again, as only the holder of the key can."""
    name = latest(by)[1].split("\n")[0]
    by.rebuild()
    hashes = leaf_hashes(by.bodies())
    by.connection.exec_driver_sql("DELETE FROM audit_checkpoint")
    for size in sizes:
        frontier = Frontier()
        frontier.append(hashes[:size])
        note = sign(Checkpoint(name, size, frontier.root()), by.signer)
        by.sql("INSERT INTO audit_checkpoint (size, note) VALUES (:size, :note)", size=size, note=note)


def replay(by: Attacker, sizes: list[int]) -> None:
    by.sql("DELETE FROM audit_entry WHERE seq >= :size", size=sizes[-2])
    by.sql("DELETE FROM audit_checkpoint WHERE size > :size", size=sizes[-2])
    by.rebuild()


def fork(by: Attacker, sizes: list[int]) -> None:
    edit(by, sizes[-1] - 1)
    sign_all(by, sizes)


def rewrite_and_grow(by: Attacker, sizes: list[int]) -> None:
    edit(by, sizes[-1] - 1)
    by.sql("INSERT INTO audit_entry (seq, body) VALUES (:size, :body)", size=sizes[-1], body=OTHER)
    sign_all(by, [*sizes, sizes[-1] + 1])


def restart(by: Attacker, sizes: list[int]) -> None:
    by.sql("DELETE FROM audit_entry WHERE seq > 0")
    sign_all(by, sizes[:1])


@pytest.mark.parametrize("attack", [replay, fork, rewrite_and_grow, restart])
def test_fault_that_leaves_a_whole_log_is_found_by_what_somebody_else_kept(
    besieged: Besieged, attack: Callable[[Attacker, list[int]], None]
) -> None:
    sizes = sorted(besieged.notes)
    kept = besieged.keep(sizes[-1])
    assert besieged.asked("--since", kept)[1]["ok"]
    with besieged.attacked() as somebody:
        attack(somebody, sizes)
    assert besieged.by_itself().problems == []
    code, answer = besieged.asked("--since", kept)
    assert (code, answer["ok"]) == (13, False)
