"""The tables, once, for SQLite and PostgreSQL. Instants are whole seconds since 1970 UTC, days ISO text.

``message`` has one unique key in order of time and no other standing index: with random message ids any further index
multiplies the bytes that a purge writes. So look-ups by id scan, and a message that reappears under another time is
found by one join per import. No foreign keys, no triggers, no autoincrement: the counter of an AUTOINCREMENT column
would outlive what it counted.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, MetaData, PrimaryKeyConstraint, Table, Text
from sqlalchemy import UniqueConstraint as Unique

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite's row id is an INTEGER PRIMARY KEY, nothing else is
_Key = Text().with_variant(Text(collation="C"), "postgresql")  # compared by bytes, as SQLite does


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True, autoincrement=True)


installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("drill", Boolean(create_constraint=False), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

source = Table("source", metadata, _id(), Column("name", Text, nullable=False), Unique("name"))

message_class = Table(
    "message_class",
    metadata,
    _id(),
    Column("source", Text, nullable=False),
    Column("network", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("channel_folded", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("message_type", Text, nullable=False),
    Unique("source", "network", "channel", "direction", "visibility", "message_type"),
)

message = Table(
    "message",
    metadata,
    Column("received_at", BigInteger, nullable=False),
    Column("message_key", _Key, nullable=False),
    Column("class_id", Integer, nullable=False),
    Column("pseudonym", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("import_id", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("received_at", "message_key"),
    sqlite_with_rowid=False,
)

redated = Table(
    "redated",
    metadata,
    Column("received_at", BigInteger, nullable=False),
    Column("message_key", _Key, nullable=False),
    Column("kept_received_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("received_at", "message_key"),
    sqlite_with_rowid=False,
)

register_day = Table(
    "register_day",
    metadata,
    Column("day", Integer, nullable=False),
    Column("class_id", Integer, nullable=False),
    Column("messages", BigInteger, nullable=False),
    PrimaryKeyConstraint("day", "class_id"),
    sqlite_with_rowid=False,
)

register_ledger = Table(
    "register_ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("messages", BigInteger, nullable=False),
    Column("told", BigInteger, nullable=False),  # what the audit log says
)

import_ = Table(
    "import",
    metadata,
    _id(),
    Column("source", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("file_digest", Text, nullable=False),
    Column("state", Text, nullable=False),  # reading | done | refused
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("window_from", BigInteger),
    Column("window_to", BigInteger),
    Column("oldest_due_at", BigInteger),
    Column("oldest_expired_due_at", BigInteger),
    Column("newest_at", BigInteger),
    Column("records", BigInteger, nullable=False),
    Column("registered", BigInteger, nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    Column("not_covered", BigInteger, nullable=False),
    Column("born_expired", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("oldest_at", BigInteger),
    Column("listed", BigInteger, nullable=False, server_default="0"),  # born-expired rows that stand in an order
    Column("stray_due_at", BigInteger),  # of the other born-expired rows: when the first was due,
    Column("stray_first_at", BigInteger),  # and the times of receipt that they span
    Column("stray_last_at", BigInteger),
)

kept_file = Table(
    "kept_file",
    metadata,
    _id(),
    Column("path", Text, nullable=False),
    Column("file_digest", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("place", Text, nullable=False),  # landing | quarantine
    Column("dispose_at", BigInteger, nullable=False),
    Unique("path"),
)

remote_file = Table(
    "remote_file",
    metadata,
    _id(),
    Column("source", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),  # by the server's clock
    Column("state", Text, nullable=False),  # seen | fetched | removing | removed
    Column("seen_at", BigInteger, nullable=False),  # by the machine's clock, in real time also in a drill
    Column("file_digest", Text),
    Column("path", Text),
    Column("fetched_at", BigInteger),
    Column("removed_at", BigInteger),
    Unique("source", "name", "size", "modified_at"),
)

hold = Table(
    "hold",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("reason_commitment", Text, nullable=False),
    Column("placed_at", BigInteger, nullable=False),
    Column("review_on", Text, nullable=False),
    Column("released_at", BigInteger),
    Column("received_from", BigInteger, nullable=False),
    Column("received_until", BigInteger, nullable=False),
    Column("by_message", Integer, nullable=False),
    Column("by_conversation", Integer, nullable=False),
    Column("by_contact", Integer, nullable=False),
    Column("by_network", Integer, nullable=False),
    Column("by_channel", Integer, nullable=False),
    Column("sealed", Text),
)

hold_selector = Table(
    "hold_selector",
    metadata,
    Column("hold_id", _Id, nullable=False),
    Column("selector", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("hold_id", "selector", "value"),
    sqlite_with_rowid=False,
)

remark = Table(
    "remark",
    metadata,
    Column("commitment", Text, primary_key=True),
    Column("salt", Text, nullable=False),
    Column("body", Text, nullable=False),
)

schedule_version = Table(
    "schedule_version",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("canonical", Text, nullable=False),
    Column("adopted_at", BigInteger, nullable=False),
)

month_key = Table(
    "month_key",
    metadata,
    Column("month", Text, primary_key=True),
    Column("commitment", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("destroyed_at", BigInteger),
    Column("empty_since", BigInteger),  # no message of the month was registered or disposed of since
    Column("condemned_at", BigInteger),  # its destruction has begun
)

plan = Table(
    "plan",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("run_id", BigInteger),
)

plan_approval = Table(
    "plan_approval",
    metadata,
    Column("entry_index", BigInteger, primary_key=True, autoincrement=False),  # in the audit log, which says the rest
    Column("plan_digest", Text, nullable=False),
)

run = Table(
    "run",
    metadata,
    _id(),
    Column("state", Text, nullable=False),  # running | done | stopped | failed | interrupted
    Column("plan_digest", Text, nullable=False),
    Column("schedule_digest", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("token", BigInteger, nullable=False),
    Column("disposed", BigInteger, nullable=False),
    Column("batches", BigInteger, nullable=False),
    Column("skipped_held", BigInteger),
    Column("skipped_gone", BigInteger),
    Column("due_after", BigInteger),
    Column("residue", BigInteger),
    Column("checkpoint_size", BigInteger),
    Column("belts_passed", Text, nullable=False),
    Column("reason_commitment", Text),
)

purge_batch = Table(
    "purge_batch",
    metadata,
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column("run_id", BigInteger, nullable=False),
    Column("first_index", BigInteger, nullable=False),
    Column("disposed", BigInteger, nullable=False),
)

upstream_order = Table(
    "upstream_order",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # listing | ordered | attested | absent | present | unknown
    Column("issued_at", BigInteger),
    Column("due_on", Text),  # the last local day of the source's zone on which it may be carried out
    Column("overdue_at", BigInteger),
    Column("forget_at", BigInteger),
    Column("first_on", Text),
    Column("last_on", Text),
    Column("needed", Integer),  # people who must attest
    Column("list_digest", Text),
    Column("salt", Text),
    Column("listed", BigInteger, nullable=False),
    Column("absent", BigInteger, nullable=False),
    Column("present", BigInteger, nullable=False),
    Column("unknown", BigInteger, nullable=False),
    Column("unerased", BigInteger, nullable=False),  # ids that went since the last erasure
)

upstream_item = Table(  # identifiers of disposed messages: only store/order_items.py reads it
    "upstream_item",
    metadata,
    Column("source_id", BigInteger, nullable=False),
    Column("message_id", _Key, nullable=False),
    Column("order_id", BigInteger, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("received_on", Text, nullable=False),  # local day of the source's zone
    Column("seen_in", BigInteger),  # the import that had it last
    Column("present_at", BigInteger),  # the source still held it then
    PrimaryKeyConstraint("source_id", "message_id", "order_id", "batch"),
    sqlite_with_rowid=False,
)

upstream_attestation = Table(
    "upstream_attestation",
    metadata,
    Column("order_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("attested_at", BigInteger, nullable=False),
    Column("by_commitment", Text, nullable=False),
    Column("reference_commitment", Text, nullable=False),
    Column("refuted_at", BigInteger),  # a later export showed what was said to be gone
    PrimaryKeyConstraint("order_id", "number"),
)

finding = Table(
    "finding",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger),
    Column("source", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("line", BigInteger),
    Column("column_name", Text),
    Column("reason", Text, nullable=False),
    Column("import_id", BigInteger),
    Column("resolution_commitment", Text),
)

upstream_call = Table(
    "upstream_call",
    metadata,
    Column("source_id", Integer, nullable=False),
    Column("message_id", _Key, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # waiting | intended
    Column("refusals", Integer, nullable=False),
    PrimaryKeyConstraint("source_id", "message_id"),
    sqlite_with_rowid=False,
)

upstream_tally = Table(
    "upstream_tally",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source_id", Integer, primary_key=True, autoincrement=False),
    Column("listed", BigInteger, nullable=False),
    Column("deleted", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

webhook_event = Table(
    "webhook_event",
    metadata,
    _id(),
    Column("source", Text, nullable=False),
    Column("batch", BigInteger),  # which import takes it; none yet
    Column("received_at", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("network", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("contact", Text, nullable=False),
)

webhook_seen = Table(
    "webhook_seen",
    metadata,
    Column("source", Text, nullable=False),
    Column("key_digest", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("source", "key_digest"),
    sqlite_with_rowid=False,
)

verification = Table(  # one row: the last time that the whole log was verified, or that it was found bad
    "verification",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("ok", Boolean(create_constraint=False), nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", Float(53), nullable=False),
)
