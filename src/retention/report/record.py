"""The facts of a disposal record: what one run disposed of, on whose authority, and what is not known.

The counts come from the disposals in the log and not from the plan, so the record says what was done and not what was
meant to be done. Every date comes from the run, so the record of a run is the same whenever it is drawn, but for two
things: the text of a reason can be erased while the log keeps the commitment to it, and what later exports show of the
source's own copies is told as far as it is known.

The log must have been verified before: this compares the register's word with the log's, not the log with its hashes.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from retention.audit import rotation
from retention.audit.checkpoint import parse_checkpoint, vkey
from retention.audit.signing import fingerprint
from retention.audit.tables import audit_checkpoint
from retention.errors import LogError, UsageError
from retention.model import from_epoch
from retention.policy.days import local_day
from retention.policy.plan import Plan, load_plan
from retention.policy.schedule import parse_schedule
from retention.report import backups
from retention.report.approvals import Approval, approvals_of
from retention.report.record_counts import DayCount, Lateness, lateness
from retention.report.record_log import BeltFacts, batches_of, receipts_of, said_beside, totals_of
from retention.report.upstream import worst
from retention.store import orders, runs
from retention.store.tables import plan as plan_table
from retention.store.tables import run as run_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from retention.policy.schedule import Schedule
    from retention.report.backups import Reach
    from retention.store.schema import Installation


class RuleFacts(NamedTuple):
    """What one rule disposed of; ``cutoff`` is epoch seconds UTC, ``keep`` empty where no rule covered the messages."""

    rule: str
    keep: str
    authority: str
    cutoff: int
    disposed: int
    held: int
    released: int


class OrderFacts(NamedTuple):
    """The order that tells people to delete the source's own copies, and what later exports showed so far."""

    order: int
    source: str
    state: str
    due_on: str | None
    listed: int
    absent: int
    present: int
    unknown: int


