"""What is true of an office: facts that two of them can be compared by, and what must hold at every instant."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retention.audit.pseudonym import Pseudonymiser
from retention.audit.verify import verify
from retention.store import ledger
from tests.faults.job import IDENTIFIERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.context import Context
    from tests.kit import Office

_ORDERED = "SELECT listed, absent, present, unknown FROM upstream_order"
_ITEMS = "SELECT message_id, received_on, present_at IS NOT NULL FROM upstream_item"
_SOURCE = "hootsuite-inbox"
_IMPORT = (
    "SELECT name, state, records, registered, duplicates, not_covered, born_expired, rejected, oldest_due_at, newest_at"
)
_RUN = "SELECT state, skipped_held, skipped_gone, due_after, residue, checkpoint_size > 0 FROM run"
_FINDING = "SELECT kind, file, line, column_name, reason FROM finding WHERE resolved_at IS NULL"


@dataclass(frozen=True, slots=True)
class Facts:
    """One office as it stands. Numbers of runs and batches and random values are left out; all lists are sorted."""

    registered: list[str]
    disposed: list[str]
    redated: list[str]
    imports: list[tuple[Any, ...]]
    told: Counter[str]
    findings: list[tuple[Any, ...]]
    kept_files: int
    files: list[str]
    last_run: tuple[Any, ...] | None
    months: list[str]
    orders: tuple[int, ...]
    ordered: list[str]


@dataclass(slots=True)
class Story:
    """The audit log by kind of entry."""

    entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Give the entries of a kind."""
        return self.entries.get(kind, [])


def facts_of(office: Office) -> Facts:
    """Gather the facts of an office."""
    context = office.open()
    with context.database.read() as connection:
        story, names = _story(_entries(connection)), _names(context, IDENTIFIERS)
        facts = Facts(
            registered=sorted(key for _, key in _registered(connection)),
            disposed=sorted(f"{names[one['pseudonym']]} {one['received_on']}" for one in story.of("disposal")),
            redated=sorted(f"{names[one['pseudonym']]} {one['received_on']}" for one in story.of("redated")),
            imports=_rows(connection, f'{_IMPORT} FROM "import"'),
            told=Counter(_told(entry) for kind in ("import_done", "file_disposed") for entry in story.of(kind)),
            findings=[tuple(_unnumbered(cell) for cell in row) for row in _rows(connection, _FINDING)],
            kept_files=len(_rows(connection, "SELECT path FROM kept_file")),
            files=sorted(_files(office.folder)),
            last_run=_last_run(connection),
            months=sorted(entry["month"] for entry in story.of("key_created")),
            orders=tuple(sum(column) for column in zip(*_rows(connection, _ORDERED), strict=True)),
            ordered=sorted(f"{row[0]} {row[1]} {row[2]}" for row in _rows(connection, _ITEMS)),
        )
    context.database.close()
    return facts


def entries_of(office: Office) -> list[dict[str, Any]]:
    """Give every entry of the log, in order."""
    context = office.open()
    with context.database.read() as connection:
        entries = _entries(connection)
    context.database.close()
    return entries


def story_told_by(office: Office) -> Story:
    """Read the log of an office."""
    return _story(entries_of(office))


def names_in(office: Office, identifiers: Iterable[str]) -> dict[str, str]:
    """Map every pseudonym that messages can have, one under each month's key, to their identifiers."""
    context = office.open()
    names = _names(context, identifiers)
    context.database.close()
    return names


def wrong_with(office: Office, exports: Mapping[str, int] | None = None) -> list[str]:
    """List what is wrong with an office, whatever was done to it; ``exports`` counts its files by digest at first."""
    context = office.open()
    with context.database.read() as connection:
        found = verify(connection, context.installation.origin, [context.verifier])
        story = _story(_entries(connection))
        wrong = [
            *found.problems,
            *_wrong_messages(connection, story),
            *_wrong_ledger(connection, found.registered),
            *_wrong_orders(context, connection, story),
            *_wrong_runs(connection, story),
            *_wrong_files(connection, story, office.folder, exports or {}),
            *_wrong_anchor(connection, context.settings.paths.anchor),
        ]
    context.database.close()
    return wrong


