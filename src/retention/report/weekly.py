"""The weekly summary: a sign of life for people, with the signed head of the log for them to keep."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from retention.audit import stored
from retention.notify.occasion import INFORMATION, Occasion
from retention.notify.words import say_when
from retention.policy.words import say_count
from retention.settings.notify import DAYS
from retention.store import runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from retention.report.status import Status
    from retention.settings.notify import Day

_WEEK = timedelta(days=7)
_MORNING = 6
"""Before this hour of the summary's day only the end of a run tells it: the night's run is to be in it."""
_KEEP = (
    "Keep this message: the lines at its end are the signed head of the audit log, and the file checkpoint has the "
    "same. With it you can show later that the log only grew since, and that nothing in it was changed."
)
_STATES = {"kept": "kept", "at_risk": "AT RISK", "broken": "BROKEN"}


class Week(NamedTuple):
    """The time and its zone, what was disposed of in the last seven days, and the newest signed checkpoint."""

    now: datetime
    zone: ZoneInfo
    disposed: int
    note: str | None


def week_of(connection: Connection, now: datetime, zone: ZoneInfo) -> Week:
    """Read what a summary needs beside the status."""
    latest = stored.latest_note(connection)
    return Week(now, zone, runs.disposed_since(connection, now - _WEEK), latest.note if latest else None)


def summary(status: Status, state: str, week: Week, day: Day, *, at_end: bool) -> Iterator[Occasion]:
    """Give the summary of the newest week that has begun on a day of the week; its grade is that day's number."""
    yield Occasion(
        "summary",
        "summary",
        f"weekly summary: the promise is {_STATES[state]}",
        (*_lines(status, week), "", _KEEP),
        ("retention audit verify --since checkpoint",),
        grade=begun(week.now.astimezone(week.zone), day, at_end=at_end).toordinal(),
        urgency=INFORMATION,
        once=True,
        attachment=week.note,
    )


def begun(local: datetime, day: Day, *, at_end: bool) -> date:
    """Give the newest day of that name on which a summary is told; ``at_end`` of a run it may be told at any hour."""
    today = local.date()
    if not at_end and local.hour < _MORNING:
        today -= timedelta(days=1)
    return today - timedelta(days=(today.weekday() - DAYS.index(day)) % 7)


def coming_lines(status: Status) -> list[str]:
    """Say what becomes due in the coming days, a line a day; nothing where nothing does."""
    if not status.coming:
        return []
    lines = [f"  {one['on']}  {say_count(one['due'], 'message')}" for one in status.coming]
    return ["Becomes due in the next seven days:", *lines]


def _lines(status: Status, week: Week) -> Iterator[str]:
    by_kind, oldest = status.findings["by_kind"], status.oldest_received_on
    kinds = f" ({', '.join(f'{count} {kind}' for kind, count in by_kind.items())})" if by_kind else ""
    figures = {
        "Registered": f"{say_count(status.registered, 'message')}{f', since {oldest}' if oldest else ''}",
        "Due, not held": str(status.due),
        "Due, held": str(status.held),
        "Disposed of": f"{week.disposed} in the last seven days",
        "Holds": f"{status.holds['active']} active, {status.holds['reviews_overdue']} to be reviewed by now",
        "At sources": f"{status.upstream['ordered']} in open disposal orders, {status.upstream['overdue']} overdue",
        "Findings": f"{status.findings['open']} open{kinds}",
        "Last run": _when(status.last_complete_run_at, week.zone) or "never",
        "Log verified": _when(status.log["verified_at"], week.zone) or "never in full",
    }
    yield from (f"  {name:<14} {value}" for name, value in figures.items())
    yield from coming_lines(status) or ["Nothing becomes due in the next seven days."]


def _when(at: str | None, zone: ZoneInfo) -> str | None:
    return say_when(datetime.fromisoformat(at), zone) if at else None
