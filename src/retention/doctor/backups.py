"""What is known of backups: the standing rule and what was registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.doctor.line import About
from retention.policy.words import say_count, say_day, say_period
from retention.report.backups import HOLDING, known, reaches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.doctor.case import Case
    from retention.doctor.line import Line


def registered(case: Case) -> Iterator[Line]:
    """Say until when what is disposed of today may be in a backup, as far as that is known."""
    context, about = case.opened, About("backups", "known")
    with context.database.read() as connection:
        found = known(connection)
    today, keep = context.schedule.today(case.now), case.settings.backups.keep_time
    told = reaches(found, today, context.schedule.zone, HOLDING)
    latest = max((one.until for one in told), default=None)
    in_force = (found.rule.keep, list(found.rule.what)) if found.rule else (None, [])
    if in_force != (keep, case.settings.backups.what if keep else []):
        told_as = say_period(keep) if keep else "no period"
        yield about.note(f"[backups] says {told_as}, which the log says from the next run on", case.station.ours("run"))
    elif latest is None:
        yield about.note(
            "no period of backups is known: write keep under [backups], or register each one",
            case.station.plain(case.station.program, "backup", "register", "--help"),
        )
    else:
        yield about.ok(f"what is disposed of today may be in one until {say_day(latest)}")
    past = [one for one in found.copies if one.gone_by < today and one.gone_entry is None]
    if past:
        told_past = f"{say_count(len(past), 'registered copy')} should be gone by now: see that it is so"
        yield About("backups", "past their day").note(told_past, case.station.ours("backup", "list"))
