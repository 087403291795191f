"""The triggers that keep the audit log append-only: which there must be, which are gone, and putting those back.

The migrations made them. What stands here is the same again, by name; a test holds the two against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

_REASON = "the audit log is append-only"
# By table: what an UPDATE must not touch, and what an INSERT must not replace, where SQLite would let it.
_GUARDED = {
    "audit_entry": ("true", "seq = NEW.seq"),
    "audit_tile": ("true", "level = NEW.level AND n = NEW.n"),
    "audit_checkpoint": ("NEW.size <> OLD.size OR NEW.note <> OLD.note", "size = NEW.size"),
    "audit_head": ("NEW.size < OLD.size OR NEW.id <> OLD.id", ""),
    "audit_rotation": ("NEW.seq <> OLD.seq", ""),
    "audit_anchor": ("", "anchor = NEW.anchor AND size = NEW.size"),
}
_THERE = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgname ~ '^audit_.*_no_' AND tgenabled IN ('O', 'A')",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}
_REFUSE = (
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_REASON}'; END $$"
)


def missing_guards(connection: Connection) -> int:
    """Count the triggers of the audit log that are not there or are switched off."""
    return len(_missing(connection))


def put_guards_back(connection: Connection) -> int:
    """Make the triggers again that are not there or are switched off, and give how many."""
    missing = _missing(connection)
    postgres = connection.dialect.name == "postgresql"
    if missing and postgres:
        connection.exec_driver_sql(_REFUSE)
    for name, (table, how) in missing.items():
        if postgres:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {how}")
    return len(missing)


def _missing(connection: Connection) -> dict[str, tuple[str, str]]:
    kind = connection.dialect.name
    there = set(connection.exec_driver_sql(_THERE[kind]).scalars())
    wanted = _on_sqlite() if kind == "sqlite" else _on_postgres()
    return {name: made for name, made in wanted.items() if name not in there}


def _on_sqlite() -> dict[str, tuple[str, str]]:
    made = {}
    for table, (touched, same) in _GUARDED.items():
        replaced = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # names of our own
        for what, event, when in (("update", "UPDATE", touched or "true"), ("delete", "DELETE", "true")):
            made[f"{table}_no_{what}"] = (table, _on_row(table, event, when))
        if same:
            made[f"{table}_no_replace"] = (table, _on_row(table, "INSERT", replaced))
    return made


def _on_row(table: str, event: str, when: str) -> str:
    return f"BEFORE {event} ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, '{_REASON}'); END"


def _on_postgres() -> dict[str, tuple[str, str]]:
    made = {}
    for table, (touched, _) in _GUARDED.items():
        each_row = f"ROW WHEN ({touched})" if touched else "ROW"
        for event, each in (("UPDATE", each_row), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            how = f"BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION audit_refuse()"
            made[f"{table}_no_{event.lower()}"] = (table, how)
    return made
