"""Place and release holds, each with its entry, under the lock that purge batches take too.

A hold is placed by identifiers as the source spells them. What is kept of them is their pseudonym under every month key
that exists, and the identifier itself sealed, so that the hold goes on covering messages under keys that come later.
Releasing a hold forgets the sealed identifiers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retention.acts.remarks import keep_remark
from retention.audit.entry import entry
from retention.errors import UsageError
from retention.ingest.pseudonyms import PSEUDONYMOUS
from retention.model import iso
from retention.policy.days import start_of_day
from retention.store import holds
from retention.upkeep import demand_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from retention.context import Context
    from retention.policy.hold import HoldKind, Selector


# Days must have instants in every zone, which those at the ends of the calendar do not.
_FIRST_YEAR, _LAST_YEAR = 1900, 9000


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """What a person orders: days are local days of the schedule's zone, both included; identifiers are the source's."""

    kind: HoldKind
    owner: str
    reason: str
    review_on: date
    received_from: date | None = None
    received_through: date | None = None
    selectors: Mapping[Selector, tuple[str, ...]] = field(default_factory=dict)


def place_hold(context: Context, order: HoldOrder, now: datetime) -> int:
    """Place a hold; it counts in the very next batch of any purge. Gives its number.

    Raises:
        UsageError: the order is not complete or makes no sense.
        BrokenLogError: the audit log does not verify.

    """
    _check(context, order, now)
    plain = {
        selector: [value.strip().casefold() for value in values]
        for selector, values in order.selectors.items()
        if selector not in PSEUDONYMOUS
    }
    named = {
        selector: [value.strip() for value in values]
        for selector, values in order.selectors.items()
        if selector in PSEUDONYMOUS
    }
    demand_order(context, now)
    keys, zone = context.month_keys, context.schedule.zone
    sealed = {selector: [keys.seal(value) for value in values] for selector, values in named.items()}
    with context.database.write() as connection:
        context.log.lock(connection)
        reason = keep_remark(connection, order.reason)
        hold_id = holds.place(
            connection,
            kind=order.kind,
            owner=order.owner.strip(),
            reason_commitment=reason,
            placed_at=now,
            review_on=order.review_on,
            received_from=start_of_day(order.received_from, zone) if order.received_from else None,
            received_until=start_of_day(_next(order.received_through), zone) if order.received_through else None,
            selectors={**plain, **context.pseudonyms.of_identifiers(connection, named)},
            sealed=sealed,
        )
        context.log.append(connection, [entry("hold_placed", now, hold=hold_id, reason=reason)])
    return hold_id


def release_hold(context: Context, hold_id: int, reason: str, now: datetime) -> None:
    """Release a hold; what is due shows in the next plan with its own count.

    Raises:
        UsageError: no active hold has this number.
        BrokenLogError: the audit log does not verify.

    """
    demand_order(context, now)
    with context.database.write() as connection:
        context.log.lock(connection)
        if not holds.release(connection, hold_id, now):
            before = holds.released_at(connection, hold_id)
            told = f": it was released {iso(before)}" if before else ""
            msg = f"there is no active hold {hold_id}{told}; see: retention hold list --all"
            raise UsageError(msg)
        promised = keep_remark(connection, reason)
        context.log.append(connection, [entry("hold_released", now, hold=hold_id, reason=promised)])


def _check(context: Context, order: HoldOrder, now: datetime) -> None:
    if not order.owner.strip():
        msg = "a hold needs an owner: the person or office that answers for it"
        raise UsageError(msg)
    if order.review_on <= context.schedule.today(now):
        msg = "the review date of a hold must lie in the future"
        raise UsageError(msg)
    first, last = order.received_from, order.received_through
    if any(day and not _FIRST_YEAR <= day.year <= _LAST_YEAR for day in (first, last, order.review_on)):
        msg = f"the days of a hold must lie in the years {_FIRST_YEAR} to {_LAST_YEAR}"
        raise UsageError(msg)
    if first and last and first > last:
        msg = "the first day of a hold lies after its last day"
        raise UsageError(msg)
    if any(not value.strip() for values in order.selectors.values() for value in values):
        msg = "a selector of a hold must not be empty"
        raise UsageError(msg)


def _next(day: date) -> date:
    return type(day).fromordinal(day.toordinal() + 1)
