"""The ledger of the register, and triggers that keep the audit log from being changed.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_APPEND_ONLY = "the audit log is append-only"
# By table: what an UPDATE must not touch. A DELETE or TRUNCATE is always refused.
_GUARDED = {
    "audit_entry": "true",
    "audit_tile": "true",
    "audit_checkpoint": "NEW.size <> OLD.size OR NEW.note <> OLD.note",
    "audit_head": "NEW.size < OLD.size OR NEW.id <> OLD.id",
    "audit_rotation": "NEW.seq <> OLD.seq",
}


def upgrade() -> None:
    """Count what is registered once, and guard the log's tables from here on."""
    op.create_table(
        "register_day",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "class_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "register_ledger",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    # Days count from 1970; the shift keeps the division from rounding what was received before it upwards.
    op.execute(
        "INSERT INTO register_day (day, class_id, messages) "
        "SELECT (received_at + 86400000000) / 86400 - 1000000, class_id, count(*) FROM message GROUP BY 1, 2"
    )
    # What an import that was cut off has registered is not told in the log yet.
    op.execute(
        "INSERT INTO register_ledger (id, messages, told) SELECT 1, count(*), count(*) - "
        "(SELECT coalesce(sum(registered), 0) FROM import WHERE state = 'reading') FROM message"
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def _guard_sqlite() -> None:
    for table, touched in _GUARDED.items():
        for what, when in (("UPDATE", touched), ("DELETE", "true")):
            op.execute(
                f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} WHEN {when} "
                f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
            )
    # A row that replaces another fires no DELETE trigger, so what would be replaced is refused at the INSERT.
    for table, same in {
        "audit_entry": "seq = NEW.seq",
        "audit_tile": "level = NEW.level AND n = NEW.n",
        "audit_checkpoint": "size = NEW.size",
    }.items():
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608  # names of our own
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
        )


def _guard_postgres() -> None:
    op.execute(
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END $$"
    )
    for table, touched in _GUARDED.items():
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({touched}) "
            "EXECUTE FUNCTION audit_refuse()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
        )
