"""Which periods were never seen, and which sources have gone silent: findings that every job opens and mends.

A gap is told once for the days that it spans. It is mended when an export of them arrives, or tells anew of the days
that are still missing; a person who resolves it is not asked again. Only gaps of which a message could still be kept
are told: for older days an export would bring nothing that may be registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.policy.coverage import Days, Watched, gaps, matters
from retention.policy.days import local_day
from retention.policy.words import say_day
from retention.store import findings
from retention.store.coverage import covered, silent_since

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.policy.schedule import Schedule

GAP, SILENT = "coverage-gap", "source-silent"


def look(connection: Connection, watched: Iterable[Watched], schedule: Schedule, now: datetime) -> None:
    """Open and mend the findings of coverage in a transaction that writes."""
    keeps_from = min((schedule.cutoff(rule, now) for rule in schedule.rules), default=now)
    for source in watched:
        found = gaps(covered(connection, source), source.zone)
        told = {_say_gap(source, gap): matters(gap, keeps_from, source.zone) for gap in found}
        known = findings.told(connection, GAP, source.name)
        for reason, still_matters in told.items():
            if still_matters and reason not in known:
                findings.open_finding(connection, GAP, reason, at=now, source=source.name)
        gone = [finding_id for reason, finding_id in known.items() if finding_id and reason not in told]
        findings.mended_one_by_one(connection, gone, at=now)
        _look_for_silence(connection, source, now)


def _look_for_silence(connection: Connection, source: Watched, now: datetime) -> None:
    if (since := silent_since(connection, source, now)) is None:
        findings.mended(connection, SILENT, at=now, source=source.name)
        return
    known = findings.told(connection, SILENT, source.name)
    day, what = say_day(local_day(since, source.zone)), "exports" if source.covers else "events"
    reason = f"nothing was ingested from {source.name} since {day}; look whether its {what} still arrive"
    if reason not in known:
        findings.open_finding(connection, SILENT, reason, at=now, source=source.name)


def _say_gap(source: Watched, gap: Days) -> str:
    days = say_day(gap.first) if gap.first == gap.last else f"{say_day(gap.first)} to {say_day(gap.last)}"
    return f"no export of {source.name} covers {days} ({source.zone.key}); have one made for that time"
