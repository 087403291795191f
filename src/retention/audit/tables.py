"""The log's tables. They hold no personal data, live beside the register and are written in the same transactions.

``audit_tile`` holds full tiles only (tlog-tiles, height 8); the hashes right of them are the head's ``edge``. The
primary key of ``audit_entry`` is the leaf's index, assigned in code, so two writers cannot fork the log unseen.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

_Index = BigInteger().with_variant(Integer, "sqlite")  # SQLite's row id is an INTEGER PRIMARY KEY, nothing else is

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("seq", _Index, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)

audit_tile = Table(
    "audit_tile",
    metadata,
    Column("level", Integer, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "n"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("edge", LargeBinary, nullable=False),
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("size", _Index, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("anchored_at", BigInteger),
)

# Only where to look: what a rotation says stands in the entry at ``seq``, which the tree covers.
audit_rotation = Table(
    "audit_rotation",
    metadata,
    Column("seq", _Index, primary_key=True, autoincrement=False),
    Column("previous_condemned_at", BigInteger),  # the destruction of the key before it has begun
    Column("previous_destroyed_at", BigInteger),
)

# What each anchor took, and what it gave for it: a timestamp token, or a witness' signature line.
audit_anchor = Table(
    "audit_anchor",
    metadata,
    Column("anchor", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # file | syslog | timestamp | witness
    Column("at", BigInteger, nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    PrimaryKeyConstraint("anchor", "size"),
)