def digests(folder: Path) -> Counter[str]:
    """Count the exports under a folder by the digest of their bytes."""
    exports = (path for path in folder.rglob("*.csv") if path.is_file())
    return Counter(f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in exports)


def _entries(connection: Connection) -> list[dict[str, Any]]:
    bodies = connection.exec_driver_sql("SELECT body FROM audit_entry ORDER BY seq").scalars()
    return [json.loads(body) for body in bodies]


def _story(entries: list[dict[str, Any]]) -> Story:
    story = Story()
    for entry in entries:
        story.entries.setdefault(entry["kind"], []).append(entry)
    return story


def _wrong_messages(connection: Connection, story: Story) -> list[str]:
    here = _registered(connection)
    gone = Counter(entry["pseudonym"] for entry in story.of("disposal"))
    superseded = [entry["pseudonym"] for entry in story.of("redated")]
    counted = sum(int(row[0]) for row in _rows(connection, 'SELECT registered FROM "import"'))
    wrong = [f"{one} was disposed of {count} times" for one, count in gone.items() if count > 1]
    wrong += [f"{key} has an entry and is still there" for name, key in here if name in gone or name in superseded]
    if counted != len(here) + gone.total() + len(superseded):
        wrong += [
            f"{counted} were registered: {len(here)} are there, {gone.total()} and {len(superseded)} have entries"
        ]
    return wrong


def _wrong_ledger(connection: Connection, registered: int | None) -> list[str]:
    """Compare the ledger with the register, and with the log once an import that is under way is set aside."""
    kept, real, (messages, told) = ledger.by_day(connection), ledger.count(connection), ledger.load(connection)
    wrong = [] if kept == real else [f"by day the ledger has {kept}, there are {real}"]
    if messages != real.total():
        wrong.append(f"the ledger has {messages} messages, there are {real.total()}")
    if told != registered:
        wrong.append(f"the ledger says that the log tells of {told} messages, it tells of {registered}")
    if told != messages and not _rows(connection, """SELECT id FROM "import" WHERE state = 'reading'"""):
        wrong.append(f"{messages} messages are registered, the log tells of {told}, and no import is under way")
    return wrong


def _wrong_orders(context: Context, connection: Connection, story: Story) -> list[str]:
    """Compare orders with the log: no disposal is missing in one, and no identifier is kept longer than it may be."""
    gone = Counter(entry["pseudonym"] for entry in story.of("disposal"))
    here = {name for name, _ in _registered(connection)}
    rows = _rows(connection, "SELECT id, state, listed, absent, unknown FROM upstream_order")
    kept = [row[0] for row in _rows(connection, "SELECT message_id FROM upstream_item")]
    names = _names(context, kept)
    left = sum(listed - absent - unknown for _, _, listed, absent, unknown in rows)
    told = {
        kind: sum(entry["count"] for entry in story.of(f"upstream_{kind}")) for kind in ("ordered", "absent", "unknown")
    }
    issued = [row for row in rows if row[1] != "listing"]
    sums = {"ordered": sum(row[2] for row in issued), "absent": sum(row[3] for row in rows)}
    sums["unknown"] = sum(row[4] for row in rows)
    wrong = [] if told == sums else [f"orders amount to {sums}, the log tells of {told}"]
    if sum(row[2] for row in rows) != gone.total():
        wrong.append(f"{gone.total()} were disposed of, orders list {rows}")
    if left != len(kept) or len(set(kept)) != len(kept):
        wrong.append(f"{left} identifiers are to be kept, {sorted(kept)} are")
    wrong += [f"{names[one]} is listed and registered" for one in names.keys() & here]
    wrong += [f"{one} is listed and was not disposed of" for one in set(kept) - {names.get(name) for name in gone}]
    return wrong


