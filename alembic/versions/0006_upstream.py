"""What imports cover and what they show of the source's own copies; disposal orders for these copies.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what coverage and disposal orders need."""
    op.add_column("import", sa.Column("oldest_at", sa.BigInteger(), nullable=True))
    op.add_column("import", sa.Column("listed", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("import", sa.Column("stray_due_at", sa.BigInteger(), nullable=True))
    op.add_column("import", sa.Column("stray_first_at", sa.BigInteger(), nullable=True))
    op.add_column("import", sa.Column("stray_last_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "upstream_order",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Text(), nullable=True),
        sa.Column("overdue_at", sa.BigInteger(), nullable=True),
        sa.Column("forget_at", sa.BigInteger(), nullable=True),
        sa.Column("first_on", sa.Text(), nullable=True),
        sa.Column("last_on", sa.Text(), nullable=True),
        sa.Column("needed", sa.Integer(), nullable=True),
        sa.Column("list_digest", sa.Text(), nullable=True),
        sa.Column("salt", sa.Text(), nullable=True),
        sa.Column("listed", sa.BigInteger(), nullable=False),
        sa.Column("absent", sa.BigInteger(), nullable=False),
        sa.Column("present", sa.BigInteger(), nullable=False),
        sa.Column("unknown", sa.BigInteger(), nullable=False),
        sa.Column("unerased", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "upstream_item",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Text(), nullable=False),
        sa.Column("seen_in", sa.BigInteger(), nullable=True),
        sa.Column("present_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source_id", "message_id", "order_id", "batch"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upstream_attestation",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attested_at", sa.BigInteger(), nullable=False),
        sa.Column("by_commitment", sa.Text(), nullable=False),
        sa.Column("reference_commitment", sa.Text(), nullable=False),
        sa.Column("refuted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "number"),
    )
