"""What keeps the audit log in order beside every job: adopt the schedule in force, sign a checkpoint, verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.audit.anchor import append_note
from retention.audit.entry import ascii_text, entry
from retention.audit.verify import Verification, verify
from retention.report.ledger import REGISTER_MISMATCH, difference, difference_from_log
from retention.store import findings, ledger, runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from retention.audit.canonical import Value
    from retention.audit.checkpoint import Signer
    from retention.context import Context

NOT_VERIFIED = "log-not-verified"


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


def sign_checkpoint(context: Context, signer: Signer, now: datetime) -> str:
    """Sign the head of the log and write the note to the anchor, where one is configured."""
    anchor = context.settings.paths.anchor
    with context.database.write() as connection:
        note = context.log.sign_head(connection, context.installation.origin, signer)
        size = context.log.head(connection).size
        runs.note_checkpoint(connection, size)
    if anchor is not None and append_note(anchor, note):
        with context.database.write() as connection:
            context.log.anchored(connection, size, now)
    return note


def verify_log(context: Context, now: datetime, progress: Callable[[int], None] | None = None) -> Verification:
    """Verify the whole log; where it fails, a finding says so until it verifies again."""
    with context.database.read() as connection:
        found = verify(connection, context.installation.origin, context.verifiers, progress)
        wrong = difference_from_log(connection, found)
    with context.database.write() as connection:
        if found.ok:
            findings.mended(connection, NOT_VERIFIED, at=now)
        else:
            findings.open_finding(connection, NOT_VERIFIED, found.problems[0], at=now)
        if wrong is not None:
            findings.open_finding(connection, REGISTER_MISMATCH, wrong, at=now)
    return found
