"""How many messages of each run were to be deleted by an interface, and how many of them were.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table. Runs of earlier versions have no tally, and what became of their calls stands in the log only."""
    op.create_table(
        "upstream_tally",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("listed", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "source_id"),
        sqlite_with_rowid=False,
    )
