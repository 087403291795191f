"""Cosignatures of witnesses, made here by the letter of C2SP tlog-cosignature."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.audit.checkpoint import Checkpoint, open_note, sign
from retention.audit.cosignature import parse_witness_key
from retention.errors import LogError
from tests.bundle_kit import ORIGIN, signer

KEY = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
RAW = KEY.public_key().public_bytes_raw()
ID = sha256(b"witness.example/w\n\x04" + RAW).digest()[:4]
VKEY = f"witness.example/w+{ID.hex()}+{b64encode(bytes([4]) + RAW).decode()}"
NOTE = sign(Checkpoint(ORIGIN, 7, bytes(32)), signer())
TEXT = NOTE.partition("\n\n")[0] + "\n"


def line(seconds: int = 1_800_000_000, text: str = TEXT, name: str = "witness.example/w") -> str:
    signature = KEY.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    return f"\u2014 {name} {b64encode(ID + seconds.to_bytes(8, 'big') + signature).decode()}\n"


def test_cosignature_is_verified_and_its_time_read() -> None:
    assert parse_witness_key(VKEY).cosigned_at(NOTE + line()) == (line(), 1_800_000_000)


def test_cosignature_does_not_disturb_the_note() -> None:
    assert open_note(NOTE + line(), [signer().verifier]).size == 7


@pytest.mark.parametrize("added", ["", line(text="other\n"), line(name="witness.example/v"), line()[:-8] + "AAAA\n"])
def test_cosignature_that_is_not_there_or_wrong_is_refused(added: str) -> None:
    with pytest.raises(LogError):
        parse_witness_key(VKEY).cosigned_at(NOTE + added)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "witness.example/w",
        VKEY.replace("+", "-"),
        VKEY[:-4],
        VKEY.replace(ID.hex(), "00000000"),
        f"w+{ID.hex()}+!!!!",
        VKEY.replace("+B", "+A"),
        VKEY.removeprefix("witness.example/w"),
    ],
)
def test_key_that_is_not_a_witness_key_is_refused(wrong: str) -> None:
    with pytest.raises(LogError, match="witness' key must read"):
        parse_witness_key(wrong)
