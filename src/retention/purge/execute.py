"""The one door to deletion.

This file holds the only statements of the program that delete registered messages, and it is why the program is
dangerous. What protects the people whose messages these are, and those who need them kept:

1. A batch is one transaction. In this order it renews the lease (a run that lost it stops here), locks the head of the
   audit log (a hold is placed under the same lock, so a hold that was placed is seen), deletes what is due under the
   plan's cutoff AND due now AND not held, appends one entry for each row that the database says it deleted and one that
   closes the batch, records the progress, and commits. Nothing is deleted without its entry and nothing has an entry
   while it exists, whenever the process dies.
2. The due test and the hold test stand in the DELETE itself. If the holds cannot be read, the statement fails and
   nothing is deleted. A hold that was active when the plan was made counts even where it has been released since.
3. Batches follow the key. The floor of a batch is the bound of the one before, so held rows in front do not stall the
   loop, and the end is "no boundary row", not "nothing was deleted".
4. Between two batches the run can be stopped.

Times of receipt are epoch seconds UTC, cutoffs exclusive. Entries follow reference profile RFC 6962 / C2SP (audit/).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import text

from retention import __version__
from retention.audit.entry import ascii_text, disposal_template, entry, safe_network
from retention.model import from_epoch, iso, to_epoch
from retention.policy.days import local_day
from retention.store import holds, lease, register, runs

if TYPE_CHECKING:
    from collections.abc import Callable
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
_DELETE_ONE = "DELETE FROM message WHERE received_at = :received_at AND message_key = :message_key"
_FORGET_REDATED = """
DELETE FROM redated WHERE NOT EXISTS (SELECT 1 FROM message m
  WHERE m.received_at = redated.received_at AND m.message_key = redated.message_key)
"""
_LAST = (2**62, "")


class Disposed(NamedTuple):
    """One row that the database says it deleted."""

    pseudonym: str
    received_at: int
    class_id: int
    message_key: str


@dataclass(frozen=True, slots=True)
class Order:
    """A plan on its way: under which run and lease, with which schedule, at what time, and whom to tell.

    ``tick`` is told the number of messages disposed of in a batch, ``stop`` raises where the run is to stop, and
    ``watch`` sees each batch's rows after its commit.
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
    days = _Days(order.schedule)
    for part in order.plan.rules:
        floor: tuple[int, str] | None = register.START
        while floor is not None and part.class_ids:
            order.stop()
            floor = _batch(database, log, order, part, floor, networks, days)


def _batch(
    database: Database,
    log: AuditLog,
    order: Order,
    part: RulePlan,
    floor: tuple[int, str],
    networks: dict[int, str],
    days: _Days,
) -> tuple[int, str] | None:
    """Carry out one batch; give the floor of the next one, or None where this was the last."""
    with database.write() as connection:
        lease.renew(connection, order.lease, database.dialect.clock)
        log.lock(connection)
        cutoff = min(part.cutoff, _cutoff_now(order, part))
        bound = register.boundary(connection, before=cutoff, floor=floor, size=order.batch_size)
        rows = _delete_due(connection, order.plan, part, cutoff, floor, bound or _LAST)
        if rows:
            batch = runs.next_batch(connection)
            entries = _disposals(batch, rows, networks, days)
            first = log.head(connection).size
            closing = _closing(order, part, batch=batch, first=first, count=len(entries), days=days)
            log.append(connection, [*entries, closing])
            runs.add_batch(connection, order.run_id, batch, first, len(rows))
    if rows:
        order.watch(rows)
        order.tick(len(rows))
    return bound


def _delete_due(
    connection: Connection, plan: Plan, part: RulePlan, cutoff: int, floor: tuple[int, str], bound: tuple[int, str]
) -> list[Disposed]:
    classes = ", ".join(str(int(number)) for number in part.class_ids)
    sql = _DELETE_DUE.format(classes=classes, held=holds.covered(holds.active_or(plan.holds)))
    values = {
        "cutoff": cutoff,
        "floor_at": floor[0],
        "floor_key": floor[1],
        "bound_at": bound[0],
        "bound_key": bound[1],
    }
    return [Disposed(*row) for row in connection.execute(text(sql), values)]


def _cutoff_now(order: Order, part: RulePlan) -> int:
    """Give the cutoff that the schedule sets now: a clock that went back must not make anything due by an old plan."""
    rule = next((rule for rule in order.schedule.rules if rule.name == part.rule), None)
    return to_epoch(order.schedule.cutoff(rule, order.now) if rule else order.now)


def _disposals(batch: int, rows: list[Disposed], networks: dict[int, str], days: _Days) -> list[bytes]:
    """Spell one entry a message, in the order of pseudonyms: neighbours in time would betray conversations."""
    spell = disposal_template(batch)
    spelled = [(row[0], spell(networks[row[2]], row[0], days.spelled(row[1]))) for row in rows]
    spelled.sort()
    return [line for _, line in spelled]


def _closing(order: Order, part: RulePlan, *, batch: int, first: int, count: int, days: _Days) -> bytes:
    return entry(
        "batch",
        order.now,
        batch=batch,
        first=first,
        count=count,
        rule=part.rule,
        authority=ascii_text(part.authority),
        cutoff=iso(from_epoch(part.cutoff)),
        due_before=days.spelled(part.cutoff),
        schedule_digest=order.plan.schedule_digest,
        plan_digest=order.plan.digest,
        run=order.run_id,
        fencing_token=order.lease.token,
        software=f"retention {__version__}",
    )


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
    find = text(
        "SELECT m.received_at, m.message_key, m.pseudonym, r.kept_received_at FROM redated r JOIN message m "
        "ON m.received_at = r.received_at AND m.message_key = r.message_key "
        f"WHERE NOT {holds.covered(holds.ACTIVE)} ORDER BY m.pseudonym"
    )
    days = _Days(schedule)
    with database.write() as connection:
        lease.renew(connection, held_lease, database.dialect.clock)
        log.lock(connection)
        rows = connection.execute(find).all()
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
