"""What the log says of one run: its disposals, counted, and the entries beside them.

Where the register's rows of a run lead to something else in the log, no record is drawn.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from retention.audit.log import stream
from retention.errors import LogError
from retention.model import Period
from retention.policy.days import local_day
from retention.report.record_counts import days_past_due
from retention.store import runs
from retention.store.tables import purge_batch

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

_DISPOSAL = re.compile(
    r'\{"batch":([0-9]+),"kind":"disposal","network":"([^"]+)","pseudonym":"[^"]+","received_on":"([0-9-]{10})","v":1\}'
)
_BELT_PASSED = '"kind":"belt_passed"'
_HEARTBEAT = '"kind":"heartbeat"'
_RECEIPT = '"kind":"upstream_deleted"'
_PROGRESS = 10_000


class Remark(NamedTuple):
    """A person's free text: the commitment in the log, and the text where it was not erased."""

    commitment: str
    text: str | None


class BeltFacts(NamedTuple):
    """One safety belt that was passed: its entry of the log, why, and by whom where the entry says so."""

    belt: str
    entry: int
    reason: Remark
    by: Remark | None


class Batch(NamedTuple):
    """One batch by the register: its number, the index of its first disposal and the number of them."""

    number: int
    first: int
    disposed: int


class Totals(NamedTuple):
    """What the log says of a run: by day and network, by rule, by days past due, and which version did it."""

    counts: Counter[tuple[str, str]]
    rules: Counter[str]
    late: Counter[int]
    software: str | None


def batches_of(connection: Connection, run_id: int) -> list[Batch]:
    """Give the batches of a run, in order."""
    columns = (purge_batch.c.batch, purge_batch.c.first_index, purge_batch.c.disposed)
    query = select(*columns).where(purge_batch.c.run_id == run_id).order_by(purge_batch.c.batch)
    return [Batch(*row) for row in connection.execute(query)]


def totals_of(
    connection: Connection,
    run: runs.Run,
    batches: list[Batch],
    zone: ZoneInfo,
    keeps: dict[str, str],
    *,
    tick: Callable[[int], None],
) -> Totals:
    """Count the disposals of a run, batch by batch; ``keeps`` gives the period of each rule.

    Raises:
        LogError: the register and the log do not say the same of it.

    """
    counts: Counter[tuple[str, str]] = Counter()
    rules: Counter[str] = Counter()
    late: Counter[int] = Counter()
    software = None
    for batch in batches:
        found, closing = _batch(connection, run, batch, tick)
        software, rule = str(closing["software"]), str(closing.get("rule", ""))
        counts.update(found)
        rules[rule] += batch.disposed
        if keep := keeps.get(rule):
            disposed_on = local_day(datetime.fromisoformat(str(closing["at"])), zone)
            for (day, _), number in found.items():
                late[days_past_due(date.fromisoformat(day), Period.parse(keep), disposed_on)] += number
    if counts.total() != run.disposed:
        raise _disagree()
    return Totals(counts, rules, late, software)


def _batch(
    connection: Connection, run: runs.Run, batch: Batch, tick: Callable[[int], None]
) -> tuple[Counter[tuple[str, str]], dict[str, Any]]:
    """Count the disposals of one batch, which must stand where the register says and be closed by its entry."""
    counts: Counter[tuple[str, str]] = Counter()
    closing: dict[str, Any] = {}
    end = batch.first + batch.disposed
    for index, body in stream(connection, batch.first, end + 1):
        if index == end:
            closing = _parsed(body)
        elif (disposal := _DISPOSAL.fullmatch(body)) and disposal[1] == str(batch.number):
            counts[disposal[3], disposal[2]] += 1
        if index % _PROGRESS == 0:
            tick(_PROGRESS)
    said = [closing.get(name) for name in ("kind", "batch", "run", "plan_digest", "count")]
    if counts.total() != batch.disposed or said != ["batch", batch.number, run.id, run.plan_digest, batch.disposed]:
        raise _disagree()
    return counts, closing


def said_beside(
    connection: Connection, run: runs.Run, start: int, end: int
) -> tuple[tuple[BeltFacts, ...], str | None]:
    """Read the run's entries before its batches: the belts that it passed, and the version in its heartbeat."""
    belts: list[BeltFacts] = []
    software = None
    for index, body in stream(connection, start, end):
        if _BELT_PASSED not in body and _HEARTBEAT not in body:
            continue
        entry = _parsed(body)
        if entry.get("run") != run.id:
            continue
        if entry["kind"] == "belt_passed":
            by = _remark(connection, str(entry["by"])) if "by" in entry else None
            belts.append(BeltFacts(str(entry["belt"]), index, _remark(connection, str(entry["reason"])), by))
        else:
            software = str(entry["software"]) if "software" in entry else None
    return tuple(belts), software


def receipts_of(connection: Connection, run: runs.Run, start: int, end: int) -> int:
    """Count the messages of this run of which an interface has said that they are deleted, or not there any more."""
    told = (_parsed(body) for _, body in stream(connection, start, end) if _RECEIPT in body)
    return sum(int(entry["count"]) for entry in told if entry.get("run") == run.id)


def _remark(connection: Connection, commitment: str) -> Remark:
    return Remark(commitment, runs.remark_of(connection, commitment))


def _parsed(body: str) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(body)
    return entry


def _disagree() -> LogError:
    msg = "the register and the audit log do not say the same of this run; look with: retention audit verify"
    return LogError(msg)
