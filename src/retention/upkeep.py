"""What keeps the audit log in order beside every job: adopt the schedule in force, anchor checkpoints, verify."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from retention.anchors.interface import Outgoing
from retention.audit.checkpoint import parse_checkpoint
from retention.audit.entry import ascii_text, entry
from retention.audit.log import Taken, cosigned
from retention.audit.prove import Prover
from retention.audit.stored import greatest_anchored
from retention.audit.tiles import DatabaseTiles
from retention.audit.verify import Verification, verify
from retention.errors import AnchorError, LogError, RestoredError
from retention.report.ledger import REGISTER_MISMATCH, difference, difference_from_log
from retention.store import findings, ledger, runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from retention.anchors.interface import Anchor
    from retention.audit.canonical import Value
    from retention.audit.checkpoint import Signer
    from retention.context import Context

NOT_VERIFIED = "log-not-verified"
RESTORED = "restored"
ANCHOR_EMPTIED = "anchor-emptied"
ANCHOR_FAILED = "anchor-failed"


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


def hold_against_anchors(context: Context, now: datetime) -> None:
    """Prove that the log goes on from every checkpoint that its anchors hold, before anything is written.

    Raises:
        RestoredError: the database is older than an anchor, or went another way; a finding says so.
        AnchorError: an anchor that is required cannot be read, or is gone; a finding says so.
        LogError: the log is damaged.

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
    for problem in told:
        _find(context, ANCHOR_EMPTIED, problem, now)
    if were_open.keys() & {RESTORED, ANCHOR_FAILED}:
        with context.database.write() as connection:
            findings.mended(connection, RESTORED, at=now)
            findings.mended(connection, ANCHOR_FAILED, at=now, file="")


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
    with context.database.write() as connection:
        if found.ok:
            findings.mended(connection, NOT_VERIFIED, at=now)
        else:
            findings.open_finding(connection, NOT_VERIFIED, found.problems[0], at=now)
        if wrong is not None:
            findings.open_finding(connection, REGISTER_MISMATCH, wrong, at=now)
    return found
