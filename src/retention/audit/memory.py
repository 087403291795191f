"""What the anchor files remember of a log, held against the database before anything is added to it or signed.

Rules:

1. The newest checkpoint of the log in an anchor (of the latest epoch, of the greatest size, its signature verified)
   must be one that the log in the database goes on from. A database that is behind it was restored or rolled back; one
   that went another way was rewritten. Neither is written to or signed.
2. What does not verify is passed over, because a crash may tear a note. A whole note by a key that is not here is not
   passed over: then the keys are older than the anchor.
3. An anchor that is gone although checkpoints were written to it is not begun anew by itself.

The files are read before the database, so that what another process signs meanwhile does not look like a restore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retention.audit import rotation, stored
from retention.audit.anchor import read_notes
from retention.audit.checkpoint import open_note, signatures_of
from retention.audit.epoch import epoch_of
from retention.audit.merkle import Frontier
from retention.audit.proof import verify_consistency
from retention.audit.prove import Prover
from retention.audit.tiles import DatabaseTiles
from retention.errors import AnchorError, LogError, RestoredError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.audit.checkpoint import Checkpoint, VerifierKey

_SIGNATURE_BYTES = 64
_HOW_TO_GO_ON = (
    "Nothing was changed. If another database was meant, correct [database] url. If the database was restored from a "
    'backup, begin a new epoch of the log, which names what was lost: retention audit new-epoch --reason "WHY"'
)


class AnchorFile(NamedTuple):
    """One anchor file: its name in the configuration, where it is, and whether work stops where it cannot be used."""

    name: str
    path: Path
    required: bool


class Remembered(NamedTuple):
    """What one anchor file holds of a log.

    ``newest`` is the newest checkpoint of any epoch, ``own`` the newest of the log's own, ``strange`` a newer one by a
    key that is not here. ``problem`` says why the file cannot be read, ``there`` whether there is one.
    """

    file: AnchorFile
    newest: Checkpoint | None = None
    own: Checkpoint | None = None
    strange: Checkpoint | None = None
    there: bool = True
    problem: str | None = None


class Memory:
    """What all anchor files of an installation hold of its log, as they were read at one moment."""

    def __init__(self, origin: str, found: Sequence[Remembered]) -> None:
        """Keep what was read; :func:`remember` reads it."""
        self._origin = origin
        self.found = found

    def compare(self, connection: Connection) -> list[str]:
        """Prove that the log in the database goes on from what every anchor holds (RFC 9162 section 2.1.4).

        Args:
            connection: any transaction that was begun after the files were read.

        Returns:
            A sentence for each anchor that somebody emptied, which a person must look at although work may go on.

        Raises:
            RestoredError: the database is older than an anchor, or went another way.
            AnchorError: an anchor that is required cannot be read, or is gone.
            LogError: the log is damaged, so nothing can be proven about it.

        """
        for one in self.found:
            self._prove(connection, one)
        emptied = [one for one in self.found if one.there and one.problem is None]
        wrong = [
            problem
            for one in self.found
            if one.file.required and one not in emptied and (problem := one.problem or self._lost(connection, one))
        ]
        if wrong:
            raise AnchorError("\n".join(wrong))
        return [problem for one in emptied if (problem := self._lost(connection, one))]

    def newest(self) -> Checkpoint | None:
        """Give the newest checkpoint of any epoch that any anchor holds.

        Returns:
            The one of the latest epoch and, within it, of the greatest size; None where there is none.

        """
        known = [one for found in self.found for one in (found.newest, found.strange) if one is not None]
        return max(known, key=_age, default=None)

    def _prove(self, connection: Connection, one: Remembered) -> None:
        strange, ours = one.strange, epoch_of(self._origin).number
        if strange is not None and epoch_of(strange.origin).number >= ours:
            msg = (
                f"safety belt restored: {one.file.path} holds a checkpoint of the log {strange.origin} with "
                f"{strange.size} entries, signed by a key that is not in the key folder. Were keys and database "
                f"restored together? Put the newest backup of the keys back. {_HOW_TO_GO_ON}"
            )
            raise RestoredError(msg)
        if one.newest is None:
            return
        theirs = epoch_of(one.newest.origin).number
        if theirs < ours:
            return
        head = stored.head(connection)
        if theirs > ours or one.newest.size > head.size:
            msg = (
                f"safety belt restored: the database is older than its anchor. The log {self._origin} in it has "
                f"{head.size} entries; {one.file.path} holds a checkpoint of {one.newest.origin} with "
                f"{one.newest.size}. {_HOW_TO_GO_ON}"
            )
            raise RestoredError(msg)
        _prove_growth(connection, one, one.newest, head)

    def _lost(self, connection: Connection, one: Remembered) -> str | None:
        """Say that an anchor has lost what was written to it, where it has."""
        if one.own is not None:
            return None
        size = stored.greatest_anchored(connection, one.file.name)
        if size is None or size <= self._begin(connection):
            return None
        if not one.there:
            return (
                f"{one.file.path}: the anchor is missing, though checkpoints were written to it, the last one with "
                f"{size} entries. Is its disk mounted, or was the file moved? Put it back. If it is lost for good, "
                "make an empty file there; then a finding asks a person to look"
            )
        return (
            f"{one.file.path}: holds no checkpoint of this log, though some were written to it, the last one with "
            f"{size} entries; whoever emptied it can tell why"
        )

    def _begin(self, connection: Connection) -> int:
        """Give the index of the first entry of the present epoch."""
        if epoch_of(self._origin).number == 1:
            return 0
        return max((one.seq for one in rotation.introduced(connection) if one.key.name == self._origin), default=0)


def _prove_growth(connection: Connection, one: Remembered, newest: Checkpoint, head: stored.StoredHead) -> None:
    edge = Frontier.from_bytes(head.edge)
    prover = Prover(DatabaseTiles(connection), head.size)
    if (edge.size, edge.root()) != (head.size, head.root) or (head.size and prover.root() != head.root):
        msg = "the audit log is damaged, so it cannot be held against its anchor; look with: retention audit verify"
        raise LogError(msg)
    path = prover.consistency(newest.size)
    try:
        verify_consistency(newest.size, newest.root, path, head.size, head.root)
    except LogError:
        msg = (
            f"safety belt restored: the log in the database does not go on from its anchor: the first {newest.size} of "
            f"its {head.size} entries are not those of the checkpoint in {one.file.path}. The database was rewritten, "
            f"or restored and worked with. Look with: retention audit verify. {_HOW_TO_GO_ON}"
        )
        raise RestoredError(msg) from None


def remember(files: Iterable[AnchorFile], origin: str, keys: Sequence[VerifierKey]) -> Memory:
    """Read what anchor files hold of a log.

    Args:
        files: the anchor files.
        origin: the log's origin in its present epoch.
        keys: the public keys that may have signed its checkpoints.

    Returns:
        What was found; a file that cannot be read is among it with its problem.

    """
    return Memory(origin, [_read(file, origin, keys) for file in files])


def _read(file: AnchorFile, origin: str, keys: Sequence[VerifierKey]) -> Remembered:
    try:
        notes = read_notes(file.path, epoch_of(origin).family)
    except AnchorError as error:
        return Remembered(file, problem=str(error))
    if notes is None:
        return Remembered(file, there=False)
    newest: Checkpoint | None = None
    strange: Checkpoint | None = None
    for said, note in sorted(notes, key=lambda pair: _age(pair[0]), reverse=True):
        try:
            found = open_note(note, keys)
        except LogError:
            if newest is None and strange is None and _is_whole(note, keys):
                strange = said
            continue
        newest = newest or found
        if found.origin == origin:
            return Remembered(file, newest, found, strange)
    return Remembered(file, newest, None, strange)


def _is_whole(note: str, keys: Sequence[VerifierKey]) -> bool:
    """Tell whether every signature has its full length and is by a key that is not here."""
    known = {key.key_id for key in keys}
    return all(
        key_id not in known and len(signature) == _SIGNATURE_BYTES for _, key_id, signature in signatures_of(note)
    )


def _age(checkpoint: Checkpoint) -> tuple[int, int]:
    return epoch_of(checkpoint.origin).number, checkpoint.size
