"""What keeps the audit log in order beside every job: adopt the schedule in force, anchor checkpoints, verify."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from retention.anchors.interface import Outgoing
from retention.audit.checkpoint import parse_checkpoint
from retention.audit.entry import ascii_text, entry
from retention.audit.log import Taken, cosigned
from retention.audit.prove import Prover
from retention.audit.soundness import Fault
from retention.audit.stored import greatest_anchored
from retention.audit.tiles import DatabaseTiles
from retention.audit.verify import Verification, verify
from retention.context import check_family
from retention.errors import AnchorError, BrokenLogError, LogError, OtherScheduleError, RestoredError
from retention.report.ledger import REGISTER_MISMATCH, difference, difference_from_log
from retention.report.log_standing import CALLED_MENDED, NOT_VERIFIED
from retention.store import findings, ledger, runs, verifications
from retention.store.guards import missing_guards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.anchors.interface import Anchor
    from retention.audit.canonical import Value
    from retention.audit.checkpoint import Signer
    from retention.context import Context

RESTORED = "restored"
ANCHOR_EMPTIED = "anchor-emptied"
ANCHOR_FAILED = "anchor-failed"
UNGUARDED = "log-unguarded"


def check_register(context: Context, now: datetime) -> str | None:
    """Compare the register with its ledger; where they differ, a finding says so until a person resolves it."""
    with context.database.read() as connection:
        wrong = difference(connection)
    if wrong is not None:
        with context.database.write() as connection:
            ledger.begin(connection)  # where somebody removed its totals, the work must go on all the same
            findings.open_finding(connection, REGISTER_MISMATCH, wrong, at=now)
    return wrong


def adopt_schedule(context: Context, now: datetime) -> None:
    """Record the configured schedule as the one in force, with an entry, where it is not that already."""
    schedule = context.schedule
    with context.database.write() as connection:
        previous = runs.latest_schedule_digest(connection)
        if previous == schedule.digest:
            return
        rules: list[Value] = [
            {"name": rule.name, "keep": str(rule.keep), "authority": ascii_text(rule.authority)}
            for rule in schedule.rules
        ]
        before = {"previous_digest": previous} if previous else {}
        changed = entry("schedule_changed", now, schedule_digest=schedule.digest, rules=rules, **before)
        context.log.append(connection, [changed])
        runs.use_schedule(connection, schedule, now)


def demand_schedule(context: Context) -> None:
    """Refuse to go on where the schedule in force is another than the configured one; the first may be any.

    Raises:
        OtherScheduleError: it is another one.

    """
    with context.database.read() as connection:
        in_force = runs.latest_schedule_digest(connection)
    if in_force not in {None, context.schedule.digest}:
        msg = "another schedule is in force than the one that this process was configured with"
        raise OtherScheduleError(msg)


def demand_order(context: Context, now: datetime) -> None:
    """Refuse to go on unless the log goes on from its anchors and is in order, as far as its ends show.

    Raises:
        BrokenLogError: the log does not verify; the message names the first bad entry, where that is known.
        RestoredError: the log does not go on from what an anchor holds.
        AnchorError: an anchor that is required cannot be read, or is gone.

    """
    hold_against_anchors(context, now)
    demand_sound(context, now)


@contextmanager
def sound_log(context: Context, now: datetime) -> Iterator[None]:
    """Go on only with a log that is in order, as far as its ends show; what the block finds wrong with it is kept too.

    Raises:
        BrokenLogError: the log does not verify; the message names the first bad entry, where that is known.
        RestoredError: the log does not go on from what an anchor holds.
        AnchorError: an anchor that is required cannot be read, or is gone.

    """
    demand_order(context, now)
    try:
        yield
    except BrokenLogError as error:
        _found_bad(context, error.problem, now, error.index)
        raise


def demand_sound(context: Context, now: datetime) -> None:
    """Refuse to go on with a log whose ends do not fit its signed head; one that was found bad is read whole first.

    Raises:
        BrokenLogError: the log does not verify; a finding says so until it verifies in full again.
        KeyFileError: the keys are another log's, so nothing can be said of this one.

    """
    check_family(context.key_folder, context.installation.origin)
    # Twice, because a key that took over between reading the folder and reading the log is no fault.
    fault = _fault(context) and _fault(context)
    if fault is not None:
        _found_bad(context, fault.problem, now, fault.index)
        raise fault.refusal()


def _fault(context: Context) -> Fault | None:
    with context.database.read() as connection:
        fault = context.fault(connection)
        if fault is None and NOT_VERIFIED in findings.count_open(connection):
            found = verify(connection, context.installation.origin, context.verifiers)
            fault = None if found.ok else Fault(found.problems[0], found.first_bad_index)
    return fault


def _found_bad(context: Context, reason: str, now: datetime, index: int | None) -> None:
    """Have it known that the log is bad: one finding, whoever finds it again, and no claim that it was verified."""
    with context.database.write() as connection:
        verifications.note(connection, at=now, size=-1 if index is None else index, ok=False)
        if NOT_VERIFIED not in findings.count_open(connection):
            findings.open_finding(connection, NOT_VERIFIED, reason, at=now)


def hold_against_anchors(context: Context, now: datetime) -> None:
    """Prove that the log goes on from every checkpoint that its anchors hold, before anything is written.

    Raises:
        RestoredError: the database is older than an anchor, or went another way; a finding says so.
        AnchorError: an anchor that is required cannot be read, or is gone; a finding says so.
        BrokenLogError: the log is damaged; a finding says so.

    """
    memory = context.remembered()
    try:
        with context.database.read() as connection:
            told = memory.compare(connection)
            were_open = findings.count_open(connection)
    except RestoredError as error:
        _find(context, RESTORED, str(error), now)
        raise
    except AnchorError as error:
        _find(context, ANCHOR_FAILED, str(error), now)
        raise
    except LogError:
        demand_sound(context, now)
        raise
    for problem in told:
        _find(context, ANCHOR_EMPTIED, problem, now)
    if were_open.keys() & {RESTORED, ANCHOR_FAILED}:
        with context.database.write() as connection:
            findings.mended(connection, RESTORED, at=now)
            findings.mended(connection, ANCHOR_FAILED, at=now, file="")


def hindrances(context: Context) -> list[str]:
    """Say what would refuse a purge whatever its plan: the log does not go on from its anchors, or one is gone."""
    memory = context.remembered()
    try:
        with context.database.read() as connection:
            memory.compare(connection)
    except (RestoredError, AnchorError) as error:
        return [str(error)]
    return []


def unguarded(context: Context) -> list[str]:
    """Say where triggers of the audit log are gone, for those who only look at it or give it out."""
    with context.database.read() as connection:
        return _say_unguarded(connection)


def newest_finding(context: Context) -> int:
    """Give the number of the finding that was opened last, or 0."""
    with context.database.read() as connection:
        return findings.newest(connection)


def raised_since(context: Context, known: int) -> dict[str, int]:
    """Count by kind the findings opened after one, and those that register or log are still not what they must be."""
    with context.database.read() as connection:
        raised = findings.count_open(connection, after=known)
        standing = findings.count_open(connection)
    return {**raised, **{kind: standing[kind] for kind in (REGISTER_MISMATCH, UNGUARDED) if kind in standing}}


def sign_checkpoint(context: Context, signer: Signer, now: datetime, *, probe: bool = False) -> str:
    """Sign the head of the log and give the note to every anchor; it comes back with the signatures of witnesses.

    A ``probe`` goes to those anchors only without which nothing may be deleted.

    Raises:
        AnchorError: an anchor that is required failed; the others have the note, and a finding names each that has not.
        RestoredError: the log does not go on from what an anchor holds.
        LogError: the log is damaged, or went another way than a checkpoint that is kept.

    """
    with context.database.write() as connection:
        note = context.log.sign_head(connection, context.installation.origin, signer)
        size = context.log.head(connection).size
        runs.note_checkpoint(connection, size)
    failed = [
        error
        for anchor in context.anchors()
        if (anchor.required or not probe) and (error := _publish(context, anchor, note, now)) and anchor.required
    ]
    if failed:
        raise AnchorError("\n".join(failed))
    with context.database.read() as connection:
        return cosigned(connection, size, note)


def _publish(context: Context, anchor: Anchor, note: str, now: datetime) -> str | None:
    """Give a note to one anchor; give what went wrong, which a finding says until it works again."""
    text, _, _ = note.rpartition("\n\n")
    checkpoint = parse_checkpoint(f"{text}\n")
    with context.database.read() as connection:
        seen = greatest_anchored(connection, anchor.name)
    out = Outgoing(checkpoint, f"{text}\n", note, partial(_path, context, checkpoint.size), seen)
    try:
        taken = Taken(anchor.name, anchor.kind, anchor.publish(out))
    except AnchorError as error:
        _find(context, ANCHOR_FAILED, str(error), now, anchor.name)
        return str(error)
    with context.database.write() as connection:
        context.log.anchored(connection, checkpoint.size, now, taken)
        findings.mended(connection, ANCHOR_FAILED, at=now, file=anchor.name)
    return None


def _path(context: Context, size: int, old: int) -> list[bytes]:
    """Prove from stored tiles that the log only grew since an older size."""
    with context.database.read() as connection:
        return Prover(DatabaseTiles(connection), size).consistency(old)


def _find(context: Context, kind: str, reason: str, now: datetime, anchor: str = "") -> None:
    with context.database.write() as connection:
        findings.open_finding(connection, kind, reason, at=now, file=anchor)


def _say_unguarded(connection: Connection) -> list[str]:
    if not (missing := missing_guards(connection)):
        return []
    told = f"{missing} of the triggers that keep the audit log append-only are missing or switched off"
    return [f"{told}; find out who did that, then put them back with: retention init"]


def verify_log(context: Context, now: datetime, progress: Callable[[int], None] | None = None) -> Verification:
    """Verify the whole log, also against its anchors; where it fails, a finding says so until it verifies again."""
    memory = context.remembered()
    with context.database.read() as connection:
        found = verify(connection, context.installation.origin, context.verifiers, progress)
        try:
            found.notes += memory.compare(connection)
        except AnchorError as error:
            found.notes.append(str(error))
        except (RestoredError, LogError) as error:
            found.add(str(error))
        wrong = difference_from_log(connection, found)
        unguarded = _say_unguarded(connection)
    found.notes += unguarded
    with context.database.write() as connection:
        if found.ok:
            if verifications.found_bad(connection) and NOT_VERIFIED not in findings.count_open(connection):
                # What a person resolved does not tell until when it was so; this does.
                findings.open_finding(connection, NOT_VERIFIED, CALLED_MENDED, at=now)
            findings.mended(connection, NOT_VERIFIED, at=now)
            verifications.note(connection, at=now, size=found.size, ok=True)
        if unguarded != [one.reason for one in findings.load(connection, open_only=True) if one.kind == UNGUARDED]:
            findings.mended(connection, UNGUARDED, at=now)
        for reason in unguarded:
            findings.open_finding(connection, UNGUARDED, reason, at=now)
        if wrong is not None:
            findings.open_finding(connection, REGISTER_MISMATCH, wrong, at=now)
    if not found.ok:
        _found_bad(context, found.problems[0], now, found.first_bad_index)
    return found
