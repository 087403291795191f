"""The table about copies that no run reaches; ``metadata`` is that of all tables, which has this one from here on."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table

from retention.store.tables import metadata

__all__ = ["backup", "metadata"]

backup = Table(  # which entries of the log speak of backups; what they say stands there and nowhere else
    "backup",
    metadata,
    Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
)
