"""The append-only log in the database.

Whoever appends does it inside a transaction of its own that also holds what the entries speak of; this room opens none.
Order inside that transaction: lock the head, write entries, write the tiles they filled, write the new head. A second
writer waits at the head; one that does not is stopped by the primary key of ``audit_entry``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import insert, select, update

from retention.audit import rotation, stored
from retention.audit.checkpoint import Checkpoint, open_note, sign
from retention.audit.merkle import EMPTY_ROOT, Frontier, leaf_hashes
from retention.audit.tables import audit_anchor, audit_checkpoint, audit_entry, audit_head
from retention.errors import KeyFileError, LogError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.audit.checkpoint import Signer

BulkInsert = Callable[["Connection", str, Sequence[str], Sequence[tuple[Any, ...]]], None]
Proof = Callable[["Connection"], object]

_PAGE = 10_000
_TAIL = len('","received_on":"2026-08-22","v":1}')
_PSEUDONYM = slice(-_TAIL - 22, -_TAIL)  # a disposal ends with a pseudonym of 22 characters, a day and the version


class Taken(NamedTuple):
    """An anchor that took a checkpoint: its name and kind, and what it gave for it, if anything."""

    anchor: str
    kind: str
    evidence: bytes = b""


BY_FILE = Taken("file", "file")


class Head(NamedTuple):
    """The log's size and RFC 6962 root."""

    size: int
    root: bytes


def _nothing_to_prove(_: Connection) -> None:
    pass


class AuditLog:
    """The log of one register. ``bulk_insert`` is the database's fast way to insert many rows.

    ``prove`` holds the log against what left the database, and raises where it does not go on from that: it is asked
    before anything is first appended and before every signature.
    """

    def __init__(self, bulk_insert: BulkInsert, prove: Proof = _nothing_to_prove) -> None:
        """Remember how rows are inserted and how the log is held against its anchors."""
        self._insert = bulk_insert
        self._prove = prove
        self._proven = False

    def create(self, connection: Connection) -> None:
        """Write the head of an empty log.

        Args:
            connection: a transaction that writes.

        """
        connection.execute(insert(audit_head).values(id=1, size=0, root=EMPTY_ROOT, edge=Frontier().to_bytes()))

    def append(self, connection: Connection, entries: list[bytes]) -> int:
        """Append entries in the caller's transaction.

        Args:
            connection: a transaction that writes; the head is locked until its end.
            entries: canonical JSON objects, in order.

        Returns:
            The index of the first of them, or the size of the log where there are none.

        Raises:
            LogError: the head is missing or does not fit its own edge.

        """
        frontier = self._locked(connection)
        first = frontier.size
        if not entries:
            return first
        tiles = frontier.append(leaf_hashes(entries))
        rows = [(first + offset, entry.decode("ascii")) for offset, entry in enumerate(entries)]
        self._insert(connection, "audit_entry", ("seq", "body"), rows)
        if tiles:
            self._insert(connection, "audit_tile", ("level", "n", "data"), [tuple(tile) for tile in tiles])
        connection.execute(
            update(audit_head).values(size=frontier.size, root=frontier.root(), edge=frontier.to_bytes())
        )
        return first

    def head(self, connection: Connection) -> Head:
        """Give the log's size and root as the head says them.

        Args:
            connection: any transaction.

        Returns:
            Number of entries and 32-byte root.

        Raises:
            LogError: there is no head.

        """
        head = stored.head(connection)
        return Head(head.size, head.root)

    def lock(self, connection: Connection) -> Head:
        """Lock the head until the end of the transaction, so that everything decided in it stays true.

        Args:
            connection: a transaction that writes.

        Returns:
            Number of entries and 32-byte root.

        Raises:
            LogError: the head is missing or does not fit its own edge.

        """
        frontier = self._locked(connection)
        return Head(frontier.size, frontier.root())

    def sign_head(self, connection: Connection, origin: str, signer: Signer) -> str:
        """Sign the head as a C2SP checkpoint and keep the note.

        Args:
            connection: a transaction that writes.
            origin: the log's origin, which is also the key's name.
            signer: the signing key.

        Returns:
            The signed note; the one that is kept already where this size was signed before.

        Raises:
            LogError: the head is missing or does not fit its own edge, or a checkpoint that is kept speaks of another
                log or of entries that are gone. Signing on would vouch for what was cut off or rewritten.
            RestoredError: the log does not go on from a checkpoint that left the database.
            KeyFileError: another key than this one has taken over.

        """
        self._proven = False
        head = Checkpoint(origin, *self.lock(connection))
        chain = rotation.introduced(connection)
        if len(chain) > 1 and chain[-1].key != signer.verifier:
            msg = "another signing key has taken over meanwhile; run the command again"
            raise KeyFileError(msg)
        latest = stored.latest_note(connection)
        if latest is None or latest.size < head.size:
            note = sign(head, signer)
            connection.execute(insert(audit_checkpoint).values(size=head.size, note=note))
            return note
        if latest.size > head.size or open_note(latest.note, [signer.verifier]) != head:
            msg = "a checkpoint was signed of entries that are gone or changed; look with: retention audit verify"
            raise LogError(msg)
        return latest.note

    def anchored(self, connection: Connection, size: int, at: datetime, by: Taken = BY_FILE) -> None:
        """Record that the checkpoint of a size has left the database, and what was given for it.

        Args:
            connection: a transaction that writes.
            size: the checkpoint's size.
            at: an aware datetime.
            by: which anchor took it.

        """
        moment = int(at.timestamp())
        first = update(audit_checkpoint).where(
            audit_checkpoint.c.size == size, audit_checkpoint.c.anchored_at.is_(None)
        )
        connection.execute(first.values(anchored_at=moment))
        row = {"anchor": by.anchor, "size": size}
        known = select(audit_anchor.c.evidence).where(*(audit_anchor.c[name] == value for name, value in row.items()))
        if connection.execute(known).first() is None:
            connection.execute(insert(audit_anchor).values(**row, kind=by.kind, at=moment, evidence=by.evidence))

    def _locked(self, connection: Connection) -> Frontier:
        size, root, edge = stored.head(connection, lock=True)
        if not self._proven:
            self._prove(connection)
            self._proven = True
        frontier = Frontier.from_bytes(edge)
        if (frontier.size, frontier.root()) != (size, root):
            msg = "the head of the audit log does not fit its own edge; look with: retention audit verify"
            raise LogError(msg)
        return frontier


