"""More of the tables of ``tables.py``, for the service, notices to people, backups; ``metadata`` is of all of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Text

from retention.store.tables import metadata

__all__ = ["backup", "job", "metadata", "notification", "webhook_refusal"]

job = Table(
    "job",
    metadata,
    Column("name", Text, primary_key=True),
    # running | done | partly | waiting | needs_person | failed | stopped | cut_off
    Column("outcome", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("exit_code", Integer),
    Column("failures", Integer, nullable=False),  # in a row
    Column("next_due_at", BigInteger),
)

webhook_refusal = Table(
    "webhook_refusal",
    metadata,
    Column("source", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # refused | stale | unreadable | not_json | too_large | busy
    Column("calls", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("source", "outcome"),
    sqlite_with_rowid=False,
)

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

backup = Table(  # which entries of the log speak of backups; what they say stands there and nowhere else
    "backup",
    metadata,
    Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
)
