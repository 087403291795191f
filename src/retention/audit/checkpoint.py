"""Signed heads of the log: C2SP tlog-checkpoint inside C2SP signed-note, with Ed25519 and nothing else.

    <origin>                                     the text: exactly three lines, each ended by one LF
    <size in decimal>
    <root hash in base64>
                                                 an empty line
    — <key name> <base64 of key id || signature of the text>

Strict on purpose: one head has one spelling, so that two people who compare checkpoints compare bytes. Refused are
extension lines, CR, a leading zero, base64 that another spelling would also decode to, and a signature line that is not
of the form above. A well-formed line by a key that is not known (a witness, a retired or coming key) is skipped. A bad
signature by a known key refuses the whole note. Nothing is read from the text before a signature was verified, and one
of the signatures must be by the log itself: by a key whose name is the origin.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_NOTE_CHARACTERS = 2**20
MAX_SIGNATURES = 100

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_HASH_BYTES = 32
_MAX_SIZE = 2**63 - 1
_NAME = r"[^\s+\x00-\x1f\ud800-\udfff]+"
_BASE64 = r"[A-Za-z0-9+/]+={0,2}"
_KEY_NAME = re.compile(_NAME)
_TEXT = re.compile(rf"({_NAME})\n(0|[1-9][0-9]{{0,18}})\n({_BASE64})\n")
_SIGNATURE_LINE = re.compile(rf"\u2014 ({_NAME}) ({_BASE64})")
_VKEY = re.compile(rf"({_NAME})\+([0-9a-f]{{8}})\+({_BASE64})")
_FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of the log called ``origin`` at ``size`` entries: ``root`` is 32 bytes."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key that is trusted under a name: ``public_key`` is 32 bytes (RFC 8032)."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        """Refuse a name that no note can carry (C2SP signed-note, "Format")."""
        if not _KEY_NAME.fullmatch(self.name):
            msg = "a key name or origin must not be empty and must hold no space, plus sign or control character"
            raise LogError(msg)
        if len(self.public_key) != _HASH_BYTES:
            msg = "an Ed25519 public key must have 32 bytes"
            raise LogError(msg)

    @property
    def key_id(self) -> bytes:
        """Give the 4 bytes that name this key in a signature line (C2SP signed-note, "Ed25519 signatures")."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:_KEY_ID_BYTES]

    def verify(self, signature: bytes, text: bytes) -> bool:
        """Tell whether this key signed the text (RFC 8032 section 5.1.7).

        Args:
            signature: 64 bytes; any other length is no signature.
            text: The bytes that were signed.

        Returns:
            True where it did.

        """
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A private key with the name it signs under; ``older`` are keys that it takes over from and that sign too."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey, older: tuple[Signer, ...] = ()) -> None:
        """Keep the key and derive its public half; raises LogError for a name that no note can carry."""
        self._private_key = private_key
        self.older = older
        self.verifier = VerifierKey(name, private_key.public_key().public_bytes_raw())

    def signature_line(self, text: str) -> str:
        """Sign a text (C2SP signed-note, "Signatures").

        Args:
            text: The text of the note with its last newline.

        Returns:
            The signature line, ended by a newline.

        """
        signature = self._private_key.sign(text.encode())
        return f"\u2014 {self.verifier.name} {b64encode(self.verifier.key_id + signature).decode('ascii')}\n"


def vkey(verifier: VerifierKey) -> str:
    """Spell a public key the way other verifiers take it (C2SP signed-note; "vkey" of the Go tools).

    Args:
        verifier: The public key and its name.

    Returns:
        ``name+8 hex digits of the key id+base64 of 0x01 and the key``.

    """
    encoded = b64encode(_ED25519 + verifier.public_key).decode("ascii")
    return f"{verifier.name}+{verifier.key_id.hex()}+{encoded}"