class HeadFacts(NamedTuple):
    """The checkpoint that first covered the run: ``root`` is base64, ``note`` the signed text.

    ``key`` is the key of the log that signed it, as verifiers take it (C2SP vkey), ``fingerprint`` its SHA-256.
    """

    size: int
    root: str
    note: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a disposal record says. Instants are epoch seconds UTC, days local in ``time_zone``."""

    origin: str
    drill: bool
    database: str
    time_zone: str
    run: runs.Run
    planned_at: int
    planned: int
    holds: int
    software: str | None
    rules: tuple[RuleFacts, ...]
    counts: tuple[DayCount, ...]
    lateness: Lateness | None
    entries: tuple[int, int] | None
    belts: tuple[BeltFacts, ...]
    checkpoint: HeadFacts
    orders: tuple[OrderFacts, ...] = ()
    receipts: int = 0
    approvals: tuple[Approval, ...] = ()
    copies: tuple[Reach, ...] = ()

    @property
    def unlisted(self) -> int:
        """Messages that no order lists and no receipt covers: nothing is known of their copies."""
        return self.disposed - self.receipts - sum(order.listed for order in self.orders)

    @property
    def upstream_level(self) -> str:
        """The level of evidence of all copies together: the worst of them."""
        states = [order.state for order in self.orders] + (["deleted"] if self.receipts else [])
        unknown = ["unknown"] if self.unlisted > 0 or not states else []
        return worst([*states, *unknown])

    @property
    def disposed(self) -> int:
        """The messages of which the log has a disposal by this run."""
        return sum(count.disposed for count in self.counts)

    @property
    def held(self) -> int:
        """Messages that were due by the plan and kept by a hold."""
        return sum(rule.held for rule in self.rules)


def gather(
    connection: Connection, installation: Installation, run_id: int, tick: Callable[[int], None] = lambda _: None
) -> Record:
    """Gather the facts of one run from the register and the log, which must have been verified.

    Raises:
        UsageError: there is no such run, or it has not ended, or no checkpoint covers it.
        LogError: the register and the log do not say the same of it.

    """
    run = ended_run(connection, run_id)
    plan = _plan(connection, run)
    schedule = _schedule(connection, run)
    batches = batches_of(connection, run_id)
    totals = totals_of(
        connection, run, batches, schedule.zone, {part.rule: part.keep for part in plan.rules}, tick=tick
    )
    head = _head(connection, run)
    before = batches[0].first if batches else head.size
    belts, software = said_beside(connection, run, plan.log_size, before)
    return Record(
        origin=installation.origin,
        drill=installation.drill,
        database=connection.dialect.name,
        time_zone=schedule.time_zone,
        run=run,
        planned_at=plan.now,
        planned=plan.due,
        holds=len(plan.holds),
        software=totals.software or software,
        rules=tuple(
            RuleFacts(
                part.rule, part.keep, part.authority, part.cutoff, totals.rules[part.rule], part.held, part.released
            )
            for part in plan.rules
        ),
        counts=tuple(
            DayCount(date.fromisoformat(day), network, number)
            for (day, network), number in sorted(totals.counts.items())
        ),
        lateness=lateness(totals.late),
        entries=(batches[0].first, batches[-1].first + batches[-1].disposed) if batches else None,
        belts=belts,
        checkpoint=head,
        orders=tuple(
            OrderFacts(one.id, one.source, one.state, one.due_on, one.listed, one.absent, one.present, one.unknown)
            for one in orders.of_run(connection, run_id)
        ),
        receipts=receipts_of(connection, run, batches[-1].first, head.size) if batches else 0,
        approvals=approvals_of(connection, run.plan_digest),
        copies=_copies(connection, run, schedule),
    )


def ended_run(connection: Connection, run_id: int) -> runs.Run:
    """Give a run of which a record can be drawn.

    Raises:
        UsageError: there is no such run, or it has not ended, or no checkpoint covers it.

    """
    if connection.execute(select(run_table.c.id).where(run_table.c.id == run_id)).scalar() is None:
        msg = "there is no run of this number; see the latest with: retention status"
        raise UsageError(msg)
    found = runs.get(connection, run_id)
    if found.state == "running":
        msg = "this run has not ended; where it was killed, the next run says so. No record can be drawn yet"
        raise UsageError(msg)
    if found.checkpoint_size is None:
        msg = "no checkpoint covers this run yet; sign one with: retention audit checkpoint"
        raise UsageError(msg)
    return found


def _copies(connection: Connection, run: runs.Run, schedule: Schedule) -> tuple[Reach, ...]:
    """Say what was known of backups when the run's checkpoint was signed; what is said later changes no record."""
    ended = from_epoch(run.started_at if run.finished_at is None else run.finished_at)
    if backups.untold(connection):
        msg = "the log has entries of backups that the register does not know of; see who changed its table backup"
        raise LogError(msg)
    said = backups.known(connection, run.checkpoint_size)
    return backups.reaches(said, local_day(ended, schedule.zone), schedule.zone)


def _plan(connection: Connection, run: runs.Run) -> Plan:
    query = select(plan_table.c.body).where(plan_table.c.digest == run.plan_digest)
    body = connection.execute(query).scalar()
    try:
        plan = load_plan(str(body))
    except (KeyError, TypeError, ValueError):
        plan = None
    if plan is None or plan.digest != run.plan_digest:
        msg = "the plan of this run is gone or is not the one of its digest, so no record can be drawn"
        raise LogError(msg)
    return plan


def _schedule(connection: Connection, run: runs.Run) -> Schedule:
    text = runs.schedule_text(connection, run.schedule_digest)
    try:
        schedule = parse_schedule(str(text))
    except (KeyError, TypeError, ValueError):
        schedule = None
    if schedule is None or schedule.digest != run.schedule_digest:
        msg = "the schedule of this run is gone or is not the one of its digest, so no record can be drawn"
        raise LogError(msg)
    return schedule


def _head(connection: Connection, run: runs.Run) -> HeadFacts:
    query = select(audit_checkpoint.c.note).where(audit_checkpoint.c.size == run.checkpoint_size)
    note = connection.execute(query).scalar()
    if note is None:
        msg = "the checkpoint that covered this run is gone; look with: retention audit verify"
        raise LogError(msg)
    head = parse_checkpoint(note.partition("\n\n")[0] + "\n")
    key = rotation.key_at(rotation.introduced(connection), head.size)
    if key is None:
        msg = "no entry of the log names the key that signed it then; look with: retention audit verify"
        raise LogError(msg)
    return HeadFacts(head.size, b64encode(head.root).decode("ascii"), note, vkey(key), fingerprint(key))
