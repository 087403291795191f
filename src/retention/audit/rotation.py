"""Which keys sign the log, and since when: the first entry names the first, each ``rotate`` entry the one that follows.

Rules, the same for us and for whoever verifies an export:

1. A checkpoint of size ``n`` must be signed by the key that the last such entry below index ``n`` introduced. Older
   keys may sign beside it; alone they do not count, because what a retired key signs later proves nothing.
2. A key is believed where somebody compared its fingerprint, or where the log introduces it and a checkpoint that a
   believed key signed covers that entry. So belief goes forward from an old key through the checkpoints that both
   signed, and backward from a new one to every key before it.

The table ``audit_rotation`` only says at which indexes to look; what is believed stands in the entries, under the tree.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import insert, select, update

from retention.audit import stored
from retention.audit.checkpoint import VerifierKey, open_note, parse_vkey
from retention.audit.epoch import epoch_of
from retention.audit.tables import audit_rotation
from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from retention.audit.checkpoint import Checkpoint
    from retention.audit.stored import StoredNote

_LARGER_THAN_ANY = 2**63


class Introduced(NamedTuple):
    """A key that the log introduces at an index.

    ``at`` is when, ``until`` how long the key before it signs too (both aware). The private half of the key before it
    is not used any more from ``condemned_at`` on and gone from ``destroyed_at`` on (epoch seconds).
    """

    seq: int
    key: VerifierKey
    at: datetime
    until: datetime | None = None
    condemned_at: int | None = None
    destroyed_at: int | None = None


def parse_introduction(index: int, body: str) -> Introduced | None:
    """Read an entry that may introduce a key.

    Args:
        index: the index of the entry.
        body: the entry, whatever it is.

    Returns:
        What it introduces, or None where it is no ``genesis`` or ``rotate`` entry with a usable key.

    """
    try:
        entry = json.loads(body)
        if entry["kind"] not in {"genesis", "rotate"}:
            return None
        at = _instant(entry["at"])
        ends = entry["kind"] == "genesis" and index  # what signed for an epoch that is over signs no more
        until = at if ends else _instant(entry["until"]) if "until" in entry else None
        return Introduced(index, parse_vkey(entry["verifier_key"]), at, until)
    except (ValueError, KeyError, TypeError, RecursionError, LogError):
        return None


def introduced(connection: Connection) -> list[Introduced]:
    """Give the keys that the log introduces, in order. An entry that cannot be read introduces nothing.

    Args:
        connection: any transaction.

    Returns:
        The key of the first entry and those of the rotations.

    """
    ends = {row[0]: row[1:] for row in connection.execute(select(audit_rotation))}
    found = [parse_introduction(index, body) for index, body in stored.entries_at(connection, [0, *ends])]
    return [Introduced(*one[:4], *ends.get(one.seq, ())) for one in found if one is not None]


def origin_at(chain: Sequence[Introduced], size: int, origin: str) -> str:
    """Give the origin that a checkpoint must have.

    Args:
        chain: the keys that the log introduces, in order.
        size: the size of the checkpoint.
        origin: the origin of any epoch of the log.

    Returns:
        The origin of the epoch that had begun below that size; the one that was given where the log names none.

    """
    key = key_at(chain, size)
    return key.name if key and epoch_of(key.name).family == epoch_of(origin).family else origin


def present_origin(connection: Connection, origin: str) -> str:
    """Give the origin of the log's present epoch.

    Args:
        connection: any transaction.
        origin: the origin of its first epoch.

    Returns:
        What the newest key that the log introduces is named.

    """
    return origin_at(introduced(connection), _LARGER_THAN_ANY, origin)


def record_rotation(connection: Connection, index: int) -> None:
    """Remember at which index an entry stands that lets a key take over.

    Args:
        connection: the transaction that appended it.
        index: its index.

    """
    connection.execute(insert(audit_rotation).values(seq=index))


def condemn_previous(connection: Connection, index: int, at: datetime) -> None:
    """Remember that the private half of the key before a rotation is about to be destroyed.

    Args:
        connection: a transaction that writes.
        index: the index of the ``rotate`` entry.
        at: an aware datetime.

    """
    change = update(audit_rotation).where(audit_rotation.c.seq == index)
    connection.execute(change.values(previous_condemned_at=int(at.timestamp())))


def previous_destroyed(connection: Connection, index: int, at: datetime) -> None:
    """Remember that the private half of the key before a rotation is gone.

    Args:
        connection: the transaction that appends the ``key_retired`` entry.
        index: the index of the ``rotate`` entry.
        at: an aware datetime.

    """
    change = update(audit_rotation).where(audit_rotation.c.seq == index)
    connection.execute(change.values(previous_destroyed_at=int(at.timestamp())))


def key_at(chain: Sequence[Introduced], size: int) -> VerifierKey | None:
    """Give the key that must have signed a checkpoint.

    Args:
        chain: the keys that the log introduces, in order.
        size: the size of the checkpoint.

    Returns:
        The last key that was introduced before that size, or None where none was.

    """
    return next((one.key for one in reversed(chain) if one.seq < size), None)


def believe(
    roots: Iterable[VerifierKey], chain: Sequence[Introduced], notes: Iterable[StoredNote]
) -> list[VerifierKey]:
    """Follow the log from keys that are believed for another reason to those that it introduces.

    Args:
        roots: keys whose fingerprint was compared, or that stand in the key folder.
        chain: the keys that the log introduces, in order.
        notes: the signed checkpoints, in any order; one that does not verify is passed over.

    Returns:
        Every key that is believed, the roots first.

    """
    known = list(dict.fromkeys(roots))
    if all(one.key in known for one in chain):
        return known
    waiting = list(notes)
    while True:
        size = max((found.size for note in waiting if (found := _opened(note, known)) is not None), default=0)
        more = [one.key for one in chain if one.seq < size and one.key not in known]
        if not more:
            return known
        known += dict.fromkeys(more)


def open_signed(note: StoredNote, known: Sequence[VerifierKey], chain: Sequence[Introduced]) -> Checkpoint:
    """Verify a checkpoint and that the key signed it which had to.

    Args:
        note: the checkpoint and the size it is said to have.
        known: the keys that are believed.
        chain: the keys that the log introduces, in order.

    Returns:
        The head that was signed.

    Raises:
        LogError: it does not verify, or a later key had taken over.

    """
    checkpoint = open_note(note.note, known)
    required = key_at(chain, checkpoint.size)
    if required is None or len(chain) < 2:  # noqa: PLR2004  # one key alone never took over from another
        return checkpoint
    if required not in known:
        msg = "the log introduces a signing key that no checkpoint of a known key covers"
        raise LogError(msg)
    try:
        return open_note(note.note, [required])
    except LogError:
        msg = "it is signed by a key that another one had replaced by then, and not by that one"
        raise LogError(msg) from None


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.utcoffset() is None:
        msg = "an instant of an entry must be aware"
        raise ValueError(msg)
    return instant


def _opened(note: StoredNote, known: Sequence[VerifierKey]) -> Checkpoint | None:
    try:
        return open_note(note.note, known)
    except LogError:
        return None
