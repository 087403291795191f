"""``retention backup``: the copies that no run reaches, and until when there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from retention.cli.frame import NUMBER, common, exits, opened, put_drill, put_json, reporting, this_person
from retention.errors import Exit

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from retention.report.backups import Backup, Known

_WHAT = ("database", "keys", "replica", "wal-archive", "other")
_DAY = click.DateTime(["%Y-%m-%d"])
_WRITES = (Exit.BELT_CLOSED, Exit.LOG_NOT_VERIFIED)


@click.group()
def backup() -> None:
    """Register backups; see until when one holds what went.

    No run reaches a backup. Where each is kept for the same time, [backups] keep says it once for all.
    """


@backup.command(
    epilog=exits(
        *_WRITES, example="retention backup register --made-on 2026-11-22 --gone-by 2026-12-27 --what database"
    )
)
@common
@reporting
@click.option("--made-on", type=_DAY, required=True, help="The day on which it was made.")
@click.option("--gone-by", type=_DAY, required=True, help="The last day on which it may still be there.")
@click.option("--what", type=click.Choice(_WHAT), default="database", show_default=True, help="What it is a copy of.")
@click.option("--note", help="Where it is or why, for people; it is kept out of the audit log.")
def register(
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    form: str,
    made_on: datetime,
    gone_by: datetime,
    what: str,
    note: str | None,
) -> None:
    """Register a copy, with the day by which it is gone.

    Records of later runs say until when it may hold what they disposed of; those of earlier runs stay as they are.
    """
    from retention.acts.backups import register_backup

    with opened(config, now, verbose=verbose) as (context, present):
        made, gone = made_on.date(), gone_by.date()
        found = register_backup(context, what, made_on=made, gone_by=gone, note=note, by=this_person(), now=present)
        if form == "json":
            put_json(context, {"backup": _as_json(found, context.schedule.today(present))})
            return
        put_drill(context)
        click.echo(f"Registered as backup {found.number}, entry {found.entry} of the audit log.")


@backup.command("list", epilog=exits(example="retention backup list --format json"))
@common
@reporting
def list_(config: Path | None, now: datetime | None, verbose: bool, form: str) -> None:
    """List the standing rule and every registered copy, and until when what goes today may be in one."""
    from retention.acts.backups import list_backups
    from retention.report.backups import HOLDING, KINDS, reaches

    with opened(config, now, verbose=verbose) as (context, present):
        found, today = list_backups(context), context.schedule.today(present)
        until = {one.what: one.until.isoformat() for one in reaches(found, today, context.schedule.zone, HOLDING)}
        if form == "json":
            copies = [_as_json(one, today) for one in found.copies]
            put_json(context, {"period": _rule_as_json(found), "until": until, "backups": copies})
            return
        put_drill(context)
        for line in _told(found, today):
            click.echo(line)
        for what, day in until.items():
            click.echo(f"What is disposed of today may be in one until {day}: {KINDS[what]}")


@backup.command(epilog=exits(*_WRITES, example="retention backup gone 3 --note 'tape 12 shredded'"))
@common
@reporting
@click.option("--note", help="How, for people; it is kept out of the audit log.")
@click.argument("number", metavar="N", type=NUMBER)
def gone(*, config: Path | None, now: datetime | None, verbose: bool, form: str, note: str | None, number: int) -> None:
    """Attest that backup N was destroyed before its day.

    It is your word that is kept, as an entry of the audit log; nothing here can look.
    """
    from retention.acts.backups import attest_gone

    with opened(config, now, verbose=verbose) as (context, present):
        found = attest_gone(context, number, note=note, by=this_person(), now=present)
        if form == "json":
            put_json(context, {"backup": _as_json(found, context.schedule.today(present))})
            return
        put_drill(context)
        click.echo(f"Backup {number} is said to be gone, entry {found.gone_entry} of the audit log.")


def _state(found: Backup, today: date) -> str:
    if found.gone_entry is not None:
        return "destroyed"
    return "kept" if found.gone_by >= today else "past"


def _as_json(found: Backup, today: date) -> dict[str, Any]:
    days = {"made_on": found.made_on.isoformat(), "gone_by": found.gone_by.isoformat()}
    return {**found._asdict(), **days, "state": _state(found, today)}


def _rule_as_json(found: Known) -> dict[str, Any] | None:
    rule = found.rule
    return None if rule is None else {"keep": str(rule.keep), "what": list(rule.what), "entry": rule.entry}


def _told(found: Known, today: date) -> list[str]:
    rule = found.rule
    head = f"Each is kept for {rule.keep} (entry {rule.entry}): {', '.join(rule.what)}" if rule else "No standing rule."
    lines = [
        f"{one.number}  {one.what}  made {one.made_on}, gone by {one.gone_by}  {_state(one, today)}  entry {one.entry}"
        for one in found.copies
    ]
    return [head, *lines]
