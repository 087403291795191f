r"""Cosignatures of witnesses (C2SP tlog-cosignature, ``cosignature/v1``): a witness saw this head, and when.

    — <witness name> base64(key id || 8 bytes of epoch seconds, big-endian || Ed25519 signature)

The signature is over ``cosignature/v1\ntime <seconds>\n`` and the text of the checkpoint. The key's type is 0x04, so
a witness' key is never mistaken for a log's. In every verifier that does not know the key, the line is skipped.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from retention.audit.checkpoint import signatures_of
from retention.errors import LogError

_TYPE = b"\x04"
_KEY_BYTES, _TIME_BYTES = 32, 8


class WitnessKey(NamedTuple):
    """A witness: its name and its public key of 32 bytes (RFC 8032)."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """Give the 4 bytes that name this key in a signature line (C2SP tlog-cosignature, "Format")."""
        return sha256(self.name.encode() + b"\n" + _TYPE + self.public_key).digest()[:4]

    def cosigned_at(self, note: str) -> tuple[str, int]:
        """Find and verify this witness' line in a note (C2SP tlog-cosignature, "Signed message").

        Args:
            note: A whole signed note.

        Returns:
            The line, ended by a newline, and the time in it in epoch seconds.

        Raises:
            LogError: the note has no line of this witness that verifies.

        """
        text = note.rpartition("\n\n")[0] + "\n"
        for name, key_id, data in signatures_of(note):
            if (name, key_id) != (self.name, self.key_id):
                continue
            seconds = int.from_bytes(data[:_TIME_BYTES], "big")
            try:
                Ed25519PublicKey.from_public_bytes(self.public_key).verify(
                    data[_TIME_BYTES:], f"cosignature/v1\ntime {seconds}\n{text}".encode()
                )
            except InvalidSignature:
                break
            return f"\u2014 {name} {b64encode(key_id + data).decode('ascii')}\n", seconds
        msg = "the note carries no signature of the witness that verifies"
        raise LogError(msg)


def parse_witness_key(text: str) -> WitnessKey:
    """Read a witness' verifier key.

    Args:
        text: ``name+8 hex digits of the key id+base64 of 0x04 and the key``.

    Returns:
        The key.

    Raises:
        LogError: not of that form, not of that type, or a key id that does not belong to the key.

    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        data = b64decode(encoded, validate=True)
    except ValueError:
        data = b""
    key = WitnessKey(name, data[1:])
    if data[:1] != _TYPE or len(key.public_key) != _KEY_BYTES or not name or key.key_id.hex() != key_id:
        msg = "a witness' key must read name+key id+base64 of 0x04 and an Ed25519 key; copy it again in full"
        raise LogError(msg)
    return key
