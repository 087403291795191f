"""A checkpoint counts only as the log's own key signed it, in the one spelling there is."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

import pytest

from retention.audit.checkpoint import Checkpoint, sign
from retention.audit.verify import verify
from tests.integration_audit.trail import ORIGIN, heartbeat, signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration_audit.trail import Attacker

SIZE = 701
AT = 301
KEYS = [signer().verifier]


def text_of(attacker: Attacker) -> str:
    return attacker.note(AT).partition("\n\n")[0] + "\n"


def with_text(attacker: Attacker, change: Callable[[str], str]) -> str:
    """Sign a changed text with the log's own key, so that only the text can be what is refused."""
    text = change(text_of(attacker))
    return f"{text}\n{attacker.signer.signature_line(text)}"


def root_of(attacker: Attacker) -> bytes:
    return b64decode(text_of(attacker).split("\n")[2])


def other_spelling(text: str) -> str:
    """Spell the root so that lax decoders read the same bytes: two bits of its last character are not used."""
    other = f"{text[:-3]}{chr(ord(text[-3]) + 1)}=\n"
    assert b64decode(other.split("\n")[2]) == b64decode(text.split("\n")[2])
    return other


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.replace(f"\n{AT}\n", f"\n0{AT}\n"), id="leading zero"),
        pytest.param(lambda text: text.replace(f"\n{AT}\n", f"\n+{AT}\n"), id="sign"),
        pytest.param(lambda text: text.replace(f"\n{AT}\n", f"\n{AT} \n"), id="space"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(lambda text: text + "extension\n", id="extension line"),
        pytest.param(lambda text: text.replace("=\n", "\n"), id="base64 without padding"),
        pytest.param(other_spelling, id="base64 with unused bits set"),
        pytest.param(lambda text: text.split("\n")[0] + "\n", id="one line"),
        pytest.param(lambda _: "\n", id="no line"),
    ],
)
def test_text_of_another_spelling_is_refused_even_under_a_good_signature(
    attacker: Attacker, change: Callable[[str], str]
) -> None:
    attacker.replace_note(AT, with_text(attacker, change))
    attacker.caught(None, f"the checkpoint at size {AT} does not verify")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda note: note.partition("\n\n")[0] + "\n", id="signature stripped"),
        pytest.param(lambda note: note[:-1], id="last newline stripped"),
        pytest.param(lambda note: note + "\n", id="newline added"),
        pytest.param(lambda note: note.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(lambda note: note.replace("\u2014", "-"), id="hyphen for the dash"),
        pytest.param(lambda note: note.replace(f"\n{AT}\n", "\n302\n"), id="size"),
        pytest.param(lambda note: note.replace(f"{ORIGIN}\n", f"{ORIGIN}s\n"), id="origin"),
        pytest.param(lambda note: note + note, id="twice"),
    ],
)
def test_edited_note_is_refused(attacker: Attacker, change: Callable[[str], str]) -> None:
    attacker.replace_note(AT, change(attacker.note(AT)))
    attacker.caught(None, f"the checkpoint at size {AT} does not verify")


def test_bad_signature_is_refused(attacker: Attacker) -> None:
    head, _, encoded = attacker.note(AT).rstrip("\n").rpartition(" ")
    signature = bytearray(b64decode(encoded))
    signature[40] ^= 1
    attacker.replace_note(AT, f"{head} {b64encode(signature).decode()}\n")
    attacker.caught(None, "carries a bad signature of a known key")


def test_signature_by_another_key_of_the_same_name_is_refused(attacker: Attacker) -> None:
    attacker.replace_note(AT, sign(Checkpoint(ORIGIN, AT, root_of(attacker)), signer(2)))
    attacker.caught(None, "carries no signature of a known key")


def test_signature_of_another_log_is_refused(attacker: Attacker) -> None:
    other = signer(1, "retention/other")
    attacker.replace_note(AT, sign(Checkpoint("retention/other", AT, root_of(attacker)), other))
    attacker.caught(None, "carries no signature of a known key")


