"""The page for the public, which is work of every whole run, however that ends.

Where a belt or people's approval stops the purge, or the log does not verify, the page must say so too. A page that
cannot be written is a finding, and never stops a run.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from retention.errors import LockHeldError, RetentionError
from retention.logs import get_logger
from retention.notice.promise import promise_of
from retention.report.public import public_facts
from retention.report.public_html import public_page
from retention.report.publishing import publish
from retention.standing import status_in
from retention.store import findings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.context import Context
    from retention.notice.promise import Promise
    from retention.report.status import Status

PAGE_FAILED = "page-failed"
"""The kind of the finding that the page for the public could not be written."""

_log = get_logger("page")


def page_of(connection: Connection, context: Context, promise: Promise, found: Status, now: datetime) -> bytes:
    """Write the page for the public, in the transaction in which the status was read."""
    grace = context.settings.purge.grace_time
    facts = public_facts(connection, found, context.schedule, context.installation, grace=grace, now=now)
    return public_page(promise, facts, context.settings.notice.lang if context.settings.notice else "en")


@contextmanager
def shown(context: Context, now: datetime) -> Iterator[None]:
    """Have the public see how the promise stands when a whole run has ended, whatever became of it."""
    try:
        yield
    except LockHeldError:
        raise  # whoever is at work does it
    except BaseException:
        keep_page(context, now)
        raise
    keep_page(context, now)


def keep_page(context: Context, now: datetime) -> None:
    """Write the page that the configuration names; where that fails, a finding says so until it succeeds."""
    place = context.settings.notice.page if context.settings.notice else None
    if place is None:
        return
    try:
        _write_page(context, place, now)
    except RetentionError as error:
        _tell(context, place, str(error), now)
    except Exception as error:  # noqa: BLE001  # whatever it is, the run has done its work
        _tell(context, place, f"the page for the public cannot be written ({type(error).__name__})", now)


def _write_page(context: Context, place: Path, now: datetime) -> None:
    context = context.renewed()
    promise = promise_of(context.schedule, context.settings.notice)
    memory = context.remembered()
    with context.database.read() as connection:
        found = status_in(connection, context, memory, now)
        page = page_of(connection, context, promise, found, now)
    publish(page, place)
    if PAGE_FAILED in found.findings["by_kind"]:
        with context.database.write() as connection:
            findings.mended(connection, PAGE_FAILED, at=now)
        _write_page(context, place, now)  # the one above speaks of what has just been mended


def _tell(context: Context, place: Path, reason: str, now: datetime) -> None:
    _log.error("the page for the public cannot be written", reason=reason)
    with suppress(RetentionError), context.database.write() as connection:  # the log has told it
        findings.open_finding(connection, PAGE_FAILED, reason, at=now, file=place.name)