def parse_vkey(text: str) -> VerifierKey:
    """Read a public key that vkey() or another tool spelled.

    Args:
        text: One line without its newline.

    Returns:
        The public key and its name.

    Raises:
        LogError: not of that form, another algorithm, or a key id that does not belong to the key.

    """
    match = _VKEY.fullmatch(text)
    if match is None:
        msg = "a verifier key must read name+key id+base64, in one line"
        raise LogError(msg)
    name, key_id, encoded = match.groups()
    data = _decode(encoded)
    if data[:1] != _ED25519:
        msg = "a verifier key must be an Ed25519 key: the first byte of its base64 part must be 1"
        raise LogError(msg)
    verifier = VerifierKey(name, data[1:])
    if verifier.key_id.hex() != key_id:
        msg = "the key id of a verifier key does not belong to its name and key; copy it again in full"
        raise LogError(msg)
    return verifier


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Spell a head as the text that is signed (C2SP tlog-checkpoint, "Note text").

    Args:
        checkpoint: The head.

    Returns:
        Three lines, each ended by a newline.

    Raises:
        LogError: the origin, size or root cannot stand in a checkpoint.

    """
    text = f"{checkpoint.origin}\n{checkpoint.size}\n{b64encode(checkpoint.root).decode('ascii')}\n"
    parse_checkpoint(text)
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a note whose signature was verified (C2SP tlog-checkpoint, "Note text").

    Args:
        text: Exactly three lines, each ended by one LF.

    Returns:
        The head.

    Raises:
        LogError: anything else; see this module's header.

    """
    match = _TEXT.fullmatch(text)
    if match is None:
        msg = "a checkpoint must be three lines: origin, size without leading zero, root hash in base64"
        raise LogError(msg)
    origin, size, root = match[1], int(match[2]), _decode(match[3])
    if len(root) != _HASH_BYTES:
        msg = "the root hash of a checkpoint must have 32 bytes"
        raise LogError(msg)
    if size > _MAX_SIZE:
        msg = "the size of a checkpoint must be below 2**63"
        raise LogError(msg)
    return Checkpoint(origin, size, root)


def sign(checkpoint: Checkpoint, signer: Signer, *more: Signer) -> str:
    """Sign a head; that it only extends every head signed before is the caller's to prove first.

    Args:
        checkpoint: The head.
        signer: The log's key.
        *more: Other keys of the log, while one key takes over from another.

    Returns:
        The note (C2SP signed-note, "Format").

    Raises:
        LogError: the head cannot be spelled, or no key bears the name of the origin.

    """
    signers = [each for one in (signer, *more) for each in (one, *one.older)]
    if checkpoint.origin not in {each.verifier.name for each in signers}:
        msg = "a checkpoint must be signed by the key of its own origin; these keys belong to another log"
        raise LogError(msg)
    text = checkpoint_text(checkpoint)
    return text + "\n" + "".join(each.signature_line(text) for each in signers)


def open_note(note: str, verifiers: Iterable[VerifierKey]) -> Checkpoint:
    """Verify a signed checkpoint, then read it (C2SP signed-note, tlog-checkpoint).

    Args:
        note: The whole note.
        verifiers: The keys that are trusted, from a place the note did not come with.

    Returns:
        The head that was signed.

    Raises:
        LogError: malformed, no valid signature by a known key of the origin, or a bad one by any known key.

    """
    text, lines = _split(note)
    known = {(each.name, each.key_id): each for each in verifiers}
    signed_by = set()
    for name, key_id, signature in map(_parse_signature_line, lines):
        verifier = known.get((name, key_id))
        if verifier is None:
            continue
        if not verifier.verify(signature, text.encode()):
            msg = "a checkpoint carries a bad signature of a known key: the text or the signature was changed"
            raise LogError(msg)
        signed_by.add(name)
    if not signed_by:
        msg = "a checkpoint carries no signature of a known key; compare the key it was made with"
        raise LogError(msg)
    checkpoint = parse_checkpoint(text)
    if checkpoint.origin not in signed_by:
        msg = "a checkpoint is not signed by the key of its own origin: it belongs to another log"
        raise LogError(msg)
    return checkpoint


def signatures_of(note: str) -> list[tuple[str, bytes, bytes]]:
    """Read the signature lines of a note and verify nothing (C2SP signed-note, "Signatures").

    Args:
        note: The whole note.

    Returns:
        Key name, 4 bytes of key id, and the signature, for each line in order.

    Raises:
        LogError: malformed.

    """
    return [_parse_signature_line(line) for line in _split(note)[1]]


def _split(note: str) -> tuple[str, list[str]]:
    if len(note) > MAX_NOTE_CHARACTERS:
        msg = f"a checkpoint must not be longer than {MAX_NOTE_CHARACTERS} characters"
        raise LogError(msg)
    if _FORBIDDEN.search(note):
        msg = "a checkpoint must hold no control character but LF; was it sent through something that writes CRLF?"
        raise LogError(msg)
    body, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        msg = "a checkpoint must end with an empty line and signature lines, each ended by a newline"
        raise LogError(msg)
    lines = signatures[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        msg = f"a checkpoint must not carry more than {MAX_SIGNATURES} signatures"
        raise LogError(msg)
    return body + "\n", lines


def _parse_signature_line(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    data = _decode(match[2]) if match else b""
    if match is None or len(data) <= _KEY_ID_BYTES:
        msg = "a signature line of a checkpoint must read: em dash, key name, base64 of key id and signature"
        raise LogError(msg)
    return match[1], data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:]


def _decode(text: str) -> bytes:
    """Decode base64 and refuse a spelling that b64encode would not give (RFC 4648 section 3.5)."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        data = b""
    if b64encode(data).decode("ascii") != text:
        msg = "base64 in a checkpoint or key is not in its one canonical form"
        raise LogError(msg)
    return data
