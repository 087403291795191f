"""Disposal orders: filled by the purge, issued when its run is over, and forgotten in time.

Order of writes. The identifiers of a batch are written in the batch's own transaction, so none is lost whenever the
process dies; meanwhile the order says ``listing``. When the run is over, or when the next turn finds an order whose run
died, one transaction counts it, gives it its days, writes its entry and says ``ordered``. Identifiers go as soon as an
export shows that their message is gone (evidence.py), or when they were kept for as long as they may be; then the level
of evidence stays ``unknown`` and a finding says so.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from retention.audit.entry import entry
from retention.model import from_epoch, to_epoch
from retention.policy.days import local_day, start_of_day
from retention.policy.period import expires_on
from retention.store import findings, imports, lease, order_items, orders, register
from retention.upstream.listing import csv_lines, digest_of
from retention.upstream.states import Figures, State, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from retention.audit.log import AuditLog
    from retention.model import Period
    from retention.store.engine import Database
    from retention.store.orders import DisposalOrder

FORGOTTEN = "upstream-unknown"
_SALT_BYTES = 16
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """Under which lease, with which settings and at what time (aware) orders are issued.

    ``zones`` maps every source whose copies are ordered to go to the zone of its times.
    """

    database: Database
    log: AuditLog
    lease: lease.Lease
    zones: Mapping[str, ZoneInfo]
    period: Period
    keep: Period
    attestations: int
    drill: bool
    now: datetime


class Lister:
    """Writes what a purge deletes into the run's orders, in the transaction that deletes it."""

    def __init__(self, database: Database, zones: Mapping[str, ZoneInfo]) -> None:
        """Take the sources whose copies are ordered to go, with their zones."""
        self._dialect = database.dialect
        self._zones = zones
        self._numbers: dict[str, str] = {}
        self._days: dict[tuple[str, int], str] = {}

    def __call__(self, connection: Connection, run_id: int, batch: int, rows: Iterable[tuple[int, str]]) -> None:
        """List one batch: pairs of time of receipt (epoch seconds) and key of the register.

        A message that stands in a batch under two times of receipt is one message at the source.
        """
        if not self._zones:
            return
        if not self._numbers:
            named = register.numbered_sources(connection)
            self._numbers = {str(number): name for number, name in named.items() if name in self._zones}
        found: dict[str, dict[str, str]] = {number: {} for number in self._numbers}
        quarter, days = register.QUARTER, self._days
        for received_at, key in rows:
            number, _, message_id = key.partition(":")
            if (ours := found.get(number)) is not None:
                at = (number, received_at // quarter)
                ours[message_id] = days.get(at) or self._day(at)
        for number, items in found.items():
            if items:
                source_id, source = int(number), self._numbers[number]
                order_id = orders.being_listed(connection, run_id=run_id, source=source, source_id=source_id)
                lines = [(source_id, message_id, order_id, batch, day) for message_id, day in items.items()]
                order_items.add(connection, self._dialect, lines)
                orders.count_listed(connection, order_id, len(lines))

    def _day(self, at: tuple[str, int]) -> str:
        number, quarter = at
        zone = self._zones[self._numbers[number]]
        day = self._days[at] = local_day(from_epoch(quarter * register.QUARTER), zone).isoformat()
        return day


def issue(terms: OrderTerms) -> list[int]:
    """Issue every order that was filled, also one whose run died; give their numbers."""
    with terms.database.read() as connection:
        if not orders.load(connection, orders.LISTING):
            return []
    with terms.database.write() as connection:
        lease.renew(connection, terms.lease, terms.database.dialect.clock)
        filled = orders.load(connection, orders.LISTING)
        for order in filled:
            _issue(connection, terms, order)
    return [order.id for order in filled]


def _issue(connection: Connection, terms: OrderTerms, order: DisposalOrder) -> None:
    zone = terms.zones.get(order.source, UTC)
    today = terms.now.astimezone(zone).date()
    due_on, span = expires_on(today, terms.period), order_items.span(connection, order.id)
    named = order._replace(due_on=due_on.isoformat(), salt=secrets.token_hex(_SALT_BYTES))
    digest = digest_of(csv_lines(named, order_items.stream(connection, order.id), drill=terms.drill))
    orders.change(
        connection,
        order.id,
        state=state_of(Figures(issued=True, listed=span.items)),
        issued_at=to_epoch(terms.now),
        due_on=named.due_on,
        overdue_at=to_epoch(_start(due_on + _ONE_DAY, terms.zones.get(order.source))),
        forget_at=to_epoch(datetime.combine(expires_on(today, terms.keep), terms.now.astimezone(zone).timetz())),
        first_on=span.first_on,
        last_on=span.last_on,
        needed=terms.attestations,
        list_digest=digest,
        salt=named.salt,
    )
    told = entry(
        "upstream_ordered",
        terms.now,
        source=order.source,
        count=span.items,
        order=order.id,
        run=order.run_id,
        list_digest=digest,
    )
    terms.log.append(connection, [told])


def _start(day: date, zone: ZoneInfo | None) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=UTC) if zone is None else start_of_day(day, zone)


def forget_late(terms: OrderTerms) -> list[int]:
    """Forget the identifiers that were kept for as long as they may be; give the numbers of their orders."""
    with terms.database.read() as connection:
        if not orders.to_forget(connection, terms.now):
            return []
    with terms.database.write() as connection:
        lease.renew(connection, terms.lease, terms.database.dialect.clock)
        late = orders.to_forget(connection, terms.now)
        for order in late:
            gone = order_items.forget(connection, order.source_id, order.id)
            told = entry("upstream_unknown", terms.now, source=order.source, count=gone, order=order.id)
            terms.log.append(connection, [told])
            reason = (
                f"order {order.id}: the identifiers of {gone} messages were kept for as long as they may be and are "
                "forgotten; whether the source still holds these messages will not be known"
            )
            findings.open_finding(
                connection, FORGOTTEN, reason, at=terms.now, source=order.source, file=orders.label(order.id)
            )
            orders.count_gone(connection, order.id, gone)
            save(connection, order._replace(present=0, unknown=order.unknown + gone), terms.now)
    return [order.id for order in late]


def save(connection: Connection, order: DisposalOrder, now: datetime) -> State:
    """Record an order's figures and the state they amount to; with its last identifier its list goes too."""
    standing = sum(one.refuted_at is None for one in orders.attestations(connection, order.id))
    figures = Figures(
        issued=order.issued_at is not None,
        listed=order.listed,
        absent=order.absent,
        present=order.present,
        unknown=order.unknown,
        attested=standing,
        needed=order.needed or 1,
    )
    state = state_of(figures)
    values = {"absent": order.absent, "present": order.present, "unknown": order.unknown}
    orders.change(connection, order.id, state=state, **values)
    if not order.left:
        orders.change(connection, order.id, salt=None)
        imports.bring_forward(connection, orders.label(order.id), now)
    return state