def test_checkpoint_of_another_log_is_refused_even_where_its_key_is_known(attacker: Attacker) -> None:
    other = signer(2, "retention/other")
    attacker.replace_note(AT, sign(Checkpoint("retention/other", AT, root_of(attacker)), other))
    found = verify(attacker.connection, ORIGIN, [*KEYS, other.verifier])
    assert found.problems == [f"the checkpoint stored at size {AT} speaks of another log or size"]


def test_origin_of_another_log_under_this_key_is_refused(attacker: Attacker) -> None:
    attacker.replace_note(AT, with_text(attacker, lambda text: text.replace(ORIGIN, "retention/other")))
    attacker.caught(None, "is not signed by the key of its own origin")


def test_genuine_checkpoint_moved_to_another_size_is_refused(attacker: Attacker) -> None:
    attacker.replace_note(AT, attacker.note(401))
    attacker.caught(None, f"the checkpoint stored at size {AT} speaks of another log or size")


@pytest.mark.parametrize("size", [-1, 250, 702])
def test_genuine_checkpoint_copied_to_another_size_is_refused(attacker: Attacker, size: int) -> None:
    insert = "INSERT INTO audit_checkpoint (size, note) SELECT :size, note FROM audit_checkpoint WHERE size = 401"
    attacker.sql(insert, size=size)
    attacker.caught(None, f"the checkpoint stored at size {size} speaks of another log or size")


def test_checkpoint_of_entries_that_never_were_is_named(attacker: Attacker) -> None:
    attacker.sql("INSERT INTO audit_checkpoint (size, note) VALUES (800, :note)", note=attacker.sign(800, bytes(32)))
    attacker.caught(SIZE, "a checkpoint was signed at size 800, but only 701 entries can be read")


def test_history_forked_by_the_holder_of_the_key_is_named_at_its_size(attacker: Attacker) -> None:
    attacker.replace_note(AT, attacker.sign(AT, bytes(32)))
    found = attacker.caught(201, f"the first {AT} entries do not have the root of the checkpoint signed at that size")
    assert len(found.problems) == 1


def test_checkpoint_of_an_empty_log_has_one_root_only(attacker: Attacker) -> None:
    attacker.sql("INSERT INTO audit_checkpoint (size, note) VALUES (0, :note)", note=attacker.sign(0, bytes(32)))
    attacker.caught(0, "the first 0 entries do not have the root of the checkpoint signed at that size")


def test_log_without_any_checkpoint_does_not_verify(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_checkpoint")
    attacker.caught(None, "the log has no signed checkpoint")


def test_log_none_of_whose_checkpoints_verifies_says_so_of_each(attacker: Attacker) -> None:
    attacker.sql("UPDATE audit_checkpoint SET note = 'nothing'")
    assert len(attacker.caught(None, "the checkpoint at size 701 does not verify").problems) == 8


def test_some_checkpoints_removed_do_not_show_while_a_later_one_is_kept(attacker: Attacker) -> None:
    """Say what a checkpoint is for: the last one vouches for every entry before it, so the others are not missed."""
    attacker.sql("DELETE FROM audit_checkpoint WHERE size < 701")
    assert attacker.verify().ok


def test_without_its_last_checkpoint_an_edit_before_the_one_that_is_left_is_still_found(attacker: Attacker) -> None:
    attacker.sql("DELETE FROM audit_checkpoint WHERE size > 601")
    attacker.sql("UPDATE audit_entry SET body = :body WHERE seq = 550", body=heartbeat(4).decode())
    attacker.rebuild()
    attacker.caught(501, "the first 601 entries do not have the root of the checkpoint")


@pytest.mark.parametrize("value", ["x'ff'", "CAST(x'ff' AS TEXT)", "CAST(note AS BLOB) || x'ff'", "7"])
@pytest.mark.parametrize("trail", ["sqlite"], indirect=True)
def test_note_that_only_sqlite_would_store_is_refused(attacker: Attacker, value: str) -> None:
    attacker.sql(f"UPDATE audit_checkpoint SET note = {value} WHERE size = 301")  # noqa: S608  # one of the above
    attacker.caught(None, f"the checkpoint at size {AT} does not verify")
