"""What is known of the copies that no run reaches, and until when one may hold what was disposed of.

All of it is what people or the configuration said, as entries of the log. That a copy is gone by its day is said too,
and never shown. An answer goes by the entries that are given to it, so that one of an earlier time can be had again.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select

from retention.audit.stored import entries_at
from retention.audit.tables import audit_entry
from retention.model import Period
from retention.policy.days import local_day
from retention.policy.period import expires_on
from retention.policy.words import say_day, say_period
from retention.store import backups, runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from retention.settings.backups import BackupSettings

KINDS: Final[Mapping[str, str]] = {
    "database": "Backups of the database",
    "replica": "Replicas, standby servers and snapshots",
    "wal-archive": "PostgreSQL WAL and its archive",
    "keys": "Backups of the keys",
    "other": "Other copies",
}
HOLDING = ("database", "replica", "wal-archive", "other")
"""The kinds that may hold what was disposed of; keys hold no message."""


class Rule(NamedTuple):
    """A standing rule from its entry on: which kinds of copies, and how long each is kept; None where none is."""

    entry: int
    at: datetime
    what: tuple[str, ...]
    keep: Period | None


class Backup(NamedTuple):
    """One copy that was registered, and the entry that says it was destroyed before its day, if one does."""

    number: int
    what: str
    made_on: date
    gone_by: date
    entry: int
    by: str | None
    note: str | None
    gone_entry: int | None = None


class Known(NamedTuple):
    """Every standing rule in the order of the log, and every registered copy."""

    rules: tuple[Rule, ...]
    copies: tuple[Backup, ...]

    @property
    def rule(self) -> Rule | None:
        """The rule in force, if there is one."""
        return self.rules[-1] if self.rules and self.rules[-1].keep is not None else None


class Reach(NamedTuple):
    """Until when copies of one kind may hold what went on a day, by which period or registration, said where."""

    what: str
    until: date
    keep: Period | None
    entries: tuple[int, ...]

    def words(self) -> str:
        """Say why it is that day."""
        first, last = self.entries[0], self.entries[-1]
        where = f"entry {first}" if first == last else f"entries {first} to {last}"
        if self.keep is None:
            return f"as registered, {where}; said to be gone by then, not shown"
        return f"each is kept for {say_period(self.keep)} as configured, {where}; said to be gone by then, not shown"


def known(connection: Connection, before: int | None = None) -> Known:
    """Read what the log says of backups; ``before`` leaves out what was said from that entry on."""
    rules: list[Rule] = []
    copies: dict[int, Backup] = {}
    for index, body in entries_at(connection, backups.entries(connection, before)):
        said: dict[str, Any] = json.loads(body)
        if said["kind"] == "backup_period":
            keep = Period.parse(said["keep"]) if "keep" in said else None
            rules.append(Rule(index, datetime.fromisoformat(said["at"]), tuple(said["what"]), keep))
        elif said["kind"] == "backup_registered":
            days = date.fromisoformat(said["made_on"]), date.fromisoformat(said["gone_by"])
            texts = runs.remark_of(connection, said["by"]), runs.remark_of(connection, said.get("reason"))
            copies[said["backup"]] = Backup(said["backup"], said["what"], *days, index, *texts)
        elif said["kind"] == "backup_gone" and said["backup"] in copies:
            copies[said["backup"]] = copies[said["backup"]]._replace(gone_entry=index)
    return Known(tuple(rules), tuple(copies.values()))


def untold(connection: Connection) -> bool:
    """Tell whether the log has an entry of backups that the table does not name; this walks over the whole log."""
    # No text in an entry can look like that, because a quotation mark within one is escaped.
    of_backups = audit_entry.c.body.contains('"kind":"backup_', autoescape=True)
    found = connection.execute(select(audit_entry.c.seq).where(of_backups)).scalars()
    return not set(backups.entries(connection)).issuperset(found)


def reach(found: Known, what: str, on: date, zone: ZoneInfo) -> Reach | None:
    """Say until when a copy of this kind may hold what was disposed of on a local day; None where nothing is known.

    A copy that was made under an earlier rule is kept as that one said, so the longest counts.
    """
    told: list[Reach] = []
    for number, rule in enumerate(found.rules):
        if rule.keep is None or what not in rule.what:
            continue
        later = found.rules[number + 1 :]
        last_made = min(on, local_day(later[0].at, zone)) if later else on
        told.append(Reach(what, expires_on(last_made, rule.keep), rule.keep, (rule.entry,)))
    told += [
        Reach(what, one.gone_by, None, (one.entry,))
        for one in found.copies
        if one.what == what and one.made_on <= on and one.gone_entry is None
    ]
    still = [one for one in told if one.until >= on]
    if not still:
        return None
    longest = max(still, key=lambda one: one.until)
    if longest.keep is not None:
        return longest
    return longest._replace(entries=tuple(sorted(one.entries[0] for one in still if one.keep is None)))


def reaches(found: Known, on: date, zone: ZoneInfo, kinds: tuple[str, ...] = tuple(KINDS)) -> tuple[Reach, ...]:
    """Say the same of every kind of which something is known."""
    told = (reach(found, what, on, zone) for what in kinds)
    return tuple(one for one in told if one is not None)


def say_copies(found: Known, on: date, zone: ZoneInfo, today: date) -> list[str]:
    """Say of what was disposed of on a day in which copies it may still be, and until when."""
    told = reaches(found, on, zone, HOLDING)
    if not told:
        missing = "no period is registered, and no copy of that time that is still kept"
        return [f"until when a backup may hold it is not known: {missing}"]
    lines = []
    for one in told:
        name, day = KINDS[one.what], say_day(one.until)
        if one.until < today:
            lines.append(f"{_small(name)}: gone by {day} as was said, which nothing here shows")
        else:
            lines.append(f"{_small(name)} may hold it until {day}: {one.words()}")
    return lines


def _small(name: str) -> str:
    return name if name.startswith("PostgreSQL") else f"{name[0].lower()}{name[1:]}"


def say_rule(settings: BackupSettings, today: date) -> str:
    """Say what the configuration says of backups, for ``check``."""
    if (keep := settings.keep_time) is None:
        return (
            "Until when backups hold what was disposed of is not known: write keep under [backups], or register them "
            "with: retention backup register --made-on DAY --gone-by DAY"
        )
    names = " and ".join(_small(KINDS[what]) for what in settings.what)
    until = say_day(expires_on(today, keep))
    return f"What is disposed of today may be in {names} until {until}: each is kept for {say_period(keep)}."
