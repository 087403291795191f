"""Signing keys that follow each other: on disk before they count, believed only along the log, never lost unseen."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.audit import rotation, signing
from retention.audit.checkpoint import Checkpoint, Signer, open_note, sign, vkey
from retention.audit.entry import entry
from retention.audit.keys import MonthKeys, create_key_directory, load_verifier
from retention.audit.rotation import Introduced
from retention.audit.stored import StoredNote
from retention.errors import KeyFileError, LogError

if TYPE_CHECKING:
    from pathlib import Path

    from retention.audit.checkpoint import VerifierKey

ORIGIN = "stats.example/retention"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_key_directory(tmp_path / "keys", ORIGIN)
    return tmp_path / "keys"


def take_over(folder: Path, chain: list[Introduced], index: int) -> list[Introduced]:
    key = signing.new_key(folder, ORIGIN, None).verifier
    signing.settle(folder, key)
    return [*chain, Introduced(index, key, NOW)]


def first(folder: Path) -> list[Introduced]:
    return [Introduced(0, load_verifier(folder), NOW)]


def test_keys_follow_each_other_and_sign_together(folder: Path) -> None:
    chain = first(folder)
    for index in (5, 9):
        chain = take_over(folder, chain, index)
    keys = [one.key for one in chain]
    assert signing.public_keys(folder) == keys
    signer = signing.load_chain(folder, chain, None)
    assert signer.verifier == keys[-1]
    note = sign(Checkpoint(ORIGIN, 10, bytes(32)), signer)
    for key in keys:
        assert open_note(note, [key]).size == 10
    assert note.count("\n\u2014 ") == 3


def test_condemned_key_signs_no_more(folder: Path) -> None:
    chain = take_over(folder, first(folder), 5)
    chain[1] = chain[1]._replace(condemned_at=1)
    signing.private_file(folder, chain[0].key).unlink()
    assert signing.load_chain(folder, chain, None).older == ()


def test_log_that_cannot_be_read_leaves_the_first_key(folder: Path) -> None:
    assert signing.load_chain(folder, [], None).verifier == load_verifier(folder)


def test_key_that_was_never_used_is_taken_up(folder: Path) -> None:
    left_over = signing.new_key(folder, ORIGIN, None).verifier
    assert signing.public_keys(folder) == [load_verifier(folder)]
    assert signing.load_chain(folder, first(folder), None).verifier == load_verifier(folder)
    assert signing.new_key(folder, ORIGIN, None).verifier == left_over
    for _ in range(2):
        signing.settle(folder, left_over)
    assert signing.public_keys(folder)[-1] == left_over


def test_key_made_for_another_epoch_and_never_used_gives_way(folder: Path) -> None:
    left_over = signing.new_key(folder, f"{ORIGIN}/epoch-2", None).verifier
    key = signing.new_key(folder, ORIGIN, None).verifier
    assert (key.name, key == left_over) == (ORIGIN, False)
    signing.settle(folder, key)
    assert signing.public_keys(folder) == [load_verifier(folder), key]


def test_rotation_killed_between_entry_and_mark_goes_on(folder: Path) -> None:
    chain = [*first(folder), Introduced(5, signing.new_key(folder, ORIGIN, None).verifier, NOW)]
    assert signing.load_chain(folder, chain, None).verifier == chain[-1].key


def test_key_that_the_log_names_and_the_folder_lost_is_named(folder: Path) -> None:
    chain = take_over(folder, first(folder), 5)
    shutil.rmtree(folder / "signing")
    with pytest.raises(KeyFileError, match=f"does not hold the signing key {chain[1].key.key_id.hex()}"):
        signing.load_chain(folder, chain, None)


def test_lost_private_half_of_a_key_that_still_signs_is_named(folder: Path) -> None:
    chain = take_over(folder, first(folder), 5)
    (folder / "signing.pem").unlink()
    with pytest.raises(KeyFileError, match=r"signing\.pem: is missing; restore it"):
        signing.load_chain(folder, chain, None)


def test_key_that_the_log_does_not_name_is_not_used(folder: Path) -> None:
    before = first(folder)
    take_over(folder, before, 5)
    with pytest.raises(KeyFileError, match="which the audit log does not name"):
        signing.load_chain(folder, before, None)


def test_folder_of_keys_that_others_may_enter_is_refused(folder: Path) -> None:
    take_over(folder, first(folder), 5)
    next((folder / "signing").iterdir()).chmod(0o755)
    with pytest.raises(KeyFileError, match="chmod 0700"):
        signing.public_keys(folder)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_fingerprint_is_what_openssl_and_sha256sum_show(folder: Path) -> None:
    command = ["openssl", "pkey", "-pubin", "-in", str(folder / "signing.pub.pem"), "-outform", "DER"]
    der = subprocess.run(command, check=True, capture_output=True).stdout
    assert signing.fingerprint(load_verifier(folder)) == hashlib.sha256(der).hexdigest()


def test_mode_is_octal_and_none_where_there_is_no_file(folder: Path) -> None:
    assert signing.mode_of(folder / "signing.pem") == "0600"
    assert signing.mode_of(folder / "nothing") is None


def test_month_keys_are_checked_one_by_one(folder: Path, tmp_path: Path) -> None:
    keys = MonthKeys(folder)
    keys.ensure("2026-08", known=False)
    live = {"2026-08": keys.commitment("2026-08")}
    sealed = keys.seal("contact-1")
    keys.check(live, [sealed])
    create_key_directory(tmp_path / "other", ORIGIN)
    other = MonthKeys(tmp_path / "other")
    other.ensure("2026-08", known=False)
    with pytest.raises(KeyFileError, match=r"2026-08\.key: is another key than the one"):
        other.check(live, [])
    with pytest.raises(KeyFileError, match=r"hold\.key: does not open"):
        other.check({}, [sealed])
    keys.path_of("2026-08").unlink()
    with pytest.raises(KeyFileError, match=r"2026-08\.key: is missing"):
        keys.check(live, [])
    (folder / "hold.key").unlink()
    with pytest.raises(KeyFileError, match=r"hold\.key: is missing"):
        keys.check({}, [])


def signer(seed: int) -> Signer:
    return Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


OLD, NEW, LATEST, FORGER = (signer(seed) for seed in (1, 2, 3, 4))
CHAIN = [
    Introduced(0, OLD.verifier, NOW),
    Introduced(10, NEW.verifier, NOW),
    Introduced(20, LATEST.verifier, NOW),
]


def note(size: int, *signers: Signer) -> StoredNote:
    return StoredNote(size, sign(Checkpoint(ORIGIN, size, bytes(32)), *signers))


NOTES = [note(5, OLD), note(11, NEW, OLD), note(15, NEW), note(21, LATEST, NEW), note(30, LATEST)]


@pytest.mark.parametrize("root", [OLD, NEW, LATEST])
def test_belief_in_one_key_reaches_every_other_forward_and_backward(root: Signer) -> None:
    known = rotation.believe([root.verifier], CHAIN, NOTES)
    assert known[0] == root.verifier
    assert {key.key_id for key in known} == {one.key.key_id for one in CHAIN}
    for kept in NOTES:
        assert rotation.open_signed(kept, known, CHAIN).size == kept.size


def test_belief_does_not_reach_a_key_that_no_believed_key_covers() -> None:
    forged = [*CHAIN[:1], Introduced(10, FORGER.verifier, NOW)]
    assert rotation.believe([OLD.verifier], forged, [note(5, OLD), note(11, FORGER)]) == [OLD.verifier]
    with pytest.raises(LogError, match="no checkpoint of a known key covers"):
        rotation.open_signed(note(11, OLD), [OLD.verifier], forged)


def test_retired_key_alone_signs_nothing_that_counts() -> None:
    known: list[VerifierKey] = [one.key for one in CHAIN]
    assert rotation.open_signed(note(10, OLD), known, CHAIN).size == 10
    with pytest.raises(LogError, match="another one had replaced"):
        rotation.open_signed(note(11, OLD), known, CHAIN)


def test_where_no_key_took_over_any_believed_key_counts() -> None:
    assert rotation.open_signed(note(5, NEW), [NEW.verifier], CHAIN[:1]).size == 5
    assert rotation.open_signed(note(0, NEW), [NEW.verifier], CHAIN).size == 0
    assert rotation.key_at([], 5) is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"kind":"heartbeat"}',
        '{"kind":"rotate"}',
        json.dumps({"kind": "rotate", "verifier_key": "x", "at": "2026-11-22T12:00:00Z"}),
        json.dumps({"kind": "rotate", "verifier_key": vkey(NEW.verifier), "at": "2026-11-22T12:00:00"}),
        json.dumps(
            {"kind": "rotate", "verifier_key": vkey(NEW.verifier), "at": "2026-11-22T12:00:00Z", "until": "soon"}
        ),
    ],
)
def test_entry_that_cannot_be_read_introduces_nothing(body: str) -> None:
    assert rotation.parse_introduction(3, body) is None


def test_entry_of_a_rotation_says_key_and_end_of_the_overlap() -> None:
    body = entry("rotate", NOW, verifier_key=vkey(NEW.verifier), until="2026-12-22T12:00:00Z").decode()
    expected = Introduced(3, NEW.verifier, NOW, datetime(2026, 12, 22, 12, 0, tzinfo=UTC))
    assert rotation.parse_introduction(3, body) == expected
