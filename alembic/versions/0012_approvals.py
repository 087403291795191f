"""Which entries of the audit log approve which plan.

Revision ID: 0012
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nothing was approved before."""
    op.create_table(
        "plan_approval",
        sa.Column("entry_index", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("plan_digest", sa.Text(), nullable=False),
    )
