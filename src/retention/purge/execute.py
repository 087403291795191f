"""The one door to deletion.

This file holds the only statements of the program that delete registered messages, and it is why the program is
dangerous. What protects the people whose messages these are, and those who need them kept:

1. A batch is one transaction. In this order it renews the lease (a run that lost it stops here), locks the head of the
   audit log (a hold is placed under the same lock, so a hold that was placed is seen), deletes what is due under the
   plan's cutoff AND due now AND not held, appends one entry for each row that the database says it deleted and one that
   closes the batch, takes the rows out of the ledger, records the progress, and commits. Nothing is deleted without its
   entry and nothing has an entry while it exists, whenever the process dies.
2. The due test and the hold test stand in the DELETE itself. If the holds cannot be read, the statement fails and
   nothing is deleted. A hold that was active when the plan was made counts even where it has been released since.
3. Batches follow the key. The floor of a batch is the bound of the one before, so held rows in front do not stall the
   loop, and the end is "no boundary row", not "nothing was deleted".
4. Between two batches the run can be stopped.

Times of receipt are epoch seconds UTC, cutoffs exclusive. Entries follow reference profile RFC 6962 / C2SP (audit/).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import stamina
from sqlalchemy import text

from retention import __version__
from retention.audit.entry import ascii_text, disposal_template, entry, safe_network
from retention.errors import TransientDatabaseError
from retention.model import from_epoch, iso, to_epoch
from retention.policy.days import local_day
from retention.store import holds, lease, ledger, register, runs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.audit.log import AuditLog
    from retention.policy.plan import Plan, RulePlan
    from retention.policy.schedule import Schedule
    from retention.store.engine import Database

_DELETE_DUE = """
DELETE FROM message AS m
WHERE m.received_at < :cutoff
  AND (m.received_at, m.message_key) > (:floor_at, :floor_key)
  AND (m.received_at, m.message_key) <= (:bound_at, :bound_key)
  AND m.class_id IN ({classes})
  AND NOT {held}
RETURNING pseudonym, received_at, class_id, message_key
"""
_REDATED = """
SELECT m.received_at, m.message_key, m.class_id, m.pseudonym, r.kept_received_at
FROM redated r JOIN message m ON m.received_at = r.received_at AND m.message_key = r.message_key
WHERE NOT {held} ORDER BY m.pseudonym
"""
_DELETE_ONE = "DELETE FROM message WHERE received_at = :received_at AND message_key = :message_key"
_FORGET_REDATED = """
DELETE FROM redated WHERE NOT EXISTS (SELECT 1 FROM message m
  WHERE m.received_at = redated.received_at AND m.message_key = redated.message_key)
