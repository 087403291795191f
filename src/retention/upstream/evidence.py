"""What a later export shows of the source's own copies. Weighed in the transaction that closes the import.

1. *Later*: an export is later than an order only where it proves that by itself: the window that its name states ends
   after the order was issued, or a message in it was received after that. When the file arrived, or what the disk says
   of its age, proves nothing. So an old export that is dropped again shows nothing.
2. *Present*: a later export has the identifier. That holds also for an export of which rows were rejected or the rest
   could not be read.
3. *Absent*: a later export has the whole local day of receipt and does not have the identifier. The window of its name
   shows which days it has, else the whole days between the first and the last receipt in it (policy/coverage.py). An
   export of which a row was rejected shows no absence, for the row might be the message. Where a webhook tells of the
   same messages, a day of receipt may be that of the event, a little later; so the first whole day shows nothing there.
4. *Strays*: messages past their period in an export that stand in no order. A finding says so until a later export that
   has their days no longer has them, or a person resolves it. What an interface lists is there when it is listed,
   whatever window was asked for.

An export that was restricted to some channels when it was made looks like a whole one. Whoever makes an export to check
an order must leave such filters out; nothing in the file tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from retention.audit.entry import entry
from retention.model import from_epoch, iso, to_epoch
from retention.policy.coverage import Days, Window, named_window, whole_days
from retention.policy.words import say_count
from retention.store import findings, order_items, orders
from retention.upstream.orders import save

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from retention.audit.canonical import Value
    from retention.audit.log import AuditLog
    from retention.sources.interface import SourceItem
    from retention.store.imports import Progress
    from retention.store.orders import DisposalOrder


_BY_HAND = (
    ". They were never registered, so no purge deletes them there: delete them in Hootsuite, then say so with: "
    "retention findings resolve"
)


class _Shown(NamedTuple):
    """What one import can show: at which instant (epoch seconds), of which local days, or of none."""

    import_id: int
    source: str
    source_id: int
    at: int
    days: Days | None
    facts: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at what imports say of the source's own copies.

    ``zones`` maps each source to the zone of its times, ``inexact`` has those with times that may be a little late,
    ``asked`` those whose items were listed by an interface for this very job.
    """

    log: AuditLog
    zones: Mapping[str, ZoneInfo]
    now: datetime
    inexact: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()

    def is_needed(self, connection: Connection, source_id: int) -> bool:
        """Tell whether any message of a source stands in an order."""
        return orders.has_items(connection, source_id)

    def listed(self, connection: Connection, source_id: int, message_ids: Collection[str]) -> set[str]:
        """Give those identifiers that stand in an order."""
        return order_items.listed(connection, source_id, message_ids)

    def saw(self, connection: Connection, source_id: int, message_ids: Collection[str], import_id: int) -> None:
        """Note that an import has these identifiers."""
        order_items.mark_seen(connection, source_id, message_ids, import_id)

    def weigh(
        self,
        connection: Connection,
        item: SourceItem,
        progress: Progress,
        *,
        source: str,
        source_id: int,
        import_id: int,
        whole: bool,
    ) -> None:
        """Say what an import shows, at its end; ``whole`` where it was read to its last row and none was rejected."""
        at = _made_after(item, progress, self.now)
        if at is None:
            return
        days = _days_of(item, progress, self.zones[source]) if whole else None
        if days is not None and source in self.inexact:
            days = _without_first(days)
        facts: dict[str, Value] = {"source": source, "file_digest": item.digest}
        if item.window_from and item.window_to:
            facts |= {"window_from": iso(item.window_from), "window_to": iso(item.window_to)}
        shown = _Shown(import_id, source, source_id, at, days, facts)
        self._weigh_orders(connection, shown)
        self._weigh_strays(connection, shown, item.name, progress)

    def _weigh_orders(self, connection: Connection, shown: _Shown) -> None:
        earlier = orders.open_before(connection, shown.source_id, shown.at)
        if not earlier:
            return
        numbers = [order.id for order in earlier]
        seen = order_items.mark_present(connection, shown.source_id, numbers, shown.import_id, shown.at)
        gone: dict[int, int] = {}
        if shown.days is not None and (reached := [order.id for order in earlier if _overlaps(order, shown.days)]):
            days = (shown.days.first.isoformat(), shown.days.last.isoformat())
            gone = order_items.take_absent(
                connection, shown.source_id, reached, days=days, import_id=shown.import_id, at=shown.at
            )
        if not seen and not gone:
            return
        held = order_items.count_present(connection, shown.source_id, numbers)
        for order in earlier:
            if order.id in seen or order.id in gone:
                counts = (seen.get(order.id, 0), gone.get(order.id, 0), held.get(order.id, 0))
                self._record(connection, shown, order, counts)

    def _record(
        self, connection: Connection, shown: _Shown, order: DisposalOrder, counts: tuple[int, int, int]
    ) -> None:
        seen, gone, held = counts
        for kind, count in (("upstream_present", seen), ("upstream_absent", gone)):
            if count:
                self.log.append(connection, [entry(kind, self.now, order=order.id, count=count, **shown.facts)])
        if seen:
            orders.refute(connection, order.id, shown.at)
            reason = (
                f"an export shows that the source still holds messages of order {order.id}, which was to be carried "
                f"out by {order.due_on}; see: retention upstream show {order.id}"
            )
            findings.open_finding(
                connection, orders.PRESENT_KIND, reason, at=self.now, source=shown.source, file=orders.label(order.id)
            )
        if not held:
            findings.mended(
                connection, orders.PRESENT_KIND, at=self.now, source=shown.source, file=orders.label(order.id)
            )
        orders.count_gone(connection, order.id, gone)
        save(connection, order._replace(absent=order.absent + gone, present=held), self.now)

    def _weigh_strays(self, connection: Connection, shown: _Shown, name: str, progress: Progress) -> None:
        zone = self.zones[shown.source]
        settled = [
            stray.finding_id
            for stray in orders.strays(connection, shown.source)
            if shown.days is not None and _settles(shown, shown.days, stray, zone)
        ]
        findings.mended_one_by_one(connection, settled, at=self.now)
        due_at, asked = progress.stray_due_at, shown.source in self.asked
        if due_at is not None and due_at <= (to_epoch(self.now) if asked else shown.at):
            strays = progress.born_expired - progress.listed
            past = say_count(strays, "message")
            what, then = ("listing", _BY_HAND) if asked else ("export", "")
            reason = f"the {what} has {past} past the period, the first due since {iso(from_epoch(due_at))}"
            findings.open_finding(
                connection,
                orders.PRESENT_KIND,
                f"{reason}; the source still holds them{then}",
                at=self.now,
                source=shown.source,
                file=name,
                import_id=shown.import_id,
            )


