"""More of the tables of ``tables.py``: what the service and the notices to people remember."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Text

from retention.store.tables import metadata

__all__ = ["metadata", "notification"]

notification = Table(
    "notification",
    metadata,
    Column("channel", Text, nullable=False),
    Column("occasion", Text, nullable=False),
    Column("grade", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("told_at", BigInteger),  # the last time that it reached the channel,
    Column("told_grade", BigInteger),  # and how bad it was said to be
    Column("failures", Integer, nullable=False),  # since then, in a row
    PrimaryKeyConstraint("channel", "occasion"),
    sqlite_with_rowid=False,
)
