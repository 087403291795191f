"""A private key as PKCS#8 in PEM, encrypted where a passphrase was given when it was made.

An unattended run has nobody to type a passphrase: it comes from the service manager (a systemd credential), from a file
that the environment names, or from the environment. No error repeats it, or what a file holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.errors import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path

ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"

_WHERE_TO_GIVE_IT = (
    "give the right one as the systemd credential signing-passphrase, in the file named by"
    " $RETENTION_SIGNING_PASSPHRASE_FILE, or in $RETENTION_SIGNING_PASSPHRASE"
)


def to_pem(private_key: Ed25519PrivateKey, passphrase: str | None) -> bytes:
    """Spell a private key for its file.

    Args:
        private_key: The key.
        passphrase: What it is encrypted with (PKCS#8, RFC 5958), or None to leave it as it is.

    Returns:
        PEM.

    Raises:
        KeyFileError: the passphrase is empty.

    """
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(_secret(passphrase))
    return private_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def from_pem(file: Path, data: bytes, passphrase: str | None) -> Ed25519PrivateKey:
    """Read a private key.

    Args:
        file: Where it stood, for the message.
        data: PEM, as to_pem() or another tool spelled it.
        passphrase: What opens it where it is encrypted; not used where it is not.

    Returns:
        The key.

    Raises:
        KeyFileError: not an Ed25519 key in PKCS#8, or the passphrase is missing or wrong; the message says what to do.

    """
    encrypted = data.startswith(ENCRYPTED)
    if encrypted and passphrase is None:
        msg = f"{file}: is encrypted and no passphrase was given; {_WHERE_TO_GIVE_IT}"
        raise KeyFileError(msg)
    password = _secret(passphrase) if encrypted and passphrase is not None else None
    try:
        private_key = serialization.load_pem_private_key(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        msg = f"{file}: is not a PKCS#8 key; restore the file from the backup of the keys"
        if encrypted:
            msg = f"{file}: does not open with the passphrase given; {_WHERE_TO_GIVE_IT}, or restore the file"
        raise KeyFileError(msg) from None
    if not isinstance(private_key, Ed25519PrivateKey):
        msg = f"{file}: is not an Ed25519 key; restore the file from the backup of the keys"
        raise KeyFileError(msg)
    return private_key


def _secret(passphrase: str) -> bytes:
    if not passphrase:
        msg = f"the passphrase of the signing key is empty; {_WHERE_TO_GIVE_IT}"
        raise KeyFileError(msg)
    return passphrase.encode("utf-8", "surrogateescape")
