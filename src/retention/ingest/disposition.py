"""What becomes of a file once it was imported: it goes now, waits until it is due, or waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from retention.ingest.importing import FileEnd
from retention.model import from_epoch
from retention.policy.period import expires_on

if TYPE_CHECKING:
    from datetime import timedelta

    from retention.ingest.importing import AfterImport
    from retention.model import Period
    from retention.settings import SourceSettings
    from retention.store.imports import Progress


@dataclass(frozen=True, slots=True)
class QuarantineTerms:
    """How long a file may wait for a person, and how long where it holds messages past their period."""

    period: Period
    grace: timedelta


def after_import(
    settings: SourceSettings, terms: QuarantineTerms, now: datetime, *, leave_refused: bool
) -> AfterImport:
    """Give the function that decides about a file, from its counts and the reason of its refusal, if any.

    A file that was refused, or of which rows were rejected, waits in quarantine so that a person can mend what is wrong
    and nothing is lost: for the configured period, but not past the day on which its first message is due, and only for
    the grace of one run where it holds messages past their period already. ``leave_refused`` leaves such a file where a
    person keeps it.
    """

    def decide(progress: Progress, refused: str | None) -> FileEnd | None:
        # What an interface could not give is asked for again; its page set is of no use to a person.
        if refused is not None or (progress.rejected and settings.kind != "hootsuite-api"):
            return None if leave_refused else FileEnd("quarantine", _quarantine_end(terms, progress, now))
        if settings.after_ingest == "keep-until-due" and progress.oldest_expired_due_at is None:
            return FileEnd("landing", from_epoch(progress.oldest_due_at) if progress.oldest_due_at else now)
        return FileEnd("landing", now)

    return decide


def _quarantine_end(terms: QuarantineTerms, progress: Progress, now: datetime) -> datetime:
    ends = [datetime.combine(expires_on(now.date(), terms.period), now.timetz())]
    if progress.oldest_due_at is not None:
        ends.append(max(now, from_epoch(progress.oldest_due_at)))
    if progress.oldest_expired_due_at is not None:
        ends.append(now + terms.grace)
    return min(ends)
