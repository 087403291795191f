"""The host key that the configuration pins: the only server that is ever talked to, from the first time on."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
_TYPES = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """A host key by its fingerprint. ``algorithms`` are those to ask the server for; none where the type is unknown."""

    fingerprint: str
    algorithms: tuple[str, ...] = ()


def parse_host_key(text: str) -> PinnedKey:
    """Read a host key as ``ssh-keyscan`` or ``ssh-keygen -l`` writes it: type and key, or a SHA-256 fingerprint.

    Raises:
        ValueError: it is neither; the message says what to write.

    """
    if _FINGERPRINT.fullmatch(text):
        return PinnedKey(text.rstrip("="))
    kind, encoded = [*text.split(maxsplit=2), "", ""][:2]  # a comment may follow
    blob = _blob(encoded)
    stated = kind.encode("utf-8", "replace")
    if kind not in _TYPES or not blob.startswith(len(stated).to_bytes(_LENGTH_BYTES, "big") + stated):
        msg = "write the server's key as type and text (ssh-ed25519 AAAA…), or its fingerprint (SHA256:…)"
        raise ValueError(msg)
    return PinnedKey(fingerprint_of(blob), _TYPES[kind])


def fingerprint_of(blob: bytes) -> str:
    """Give the fingerprint of a public key in its wire form, as OpenSSH writes it."""
    return "SHA256:" + b64encode(sha256(blob).digest()).decode("ascii").rstrip("=")


def _blob(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