def _made_after(item: SourceItem, progress: Progress, now: datetime) -> int | None:
    """Give an instant after which the export was certainly made, or None where nothing in it has a time."""
    told = [to_epoch(item.window_to)] if item.window_to else []
    told += [progress.newest_at] if progress.newest_at is not None else []
    return min(max(told), to_epoch(now)) if told else None


def _days_of(item: SourceItem, progress: Progress, zone: ZoneInfo) -> Days | None:
    if item.window_from is not None and item.window_to is not None:
        return whole_days(named_window(item.window_from, item.window_to), zone)
    ends = [from_epoch(moment) for moment in (progress.oldest_at, progress.newest_at) if moment is not None]
    return whole_days(Window(min(ends), max(ends)), zone)


def _without_first(days: Days) -> Days | None:
    return Days(days.first + timedelta(days=1), days.last) if days.first < days.last else None


def _overlaps(order: DisposalOrder, days: Days) -> bool:
    return str(order.first_on) <= days.last.isoformat() and days.first.isoformat() <= str(order.last_on)


def _settles(shown: _Shown, days: Days, stray: orders.Stray, zone: ZoneInfo) -> bool:
    """Tell whether an export says anew what the source holds of the days of an earlier finding."""
    told = [moment for moment in (stray.window_to, stray.newest_at) if moment is not None]
    first, last = (from_epoch(moment).astimezone(zone).date() for moment in (stray.first_at, stray.last_at))
    return shown.at > max(told) and days.first <= first and last <= days.last
