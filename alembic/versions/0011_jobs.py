"""The jobs of the service: when each began and ended last, how, and when it is to be done again.

Revision ID: 0011
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "job",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_due_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name"),
    )