def _wrong_runs(connection: Connection, story: Story) -> list[str]:
    rows = _rows(connection, "SELECT id, state, disposed, batches FROM run")
    batches = {
        row[0]: row[1:] for row in _rows(connection, "SELECT batch, run_id, first_index, disposed FROM purge_batch")
    }
    told = {one["batch"]: (one["run"], one["first"], one["count"]) for one in story.of("batch")}
    wrong = [] if batches == told else [f"the batches are {batches}, the log tells of {told}"]
    for run, state, disposed, number in rows:
        own = [batch[2] for batch in batches.values() if batch[0] == run]
        if (disposed, number) != (sum(own), len(own)):
            wrong.append(f"run {run} ({state}) says {disposed} in {number} batches, its batches say {own}")
    died = [row[0] for row in rows if row[1] in {"interrupted", "stopped", "failed"}]
    if died != [entry["run"] for entry in story.of("run_interrupted")]:
        wrong.append(f"runs {died} were interrupted, the log tells of {story.of('run_interrupted')}")
    if sum(row[1] == "running" for row in rows) > 1:
        wrong.append("two runs are running")
    return wrong


def _wrong_files(connection: Connection, story: Story, folder: Path, exports: Mapping[str, int]) -> list[str]:
    """Compare each export with its entries: it is there, or told of, or a record says that it is on its way."""
    there = digests(folder)
    told = Counter(entry["file_digest"] for entry in story.of("file_disposed"))
    recorded = Counter(row[0] for row in _rows(connection, "SELECT file_digest FROM kept_file"))
    wrong = []
    for digest, count in exports.items():
        if there[digest] + told[digest] > count:
            wrong.append(f"{digest} is there {there[digest]} times and told {told[digest]} times of {count}")
        if there[digest] + told[digest] + recorded[digest] < count:
            wrong.append(f"{digest} is gone without an entry or a record")
    return wrong


def _wrong_anchor(connection: Connection, anchor: Path | None) -> list[str]:
    if anchor is None or not anchor.exists():
        return []
    left = anchor.read_text(encoding="utf-8")
    for (note,) in connection.exec_driver_sql("SELECT note FROM audit_checkpoint"):
        left = left.replace(note + "\n", "")
    return ["the anchor has what was never signed"] if left else []


def _names(context: Context, identifiers: Iterable[str]) -> dict[str, str]:
    keys = context.month_keys
    makers = [Pseudonymiser(key) for month in keys.months() if (key := keys.get(month)) is not None]
    return {maker.message(_SOURCE, name): name for maker in makers for name in identifiers}


def _registered(connection: Connection) -> list[tuple[str, str]]:
    rows = _rows(connection, "SELECT pseudonym, received_at, message_key FROM message")
    return [(row[0], f"{row[2].partition(':')[2]} {row[1]}") for row in rows]


def _unnumbered(cell: object) -> object:
    """Leave out the numbers of orders: a purge that was cut off makes two of one."""
    return re.sub(r"(order|show) \d+", r"\1 N", cell) if isinstance(cell, str) else cell


def _told(entry: dict[str, Any]) -> str:
    """Spell an entry without what depends on how often an import was cut off."""
    kept = {key: value for key, value in entry.items() if key not in {"at", "before", "after"}}
    return json.dumps(kept, sort_keys=True)


def _files(folder: Path) -> list[str]:
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [name for name in names if not name.endswith(("-wal", "-shm"))]


def _last_run(connection: Connection) -> tuple[Any, ...] | None:
    rows = connection.exec_driver_sql(f"{_RUN} ORDER BY id DESC LIMIT 1").all()
    return tuple(rows[0]) if rows else None


def _rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in connection.exec_driver_sql(sql)), key=repr)
