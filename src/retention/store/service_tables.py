"""The tables that only the service writes: how its jobs ended, which calls it turned away. No identifier is in them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Text

from retention.store.tables import metadata

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

ALL = metadata
"""Every table of the store, these included."""
