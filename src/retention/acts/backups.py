"""What people say of backups: that one was made and when it will be gone, and that one is gone already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.acts.remarks import keep_remark
from retention.audit.entry import entry
from retention.errors import UsageError
from retention.report.backups import Backup, Known, known
from retention.store import backups
from retention.upkeep import demand_order

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection

    from retention.context import Context


def list_backups(context: Context) -> Known:
    """Give everything that is known of backups."""
    with context.database.read() as connection:
        return known(connection)


def register_backup(
    context: Context, what: str, *, made_on: date, gone_by: date, note: str | None, by: str, now: datetime
) -> Backup:
    """Register a copy that no run reaches, with the day by which it will be gone.

    Raises:
        UsageError: it is gone before it was made, or was made in days to come.
        BrokenLogError: the audit log does not verify.

    """
    if gone_by < made_on:
        msg = "--gone-by is before --made-on; a backup is gone after it was made"
        raise UsageError(msg)
    if made_on > context.schedule.today(now):
        msg = "--made-on is a day to come; register a backup when it was made"
        raise UsageError(msg)
    demand_order(context, now)
    with context.database.write() as connection:
        context.log.lock(connection)
        number = max((one.number for one in known(connection).copies), default=0) + 1
        texts = _texts(connection, by, note)
        told = entry(
            "backup_registered",
            now,
            backup=number,
            what=what,
            made_on=made_on.isoformat(),
            gone_by=gone_by.isoformat(),
            **texts,
        )
        index = context.log.append(connection, [told])
        backups.add(connection, index)
    return Backup(number, what, made_on, gone_by, index, by, note)


def attest_gone(context: Context, number: int, *, note: str | None, by: str, now: datetime) -> Backup:
    """Keep a person's word that a registered copy was destroyed before its day.

    Raises:
        UsageError: there is no such backup, or it was attested already.
        BrokenLogError: the audit log does not verify.

    """
    demand_order(context, now)
    with context.database.write() as connection:
        context.log.lock(connection)
        found = next((one for one in known(connection).copies if one.number == number), None)
        if found is None:
            msg = "there is no backup of this number; see them with: retention backup list"
            raise UsageError(msg)
        if found.gone_entry is not None:
            msg = f"that this backup is gone was said already, by entry {found.gone_entry}"
            raise UsageError(msg)
        texts = _texts(connection, by, note)
        index = context.log.append(connection, [entry("backup_gone", now, backup=number, **texts)])
        backups.add(connection, index)
    return found._replace(gone_entry=index)


def _texts(connection: Connection, by: str, note: str | None) -> dict[str, str]:
    told = {"by": keep_remark(connection, by)}
    return told if note is None else {**told, "reason": keep_remark(connection, note)}
