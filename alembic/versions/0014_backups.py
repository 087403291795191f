"""Which entries of the audit log speak of backups.

Revision ID: 0014
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; no backup was known before."""
    op.create_table("backup", sa.Column("entry_index", sa.BigInteger(), primary_key=True, autoincrement=False))