"""
_LAST = (2**62, "")
_TRIES = 5


Enlist = Callable[["Connection", int, int, Iterable[tuple[int, str]]], None]


class Disposed(NamedTuple):
    """One row that the database says it deleted."""

    pseudonym: str
    received_at: int
    class_id: int
    message_key: str


class _Span(NamedTuple):
    """What one batch spans: keys after ``floor`` up to ``bound``, received before ``cutoff``."""

    cutoff: int
    floor: tuple[int, str]
    bound: tuple[int, str]


@dataclass(frozen=True, slots=True)
class Order:
    """A plan on its way: under which run and lease, with which schedule, at what time, and whom to tell.

    ``tick`` is told the number of messages disposed of in a batch, ``stop`` raises where the run is to stop, ``watch``
    sees each batch's rows after its commit, and ``enlist`` writes down in the batch's own transaction what has to go at
    the source: it is given the run, the batch, and time of receipt and key of each row. ``settle`` has it go there,
    when all batches are done, and gives how many identifiers went with that.
    """

    plan: Plan
    run_id: int
    lease: lease.Lease
    schedule: Schedule
    now: datetime
    batch_size: int
    tick: Callable[[int], None] = field(default=lambda _: None)
    stop: Callable[[], None] = field(default=lambda: None)
    watch: Callable[[list[Disposed]], None] = field(default=lambda _: None)
    enlist: Enlist = field(default=lambda *_: None)
    settle: Callable[[], int] = field(default=lambda: 0)


def carry_out(database: Database, log: AuditLog, order: Order) -> None:
    """Dispose of what is in the plan and still due and not held, batch by batch.

    Args:
        database: the register.
        log: its audit log.
        order: the plan and the terms of the run.

    Raises:
        LeaseLostError: another run has taken over; the open batch was rolled back.
        StoppedError: ``order.stop`` asked for it, between two batches.
        DatabaseError: the database failed; the open batch was rolled back.

    """
    with database.read() as connection:
        networks = {number: safe_network(found.network) for number, found in register.classes(connection).items()}
    purge = _Purge(database, log, order, networks, _Days(order.schedule))
    for part in order.plan.rules:
        floor: tuple[int, str] | None = register.START
        while floor is not None and part.class_ids:
            order.stop()
            floor = _again_while_it_passes(partial(purge.batch, part, floor))


def _again_while_it_passes(batch: Callable[[], tuple[int, str] | None]) -> tuple[int, str] | None:
    """Do a batch again where the database refused it for a reason that passes.

    An error at COMMIT leaves open whether the batch was committed. Doing it again is right in both cases: what was
    disposed of is not there any more, and the run's figures stand in the database.
    """
    return stamina.retry(on=TransientDatabaseError, attempts=_TRIES, timeout=None)(batch)()


@dataclass(frozen=True, slots=True)
class _Purge:
    """A plan that is being carried out. ``networks`` names the network of each message class."""

    database: Database
    log: AuditLog
    order: Order
    networks: dict[int, str]
    days: _Days

    def batch(self, part: RulePlan, floor: tuple[int, str]) -> tuple[int, str] | None:
        """Carry out one batch; give the floor of the next one, or None where this was the last."""
        order = self.order
        with self.database.write() as connection:
            lease.renew(connection, order.lease, self.database.dialect.clock)
            head = self.log.lock(connection)
            span = self._span(connection, part, floor)
            rows = _delete_due(connection, order.plan, part, span)
            if rows:
                batch = runs.next_batch(connection)
                entries = self._disposals(batch, rows)
                left = ledger.remove(connection, Counter((row[1] // ledger.SECONDS, row[2]) for row in rows))
                closing = self._closing(part, batch=batch, first=head.size, count=len(entries), left=left)
                self.log.append(connection, [*entries, closing])
                runs.add_batch(connection, order.run_id, batch, head.size, len(rows))
                order.enlist(connection, order.run_id, batch, ((row[1], row[3]) for row in rows))
        if rows:
            order.watch(rows)
            order.tick(len(rows))
        return None if span.bound == _LAST else span.bound

    def _span(self, connection: Connection, part: RulePlan, floor: tuple[int, str]) -> _Span:
        """Settle what the batch spans: the plan's cutoff, or today's where the clock went back since it was made."""
        schedule, now = self.order.schedule, self.order.now
        rule = next((rule for rule in schedule.rules if rule.name == part.rule), None)
        cutoff = min(part.cutoff, to_epoch(schedule.cutoff(rule, now) if rule else now))
        bound = register.boundary(connection, before=cutoff, floor=floor, size=self.order.batch_size)
        return _Span(cutoff, floor, bound or _LAST)

    def _disposals(self, batch: int, rows: list[Disposed]) -> list[bytes]:
        """Spell one entry a message, in the order of pseudonyms: neighbours in time would betray conversations."""
        spell, spelled = disposal_template(batch), self.days.spelled
        lines = [(row[0], spell(self.networks[row[2]], row[0], spelled(row[1]))) for row in rows]
        lines.sort()
        return [line for _, line in lines]

    def _closing(self, part: RulePlan, *, batch: int, first: int, count: int, left: int) -> bytes:
        order = self.order
        return entry(
            "batch",
            order.now,
            batch=batch,
            first=first,
            count=count,
            before=left + count,
            after=left,
            rule=part.rule,
            authority=ascii_text(part.authority),
            cutoff=iso(from_epoch(part.cutoff)),
            due_before=self.days.after(part.cutoff - 1),
            schedule_digest=order.plan.schedule_digest,
            plan_digest=order.plan.digest,
            run=order.run_id,
            fencing_token=order.lease.token,
            software=f"retention {__version__}",
        )


def _delete_due(connection: Connection, plan: Plan, part: RulePlan, span: _Span) -> list[Disposed]:
    classes = ", ".join(str(int(number)) for number in part.class_ids)
    sql = _DELETE_DUE.format(classes=classes, held=holds.covered(holds.active_or(plan.holds)))
    values = {
        "cutoff": span.cutoff,
        "floor_at": span.floor[0],
        "floor_key": span.floor[1],
        "bound_at": span.bound[0],
        "bound_key": span.bound[1],
    }
    return [Disposed(*row) for row in connection.execute(text(sql), values)]


def drop_redated(database: Database, log: AuditLog, held_lease: lease.Lease, schedule: Schedule, now: datetime) -> int:
    """Delete rows that the register has under an earlier time of receipt too, unless a hold covers them.

    Args:
        database: the register.
        log: its audit log; each row gets a ``redated`` entry.
        held_lease: the run's lease.
        schedule: gives the zone of the days in the entries.
        now: an aware datetime.

    Returns:
        The number of rows deleted.

    """
    days = _Days(schedule)
    with database.write() as connection:
        lease.renew(connection, held_lease, database.dialect.clock)
        log.lock(connection)
        rows = connection.execute(text(_REDATED.format(held=holds.covered(holds.ACTIVE)))).all()
        entries = [
            entry(
                "redated",
                now,
                pseudonym=row.pseudonym,
                received_on=days.spelled(row.kept_received_at),
                previous_on=days.spelled(row.received_at),
            )
            for row in rows
        ]
        if entries:
            log.append(connection, entries)
        for row in rows:
            connection.execute(text(_DELETE_ONE), {"received_at": row.received_at, "message_key": row.message_key})
        if rows:
            ledger.remove(connection, Counter((row.received_at // ledger.SECONDS, row.class_id) for row in rows))
        connection.execute(text(_FORGET_REDATED))
    return len(rows)


class _Days:
    """Local days of receipt as text, worked out once a quarter of an hour: no zone changes within one."""

    def __init__(self, schedule: Schedule) -> None:
        self._zone = schedule.zone
        self._known: dict[int, str] = {}

    def spelled(self, at: int) -> str:
        quarter = at // register.QUARTER
        if (day := self._known.get(quarter)) is None:
            day = self._known[quarter] = local_day(from_epoch(quarter * register.QUARTER), self._zone).isoformat()
        return day

    def after(self, at: int) -> str:
        return (date.fromisoformat(self.spelled(at)) + timedelta(days=1)).isoformat()
