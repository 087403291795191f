"""What each anchor took of the audit log, and what it gave for it.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_APPEND_ONLY = "the audit log is append-only"


def upgrade() -> None:
    """Add the table of anchors, with what the anchor file has taken so far."""
    op.create_table(
        "audit_anchor",
        sa.Column("anchor", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("anchor", "size"),
    )
    taken = sa.table("audit_anchor", *(sa.column(name) for name in ("anchor", "size", "kind", "at", "evidence")))
    kept = sa.table("audit_checkpoint", sa.column("size"), sa.column("anchored_at"))
    nothing = sa.literal(b"", sa.LargeBinary())
    rows = sa.select(sa.literal("file"), kept.c.size, sa.literal("file"), kept.c.anchored_at, nothing)
    op.execute(
        sa.insert(taken).from_select(
            ["anchor", "size", "kind", "at", "evidence"], rows.where(kept.c.anchored_at.is_not(None))
        )
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def _guard_sqlite() -> None:
    same = "EXISTS (SELECT 1 FROM audit_anchor WHERE anchor = NEW.anchor AND size = NEW.size)"
    for name, what, when in (
        ("update", "UPDATE", "true"),
        ("delete", "DELETE", "true"),
        ("replace", "INSERT", same),
    ):
        op.execute(
            f"CREATE TRIGGER audit_anchor_no_{name} BEFORE {what} ON audit_anchor WHEN {when} "
            f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
        )


def _guard_postgres() -> None:
    for what, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER audit_anchor_no_{what.lower()} BEFORE {what} ON audit_anchor FOR EACH {each} "
            "EXECUTE FUNCTION audit_refuse()"
        )
