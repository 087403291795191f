"""What becomes of a comparison: findings, one a place, which mend themselves when the notice says again what is done.

A finding never quotes the notice. One that is unsure is opened once: where a person has read the sentences and resolved
it, the same sentences do not ask again.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from retention.errors import RetentionError
from retention.notice.compare import compare
from retention.notice.promise import promise_of
from retention.notice.reading import LONGEST, read_notice
from retention.store import findings

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.notice.compare import Comparison
    from retention.notice.promise import Promise
    from retention.policy.schedule import Schedule
    from retention.settings import NoticeSettings
    from retention.store.engine import Database

DIFFERS = "notice-differs"
UNSURE = "notice-unsure"
UNREAD = "notice-unread"
_KINDS = {DIFFERS, UNSURE, UNREAD}
_SUFFIXES = {".html": "html", ".htm": "html", ".xhtml": "html", ".md": "markdown", ".markdown": "markdown"}


def compare_file(promise: Promise, path: Path) -> Comparison:
    """Hold a file against the promise.

    Raises:
        RetentionError: it cannot be read, is too long or is no text.

    """
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        msg = f"the notice cannot be read ({error.strerror})"
        raise RetentionError(msg) from None
    return compare(promise, read_notice(data, kind=_SUFFIXES.get(path.suffix.casefold(), "")))


def look(database: Database, schedule: Schedule, notice: NoticeSettings | None, now: datetime) -> None:
    """Hold the configured file against the schedule, as every run does; whatever is wrong becomes a finding."""
    if notice is None or notice.file is None:
        return
    try:
        found = compare_file(promise_of(schedule, notice), notice.file)
    except RetentionError as error:
        with database.write() as connection:
            tell_unread(connection, notice.file.name, str(error), now)
        return
    except Exception as error:  # noqa: BLE001  # whatever was published, it must not stop a run
        with database.write() as connection:
            tell_unread(connection, notice.file.name, f"the notice cannot be read ({type(error).__name__})", now)
        return
    with database.write() as connection:
        tell(connection, notice.file.name, found, now)


def tell(connection: Connection, place: str, comparison: Comparison, now: datetime) -> None:
    """Open the finding that fits a comparison, and mend those of the same place that do not fit any more."""
    if comparison.state == "ok":
        _settle(connection, place, None, now)
        return
    reason = "; ".join(comparison.reasons)
    if comparison.state == "unsure":
        quoted = "\n".join(sentence for one in comparison.items for sentence in one.sentences)
        reason = f"{reason} (as read: {sha256(quoted.encode()).hexdigest()[:8]})"
        _settle(connection, place, (UNSURE, reason), now)
        return
    _settle(connection, place, (DIFFERS, reason), now)


def tell_unread(connection: Connection, place: str, reason: str, now: datetime) -> None:
    """Open the finding that a notice could not be read."""
    _settle(connection, place, (UNREAD, reason), now)


def _settle(connection: Connection, place: str, present: tuple[str, str] | None, now: datetime) -> None:
    mine = [one for one in findings.load(connection, open_only=True) if one.kind in _KINDS and one.file == place]
    stale = [one.id for one in mine if (one.kind, one.reason) != present]
    findings.mended_one_by_one(connection, stale, at=now)
    if present is None:
        return
    kind, reason = present
    if kind == UNSURE and reason in findings.told(connection, UNSURE, ""):
        return
    findings.open_finding(connection, kind, reason, at=now, file=place)
