"""A checkpoint is believed only as the log signed it, byte for byte."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from retention.audit.checkpoint import (
    MAX_NOTE_CHARACTERS,
    MAX_SIGNATURES,
    Checkpoint,
    Signer,
    VerifierKey,
    checkpoint_text,
    open_note,
    parse_checkpoint,
    parse_vkey,
    sign,
    vkey,
)
from retention.errors import Exit, LogError

ORIGIN = "stats.example/retention"
ROOT = hashlib.sha256(b"root").digest()
ROOT64 = base64.b64encode(ROOT).decode()
HEAD = Checkpoint(ORIGIN, 70_000, ROOT)


def signer(seed: int = 1, name: str = ORIGIN) -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


LOG = signer()
NOTE = sign(HEAD, LOG)
TEXT, SIGNATURES = NOTE.split("\n\n")
SIGNATURE = SIGNATURES.removesuffix("\n")

# Published with the C2SP specification and with the Go tools; signed by tools that are not ours.
FOREIGN_NOTE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
FOREIGN_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
FOREIGN_SIGNED = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_signed_checkpoint_is_read_back() -> None:
    assert open_note(NOTE, [LOG.verifier]) == HEAD


def test_note_has_three_lines_an_empty_line_and_the_signature() -> None:
    key_id = hashlib.sha256(ORIGIN.encode() + b"\n\x01" + LOG.verifier.public_key).digest()[:4]
    assert f"{ORIGIN}\n70000\n{ROOT64}\n" == checkpoint_text(HEAD) == TEXT + "\n"
    assert SIGNATURE.startswith(f"\u2014 {ORIGIN} ")
    assert base64.b64decode(SIGNATURE.rpartition(" ")[2])[:4] == key_id == LOG.verifier.key_id


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_every_head_survives_being_signed(size: int, root: bytes, seed: bytes) -> None:
    key = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(seed))
    head = Checkpoint(ORIGIN, size, root)
    assert open_note(sign(head, key), [key.verifier]) == head


@given(st.data())
def test_note_with_any_one_character_changed_is_refused_or_says_the_same(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(NOTE) - 1))
    character = data.draw(st.characters(min_codepoint=0x0A, max_codepoint=0x7E).filter(lambda c: c != NOTE[place]))
    with pytest.raises(LogError):
        open_note(NOTE[:place] + character + NOTE[place + 1 :], [LOG.verifier])


def test_note_of_another_tool_is_parsed_and_its_signer_is_unknown() -> None:
    assert parse_checkpoint(FOREIGN_NOTE.partition("\n\n")[0] + "\n").size == 20852163
    with pytest.raises(LogError, match="no signature of a known key"):
        open_note(FOREIGN_NOTE, [LOG.verifier])


def test_signature_of_another_tool_verifies_under_its_published_key() -> None:
    key = parse_vkey(FOREIGN_VKEY)
    assert vkey(key) == FOREIGN_VKEY
    text, _, line = FOREIGN_SIGNED.partition("\n\n")
    signature = base64.b64decode(line.split(" ")[2])
    assert signature[:4] == key.key_id
    assert key.verify(signature[4:], text.encode() + b"\n")
    with pytest.raises(LogError, match="three lines"):
        open_note(FOREIGN_SIGNED, [key])


def test_wrong_exit_code_is_never_given_for_a_bad_checkpoint() -> None:
    with pytest.raises(LogError) as caught:
        open_note("", [LOG.verifier])
    assert caught.value.exit_code is Exit.LOG_NOT_VERIFIED


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{ORIGIN}\n5\n{ROOT64}",
        f"{ORIGIN}\n05\n{ROOT64}\n",
        f"{ORIGIN}\n00\n{ROOT64}\n",
        f"{ORIGIN}\n+5\n{ROOT64}\n",
        f"{ORIGIN}\n-5\n{ROOT64}\n",
        f"{ORIGIN}\n5 \n{ROOT64}\n",
        f"{ORIGIN}\n5.0\n{ROOT64}\n",
        f"{ORIGIN}\n\u0665\n{ROOT64}\n",
        f"{ORIGIN}\n{10**19}\n{ROOT64}\n",
        f"{ORIGIN}\n5\n{ROOT64}\nextension\n",
        f"{ORIGIN}\n5\n{ROOT64}\n\n",
        f"{ORIGIN}\r\n5\r\n{ROOT64}\r\n",
        f"\n5\n{ROOT64}\n",
        f"two words\n5\n{ROOT64}\n",
        f"plus+sign\n5\n{ROOT64}\n",
        f"no\u00a0break\n5\n{ROOT64}\n",
        f"{ORIGIN}\n5\n{ROOT64} \n",
        f"{ORIGIN}\n5\n\n",
    ],
)
def test_checkpoint_of_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(LogError, match="must be three lines"):
        parse_checkpoint(text)


@pytest.mark.parametrize("root", [ROOT64[:-1], ROOT64 + "=", ROOT64[:-2] + "9=", ROOT64[:-2] + "==", "A" * 43, "A==="])
def test_root_in_another_spelling_is_refused(root: str) -> None:
    with pytest.raises(LogError, match=r"canonical form|three lines"):
        parse_checkpoint(f"{ORIGIN}\n5\n{root}\n")


@pytest.mark.parametrize("length", [1, 31, 33])
def test_root_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(LogError, match="32 bytes"):
        parse_checkpoint(f"{ORIGIN}\n5\n{base64.b64encode(bytes(length)).decode()}\n")


def test_size_must_fit_the_database() -> None:
    assert parse_checkpoint(f"{ORIGIN}\n{2**63 - 1}\n{ROOT64}\n").size == 2**63 - 1
    with pytest.raises(LogError, match="below 2"):
        parse_checkpoint(f"{ORIGIN}\n{2**63}\n{ROOT64}\n")


@pytest.mark.parametrize(
    "head", [Checkpoint(ORIGIN, -1, ROOT), Checkpoint(ORIGIN, 1, ROOT[1:]), Checkpoint(ORIGIN + "\n7", 1, ROOT)]
)
def test_head_that_could_not_be_read_back_is_never_spelled(head: Checkpoint) -> None:
    with pytest.raises(LogError):
        checkpoint_text(head)


@pytest.mark.parametrize(
    "note",
    [
        TEXT,
        TEXT + "\n",
        TEXT + "\n\n",
        NOTE.removesuffix("\n"),
        NOTE + "\n",
        NOTE + "\n\n",
        TEXT + "\n" + SIGNATURE + "\n",
    ],
)
def test_note_without_its_signature_part_is_refused(note: str) -> None:
    with pytest.raises(LogError, match=r"must end with|signature line"):
        open_note(note, [LOG.verifier])


@pytest.mark.parametrize(
    "line",
    [
        "",
        SIGNATURE.replace("\u2014", "-"),
        SIGNATURE.replace("\u2014 ", "\u2014"),
        SIGNATURE + " ",
        SIGNATURE.replace(" ", "  "),
        "\u2014 name",
        "\u2014 name ",
        "\u2014 name AAAAAA==",  # a key id and no signature
        "\u2014 na+me AAAAAAAA",
        "\u2014 name A-AAAAAA",
        "see below",
    ],
)
def test_malformed_line_among_the_signatures_is_refused_even_beside_a_good_one(line: str) -> None:
    with pytest.raises(LogError, match=r"signature line|must end with"):
        open_note(f"{NOTE}{line}\n", [LOG.verifier])


@pytest.mark.parametrize("encoded", ["AAAAAAA", "AAAAAAB=", "A===", "AAAAAAAA=="])
def test_signature_in_another_spelling_of_base64_is_refused(encoded: str) -> None:
    with pytest.raises(LogError, match=r"canonical form|signature line"):
        open_note(f"{NOTE}\u2014 name {encoded}\n", [LOG.verifier])


@pytest.mark.parametrize("character", ["\r", "\0", "\t", "\x1f", "\ud800"])
def test_control_character_anywhere_is_refused(character: str) -> None:
    with pytest.raises(LogError, match="control character"):
        open_note(NOTE.replace("\n", f"{character}\n", 1), [LOG.verifier])


def test_note_sent_with_crlf_is_refused() -> None:
    with pytest.raises(LogError, match="CRLF"):
        open_note(NOTE.replace("\n", "\r\n"), [LOG.verifier])


def test_unknown_signature_lines_are_skipped() -> None:
    other = signer(2, "witness.example/\u00e9").signature_line(TEXT + "\n")
    same_name = signer(3).signature_line(TEXT + "\n")
    long = f"\u2014 post-quantum.example {base64.b64encode(bytes(4 + 4_627)).decode()}\n"
    note = f"{TEXT}\n\n{other}{same_name}{long}{SIGNATURE}\n{other}"
    assert open_note(note, [LOG.verifier]) == HEAD


def test_note_that_no_known_key_signed_is_refused() -> None:
    for keys in ([], [signer(2).verifier], [VerifierKey("else.example", LOG.verifier.public_key)]):
        with pytest.raises(LogError, match="no signature of a known key"):
            open_note(NOTE, keys)


def test_bad_signature_of_one_known_key_refuses_the_note_although_another_is_good() -> None:
    coming = signer(2)
    bad = coming.signature_line("another text\n")
    with pytest.raises(LogError, match="bad signature of a known key"):
        open_note(NOTE + bad, [LOG.verifier, coming.verifier])
    assert open_note(NOTE + bad, [LOG.verifier]) == HEAD


def test_signature_of_another_length_is_a_bad_signature() -> None:
    short = base64.b64encode(LOG.verifier.key_id + bytes(63)).decode()
    with pytest.raises(LogError, match="bad signature"):
        open_note(f"{TEXT}\n\n\u2014 {ORIGIN} {short}\n", [LOG.verifier])


def test_signature_moved_to_another_head_is_refused() -> None:
    with pytest.raises(LogError, match="bad signature"):
        open_note(NOTE.replace("70000", "70001"), [LOG.verifier])


def test_rotation_signs_with_both_keys_and_either_opens_the_note() -> None:
    coming = signer(2)
    note = sign(HEAD, LOG, coming)
    for keys in ([LOG.verifier], [coming.verifier], [LOG.verifier, coming.verifier]):
        assert open_note(note, keys) == HEAD


def test_key_of_another_log_cannot_sign_a_checkpoint() -> None:
    stranger = signer(1, "other.example/log")
    with pytest.raises(LogError, match="another log"):
        sign(HEAD, stranger)
    forged = f"{TEXT}\n\n{stranger.signature_line(TEXT + chr(10))}"
    with pytest.raises(LogError, match="belongs to another log"):
        open_note(forged, [stranger.verifier])


def test_sixteen_signatures_are_accepted_and_a_flood_is_not() -> None:
    unknown = signer(2, "witness.example").signature_line(TEXT + "\n")
    assert open_note(NOTE + unknown * 15, [LOG.verifier]) == HEAD
    with pytest.raises(LogError, match="more than 100"):
        open_note(NOTE + unknown * MAX_SIGNATURES, [LOG.verifier])
    with pytest.raises(LogError, match="longer than"):
        open_note(NOTE + "x" * MAX_NOTE_CHARACTERS, [LOG.verifier])


@pytest.mark.parametrize("name", ["", "two words", "plus+sign", "line\nbreak", "tab\t", "\ud800", "no\u00a0break"])
def test_name_that_no_note_can_carry_is_refused(name: str) -> None:
    with pytest.raises(LogError, match="key name or origin"):
        signer(1, name)


@given(st.binary(min_size=32, max_size=32))
def test_public_key_survives_being_spelled(public_key: bytes) -> None:
    key = VerifierKey(ORIGIN, public_key)
    assert parse_vkey(vkey(key)) == key
    assert not key.verify(bytes(64), b"anything")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must read"),
        (ORIGIN, "must read"),
        (FOREIGN_VKEY + "\n", "must read"),
        (FOREIGN_VKEY.replace("c74f20a3", "C74F20A3"), "must read"),
        (FOREIGN_VKEY.replace("c74f20a3", "c74f20a4"), "does not belong"),
        (FOREIGN_VKEY.replace("Peter", "Petra"), "does not belong"),
        (FOREIGN_VKEY.replace("+AR", "+BB"), "must be an Ed25519 key"),
        (FOREIGN_VKEY[:-4], "32 bytes"),
        (FOREIGN_VKEY[:-1], "canonical form"),
    ],
)
def test_public_key_of_any_other_form_is_refused(text: str, reason: str) -> None:
    with pytest.raises(LogError, match=reason):
        parse_vkey(text)
