"""One file that shows that one entry stands in the log: C2SP tlog-proof.

    c2sp.org/tlog-proof@v1
    extra <base64>                               may be missing; nobody vouches for it, so it is not read
    index <the entry's index>
    <hash in base64>                             the inclusion path, from the leaf's sibling upwards; may be empty
                                                 an empty line
    <the signed checkpoint>

The size that the path leads to is the one in the checkpoint, under its signature; the file states no other.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.audit.checkpoint import open_note
from retention.audit.merkle import HASH_SIZE, leaf_hash
from retention.audit.proof import verify_inclusion
from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retention.audit.checkpoint import Checkpoint, VerifierKey

_HEADER = "c2sp.org/tlog-proof@v1"
_MOST_HASHES = 63  # no tree that a 64-bit index can name is higher
_BASE64 = r"[A-Za-z0-9+/]+={0,2}"
_PROOF = re.compile(
    rf"{re.escape(_HEADER)}\n(?:extra {_BASE64}\n)?index (0|[1-9][0-9]{{0,18}})\n((?:{_BASE64}\n)*)\n(.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as its file says it: nothing in it is believed before verify_proof()."""

    index: int
    path: tuple[bytes, ...]
    note: str


def write_proof(proof: TlogProof) -> str:
    """Spell a proof (C2SP tlog-proof, "Format").

    Args:
        proof: The index, the path and the signed checkpoint.

    Returns:
        The text of the file.

    """
    hashes = "".join(f"{b64encode(each).decode('ascii')}\n" for each in proof.path)
    return f"{_HEADER}\nindex {proof.index}\n{hashes}\n{proof.note}"


def parse_proof(text: str) -> TlogProof:
    """Read a proof (C2SP tlog-proof, "Format").

    Args:
        text: The text of the file.

    Returns:
        What it says, not yet verified.

    Raises:
        LogError: Not of this form, or a hash is not in its one canonical spelling.

    """
    match = _PROOF.fullmatch(text)
    if match is None:
        msg = f"not a proof: it must begin with {_HEADER} and go on with index, hashes, an empty line and a checkpoint"
        raise LogError(msg)
    path = tuple(_hash(line) for line in match[2].splitlines())
    if len(path) > _MOST_HASHES:
        msg = f"a proof must not have more than {_MOST_HASHES} hashes"
        raise LogError(msg)
    return TlogProof(int(match[1]), path, match[3])


def verify_proof(proof: TlogProof, entry: bytes, keys: Iterable[VerifierKey]) -> Checkpoint:
    """Check that an entry stands in the log at the index that a proof says (RFC 9162 section 2.1.3.2).

    Args:
        proof: The proof.
        entry: The canonical bytes of the entry, without a newline.
        keys: The public keys that are trusted to sign this log's checkpoints.

    Returns:
        The checkpoint that the entry is proven under.

    Raises:
        LogError: The proof does not show it, or its checkpoint is not signed by one of the keys.

    """
    checkpoint = open_note(proof.note, keys)
    verify_inclusion(leaf_hash(entry), proof.index, proof.path, checkpoint.size, checkpoint.root)
    return checkpoint


def _hash(line: str) -> bytes:
    try:
        data = b64decode(line, validate=True)
    except ValueError:
        data = b""
    if len(data) != HASH_SIZE or b64encode(data).decode("ascii") != line:
        msg = "a hash in a proof must be 32 bytes in canonical base64"
        raise LogError(msg)
    return data
