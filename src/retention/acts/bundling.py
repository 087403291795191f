"""Give the log out so that an outsider can verify it: as a bundle, as the proof of one entry.

Each of these is itself an entry, written before anything is given out. The checkpoint is signed after that entry, so
that what is given out covers it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retention.acts.remarks import keep_remark
from retention.audit import rotation
from retention.audit.bundle import Bundle, Written, entry_at, write_bundle
from retention.audit.bundle_tar import write_archive
from retention.audit.checkpoint import Checkpoint, open_note
from retention.audit.entry import entry
from retention.audit.log import find_disposals
from retention.audit.prove import Prover
from retention.audit.since import compare_since, goes_on_from
from retention.audit.tiles import DatabaseTiles
from retention.audit.tlog_proof import TlogProof, verify_proof, write_proof
from retention.errors import LogError, RetentionError, UsageError
from retention.report.deep import compare
from retention.report.ledger import REGISTER_MISMATCH, difference_from_log
from retention.report.work import held_against
from retention.store import findings
from retention.upkeep import sign_checkpoint, sound_log, verify_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from retention.audit.checkpoint import VerifierKey
    from retention.audit.verify import Verification
    from retention.context import Context


_MOST_FINDINGS = 10


class Proven(NamedTuple):
    """A proof, the entry it is of, the checkpoint it leads to and the key that signed it."""

    proof: TlogProof
    body: bytes
    checkpoint: Checkpoint
    key: VerifierKey


def export_bundle(
    context: Context,
    path: Path,
    *,
    now: datetime,
    person: str,
    prove: Sequence[int] = (),
    progress: Callable[[int], None] | None = None,
) -> Written:
    """Write the whole log into a folder, or add to what an earlier export left there; into a tar file, whole each time.

    Raises:
        UsageError: the folder holds something else, or an index is not in the log.
        LogError: the folder holds a bundle of another log, or this log was changed since.
        RetentionError: the disk refuses.

    """
    with _writing(path), sound_log(context, now):
        bundle = _signed(context, "audit-log-bundle", now=now, person=person)
        if not path.name.endswith(".tar"):
            return _write(context, path, bundle, prove, progress)
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            written = _write(context, folder / "bundle", bundle, prove, progress)
            draft = folder / path.name
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                write_archive(folder / "bundle", out)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return written


def _write(
    context: Context, folder: Path, bundle: Bundle, prove: Sequence[int], progress: Callable[[int], None] | None
) -> Written:
    with context.database.read() as connection:
        return write_bundle(connection, folder, bundle, prove, progress)


def prove_entry(context: Context, index: int, *, now: datetime, person: str) -> Proven:
    """Prove that one entry stands in the log, under a checkpoint that is signed for it.

    Raises:
        UsageError: the log has no such entry.
        LogError: the entry, or what it is proven by, was changed; nothing is given out.

    """
    with sound_log(context, now), context.database.read() as connection:
        size = context.log.head(connection).size
    if not 0 <= index < size:
        msg = f"the log has no entry {index}; it has {size}, counted from 0"
        raise UsageError(msg)
    bundle = _signed(context, "audit-log-proof", now=now, person=person)
    with context.database.read() as connection:
        path = Prover(DatabaseTiles(connection), bundle.head.size).inclusion(index)
        body = entry_at(connection, index)
    proof = TlogProof(index, tuple(path), bundle.note)
    try:
        verify_proof(proof, body, [bundle.key])
    except LogError:
        msg = f"entry {index} is not what was signed, so nothing can be proven of it; look with: retention audit verify"
        raise LogError(msg) from None
    return Proven(proof, body, bundle.head, bundle.key)


def entry_of_message(context: Context, message_id: str) -> int:
    """Find the disposal of a message by the source's identifier; give its index.

    Raises:
        RetentionError: the log has none that the month keys which still exist lead to.

    """
    with context.database.read() as connection:
        names = context.pseudonyms.of_message(connection, message_id)
        found = next(find_disposals(connection, set(names)), None)
    if found is None:
        msg = "no disposal in the log is of this message, as far as the month keys that still exist can tell"
        raise RetentionError(msg)
    return found[0]


def save_proof(proven: Proven, path: Path) -> Path:
    """Write a proof, and its entry beside it; give the path of the entry.

    Raises:
        RetentionError: the disk refuses.

    """
    beside = path.with_suffix(".json")
    with _writing(path):
        path.write_text(write_proof(proven.proof), encoding="utf-8", newline="")
        beside.write_bytes(proven.body)
    return beside


def verify_since(
    context: Context, notes: Sequence[str], now: datetime, progress: Callable[[int], None] | None = None
) -> Verification:
    """Verify the log in the database, also against checkpoints that were kept elsewhere.

    Raises:
        LogError: such a checkpoint is not one of this log.

    """
    kept = [open_note(note, context.verifiers) for note in notes]
    found = verify_log(context, now, progress)
    with context.database.read() as connection:
        try:
            head = Checkpoint(context.installation.origin, *context.log.head(connection))
            known = len(found.problems)
            compare_since(connection, head, kept, found.add, rotation.introduced(connection))
            if len(found.problems) == known:
                # The tiles go on from it; that the entries do is only known up to the first that is wrong.
                sound = head.size if found.ok else found.first_bad_index or 0
                found.checked += [goes_on_from(one.size) for one in kept if one.size <= sound]
        except LogError as error:  # a head that cannot be read is among the problems already
            found.add(str(error))
    return found


def verify_deep(
    context: Context, notes: Sequence[str], now: datetime, progress: Callable[[int], None] | None = None
) -> Verification:
    """Verify the log, then hold the register against it; where they differ, a finding says so.

    Raises:
        LogError: a checkpoint that was kept is not one of this log.

    """
    found = verify_since(context, notes, now, progress)
    wrong: list[str] = []

    def report(problem: str, index: int | None) -> None:
        found.add(problem, index)
        wrong.append(problem)

    with context.database.read() as connection:
        if (told := difference_from_log(connection, found)) is not None:
            report(told, None)
        messages = compare(connection, context.month_keys, report)
    if not wrong:
        found.checked.append(held_against(messages))
    with context.database.write() as connection:
        for problem in wrong[:_MOST_FINDINGS]:
            findings.open_finding(connection, REGISTER_MISMATCH, problem, at=now)
    return found


def _signed(context: Context, what: str, *, now: datetime, person: str) -> Bundle:
    """Record that something is given out, then sign a checkpoint that covers the record."""
    signer = context.signer()
    with context.database.write() as connection:
        size = context.log.lock(connection).size + 1
        who = keep_remark(connection, person)
        context.log.append(connection, [entry("exported", now, what=what, by=who, size=size)])
    note = sign_checkpoint(context, signer, now)
    return Bundle(open_note(note, [signer.verifier]), note, signer, context.settings.paths.anchor)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror})"
        raise RetentionError(msg) from None