def stream(connection: Connection, start: int = 0, end: int | None = None) -> Iterator[tuple[int, str]]:
    """Stream entries in order, page by page, so that memory does not grow with the log.

    Args:
        connection: any transaction.
        start: index of the first entry.
        end: index after the last one, or None for all.

    Returns:
        Pairs of index and body.

    """
    columns = select(audit_entry.c.seq, audit_entry.c.body).order_by(audit_entry.c.seq).limit(_PAGE)
    position = start
    while end is None or position < end:
        page = columns.where(audit_entry.c.seq >= position)
        if end is not None:
            page = page.where(audit_entry.c.seq < end)
        rows = connection.execute(page).all()
        yield from ((row[0], row[1]) for row in rows)
        if len(rows) < _PAGE:
            return
        position = rows[-1][0] + 1


def checkpoints(connection: Connection) -> Iterator[stored.StoredNote]:
    """Stream every checkpoint that was signed.

    Args:
        connection: a transaction that sees one state of the database.

    Returns:
        Pairs of size and signed note, by size.

    """
    return stored.notes(connection)


def cosigned(connection: Connection, size: int, note: str) -> str:
    """Append the signatures of witnesses to a note.

    Args:
        connection: any transaction.
        size: the checkpoint's size.
        note: the note as the log signed it.

    Returns:
        The note; whoever does not know a witness skips its line.

    """
    return note + "".join(line.decode("utf-8", "replace") for _, line in stored.evidence(connection, "witness", size))


def disposed_pseudonym(body: str) -> str:
    """Cut the pseudonym out of a disposal.

    Args:
        body: an entry that begins with its batch, as disposals and nothing else do.

    Returns:
        22 characters.

    """
    return body[_PSEUDONYM]


def find_disposals(connection: Connection, pseudonyms: set[str]) -> Iterator[tuple[int, str]]:
    """Find the disposals of messages by their pseudonyms; reads the whole log.

    Args:
        connection: any transaction.
        pseudonyms: 22 characters each.

    Returns:
        Pairs of index and body, in order.

    """
    for seq, body in stream(connection):
        if disposed_pseudonym(body) in pseudonyms and body.startswith('{"batch":'):
            yield seq, body
