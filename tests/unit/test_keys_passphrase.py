"""The signing key may be encrypted; a wrong passphrase is told apart from a wrong file."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from retention.audit.keys import create_key_directory, load_signer, load_verifier
from retention.errors import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "stats.example/retention"


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    create_key_directory(tmp_path / "keys", ORIGIN, "secret words")
    return tmp_path / "keys"


def test_key_made_with_a_passphrase_opens_with_it_alone(locked: Path) -> None:
    assert (locked / "signing.pem").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert load_signer(locked, "secret words").verifier == load_verifier(locked)


@pytest.mark.parametrize(
    ("passphrase", "said"),
    [
        (None, r"signing\.pem: is encrypted and no passphrase was given; .*credential signing-passphrase"),
        ("other words", r"signing\.pem: does not open with the passphrase given; .*RETENTION_SIGNING_PASSPHRASE"),
        ("", "the passphrase of the signing key is empty"),
    ],
)
def test_missing_wrong_and_empty_passphrase_are_told_apart(locked: Path, passphrase: str | None, said: str) -> None:
    with pytest.raises(KeyFileError, match=said) as caught:
        load_signer(locked, passphrase)
    assert "words" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_key_is_not_made_with_an_empty_passphrase(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="is empty"):
        create_key_directory(tmp_path / "keys", ORIGIN, "")
    assert list(tmp_path.iterdir()) == []


def test_key_that_is_not_encrypted_goes_on_working_where_a_passphrase_is_given(tmp_path: Path) -> None:
    made = create_key_directory(tmp_path / "keys", ORIGIN)
    assert load_signer(tmp_path / "keys", "secret words").verifier == made.verifier


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_key_that_openssl_encrypted_opens(tmp_path: Path) -> None:
    made = create_key_directory(tmp_path / "keys", ORIGIN)
    file = tmp_path / "keys" / "signing.pem"
    command = ["openssl", "pkcs8", "-topk8", "-in", str(file), "-out", str(file) + ".new", "-passout", "env:WORDS"]
    subprocess.run(command, check=True, env={**os.environ, "WORDS": "secret words"})
    file.with_name("signing.pem.new").replace(file)
    file.chmod(0o600)
    assert load_signer(tmp_path / "keys", "secret words").verifier == made.verifier


def test_key_that_this_user_may_not_read_is_told_as_that(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("retention.audit.keyfiles.os.open", refuse)
    with pytest.raises(KeyFileError, match=r"signing\.pem: cannot be read by this user; run: chown \d+ "):
        load_signer(locked, "secret words")
