"""The signing keys in the key folder: the first in the folder itself, each later one in a numbered folder of its own.

    signing.pem, signing.pub, signing.pub.pem     the first key
    signing/0001-1a2b3c4d                         the second key, which the log introduces
    signing/0002-5e6f7a8b.new                     a key that is complete and not yet in the log

Nothing is moved when a key takes over, so a process that dies leaves either a key that was never used, which the next
rotation takes up, or one that is in use. A retired key loses its private file; the public ones stay.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from retention.audit import keyfiles
from retention.audit.checkpoint import Signer
from retention.audit.keys import SIGNING_KEY, load_signer, load_verifier, write_signing_key
from retention.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from retention.audit.checkpoint import VerifierKey
    from retention.audit.rotation import Introduced

FOLDER = "signing"

_NEW = ".new"


def fingerprint(key: VerifierKey) -> str:
    """Give what people compare: the digest that ``openssl pkey -pubin -outform DER | sha256sum`` shows.

    Args:
        key: A public key.

    Returns:
        64 hex digits, the SHA-256 of the key as SPKI in DER.

    """
    der, spki = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return sha256(Ed25519PublicKey.from_public_bytes(key.public_key).public_bytes(der, spki)).hexdigest()


def public_keys(path: Path) -> list[VerifierKey]:
    """Read the public half of every signing key that is or was in use.

    Args:
        path: The key folder.

    Returns:
        The keys in the order in which they took over.

    Raises:
        KeyFileError: a folder or file cannot be used; the message says what to do.

    """
    return [load_verifier(path), *(load_verifier(folder) for folder in _rotated(path) if folder.suffix != _NEW)]


def _rotated(path: Path) -> list[Path]:
    """List the folders of the keys that followed the first one, in their order."""
    folder = path / FOLDER
    with keyfiles.os_errors(folder):
        if not folder.is_dir():
            return []
        keyfiles.check_folder(folder)
        found = sorted(folder.iterdir())
    for each in found:
        keyfiles.check_folder(each)
    return found


def new_key(path: Path, origin: str, passphrase: str | None) -> Signer:
    """Make a signing key beside the others, or take up one that was made and never used.

    Args:
        path: The key folder.
        origin: Name of the log.
        passphrase: What the private key is encrypted with (PKCS#8), or None to leave it as it is.

    Returns:
        The new key. It is on disk before this returns, and marked as new until :func:`settle` is called. One of another
        name that was never used goes.

    Raises:
        KeyFileError: the disk refuses, or a key that was never used cannot be read.

    """
    others = _rotated(path)
    if others and others[-1].suffix == _NEW:
        if load_verifier(others[-1]).name == origin:
            return load_signer(others[-1], passphrase)
        with keyfiles.os_errors(others[-1]):  # made for an epoch that will not come any more, and never used
            shutil.rmtree(others.pop())
    private_key = Ed25519PrivateKey.generate()
    signer = Signer(origin, private_key)
    folder = path / FOLDER
    with keyfiles.os_errors(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        keyfiles.sync_folder(path)
        draft = path / tempfile.mkdtemp(prefix=".signing.", dir=path)
        try:
            write_signing_key(draft, private_key, signer.verifier, passphrase)
            draft.rename(folder / f"{len(others) + 1:04}-{signer.verifier.key_id.hex()}{_NEW}")
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        keyfiles.sync_folder(folder)
    return signer


def settle(path: Path, key: VerifierKey) -> None:
    """Take the mark of a new key off, once the log introduces it.

    Args:
        path: The key folder.
        key: The key.

    Raises:
        KeyFileError: the folder has no such key, or the disk refuses.

    """
    folder = _folder_of(path, key)
    if folder.suffix == _NEW:
        with keyfiles.os_errors(folder):
            folder.rename(folder.with_suffix(""))
            keyfiles.sync_folder(folder.parent)


def private_file(path: Path, key: VerifierKey) -> Path:
    """Tell which file holds, or held, the private half of a key.

    Args:
        path: The key folder.
        key: Its public half.

    Returns:
        The path of the file; the file itself may be gone.

    Raises:
        KeyFileError: the folder has no such key, or cannot be used.

    """
    return _folder_of(path, key) / SIGNING_KEY


def _folder_of(path: Path, key: VerifierKey) -> Path:
    keyfiles.check_folder(path)
    for folder in (path, *_rotated(path)):
        if load_verifier(folder) == key:
            return folder
    msg = (
        f"{path}: does not hold the signing key {key.key_id.hex()}, which the audit log names; "
        "restore it from the backup of the keys"
    )
    raise KeyFileError(msg)


def load_chain(path: Path, chain: Sequence[Introduced], passphrase: str | None) -> Signer:
    """Read the key that signs now, with those that it takes over from while they sign too.

    Args:
        path: The key folder.
        chain: The keys that the log introduces, in order.
        passphrase: What opens private keys that are encrypted, or None.

    Returns:
        The signer; the first key of the folder where the log cannot be read.

    Raises:
        KeyFileError: a key is lost, swapped, not readable or open to others; the message says what to do.

    """
    if not chain:
        return load_signer(path, passphrase)
    newest = chain[-1].key
    known = {one.key for one in chain}
    stray = [key for key in public_keys(path) if key not in known and key.name == newest.name]
    if stray:
        msg = (
            f"{path}: holds the signing key {stray[0].key_id.hex()}, which the audit log does not name; was the key or "
            "the database swapped, or the database restored from before that key took over?"
        )
        raise KeyFileError(msg)
    older = [
        _load(path, one.key, passphrase)
        for one, successor in pairwise(chain)
        if successor.condemned_at is None and one.key != newest and one.key.name == newest.name
    ]
    signer = _load(path, newest, passphrase)
    signer.older = tuple(older)
    settle(path, newest)  # where whoever introduced it died before doing so
    return signer


def _load(path: Path, key: VerifierKey, passphrase: str | None) -> Signer:
    return load_signer(_folder_of(path, key), passphrase)


def mode_of(file: Path) -> str | None:
    """Give the mode of a file as four octal digits.

    Args:
        file: The file.

    Returns:
        The mode, or None where there is no such file.

    """
    try:
        return f"{stat.S_IMODE(file.stat().st_mode):04o}"
    except OSError:
        return None
