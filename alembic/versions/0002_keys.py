"""When a month key was last needed and when its destruction began; where the log says that a signing key took over.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the destruction and the rotation of keys need."""
    op.add_column("month_key", sa.Column("empty_since", sa.BigInteger(), nullable=True))
    op.add_column("month_key", sa.Column("condemned_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "audit_rotation",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("previous_condemned_at", sa.BigInteger(), nullable=True),
        sa.Column("previous_destroyed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
