"""The identifiers that stand in disposal orders. No other file has a statement that reads them.

They are what the purge took out of the register, kept for one purpose: to tell people what has to go at the source, and
to see in a later export whether it went. Nothing else may use them, so nothing else can ask for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, or_, select, update

from retention.store.tables import upstream_item

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from retention.store.dialect import Dialect

_COLUMNS = ("source_id", "message_id", "order_id", "batch", "received_on")
_CHUNK = 500
_PAGE = 10_000
_ITEM = upstream_item.c


class Span(NamedTuple):
    """How many identifiers an order has, and the local days (ISO text) of the first and the last receipt."""

    items: int
    first_on: str
    last_on: str


def add(connection: Connection, dialect: Dialect, rows: Sequence[tuple[int, str, int, int, str]]) -> None:
    """Write rows of source, identifier, order, batch and day of receipt; sorted by their key they go in faster."""
    dialect.bulk_insert(connection, "upstream_item", _COLUMNS, sorted(rows))


def span(connection: Connection, order_id: int) -> Span:
    """Tell what an order spans; it has one identifier at least."""
    columns = (func.count(), func.min(_ITEM.received_on), func.max(_ITEM.received_on))
    return Span(*connection.execute(select(*columns).where(_ITEM.order_id == order_id)).one())


def stream(connection: Connection, order_id: int) -> Iterator[tuple[str, str]]:
    """Stream day of receipt and identifier of what an order still has, by day; sorted once, by the database."""
    query = select(_ITEM.received_on, _ITEM.message_id).distinct().where(_ITEM.order_id == order_id)
    ordered = query.order_by(_ITEM.received_on, _ITEM.message_id).execution_options(yield_per=_PAGE)
    for rows in connection.execute(ordered).partitions():
        yield from ((row[0], row[1]) for row in rows)


def by_day(connection: Connection, order_id: int) -> list[tuple[str, int]]:
    """Count what an order still has by day of receipt."""
    query = select(_ITEM.received_on, func.count()).where(_ITEM.order_id == order_id)
    return [(row[0], row[1]) for row in connection.execute(query.group_by(_ITEM.received_on).order_by("received_on"))]


def listed(connection: Connection, source_id: int, message_ids: Collection[str]) -> set[str]:
    """Give those identifiers of a source that stand in an order; each is one look-up by the key."""
    query = select(_ITEM.message_id).where(_ITEM.source_id == source_id)
    return {
        found
        for chunk in _chunks(message_ids)
        for found in connection.execute(query.where(_ITEM.message_id.in_(chunk))).scalars()
    }


def listed_anywhere(connection: Connection, message_ids: Collection[str]) -> set[str]:
    """Give those identifiers that stand in an order of any source."""
    sources = connection.execute(select(_ITEM.source_id).distinct()).scalars().all()
    return {found for source_id in sources for found in listed(connection, source_id, message_ids)}


def orders_of(connection: Connection, source_ids: Sequence[int], message_id: str) -> list[tuple[int, bool]]:
    """Give the orders in which an identifier stands, the latest first, and whether the source was shown to hold it."""
    query = select(_ITEM.order_id, _ITEM.present_at.is_not(None))
    found = query.where(_ITEM.source_id.in_(source_ids), _ITEM.message_id == message_id)
    return [(row[0], bool(row[1])) for row in connection.execute(found.order_by(_ITEM.order_id.desc()))]


def mark_seen(connection: Connection, source_id: int, message_ids: Collection[str], import_id: int) -> None:
    """Note that an import has these identifiers."""
    change = update(upstream_item).where(_ITEM.source_id == source_id).values(seen_in=import_id)
    for chunk in _chunks(message_ids):
        connection.execute(change.where(_ITEM.message_id.in_(chunk)))


def mark_present(
    connection: Connection, source_id: int, order_ids: Sequence[int], import_id: int, at: int
) -> dict[int, int]:
    """Note what an import has of some orders as still held at an instant; count it by order."""
    ours = (_ITEM.source_id == source_id) & _ITEM.order_id.in_(order_ids) & (_ITEM.seen_in == import_id)
    connection.execute(update(upstream_item).where(ours).values(present_at=at))
    counts = select(_ITEM.order_id, func.count()).where(ours).group_by(_ITEM.order_id)
    return {row[0]: row[1] for row in connection.execute(counts)}


def take_absent(
    connection: Connection,
    source_id: int,
    order_ids: Sequence[int],
    *,
    days: tuple[str, str],
    import_id: int,
    at: int,
) -> dict[int, int]:
    """Remove what an import of an instant does not have although it has its day; count it by order.

    What a still later import showed to be there stays.
    """
    gone = (
        (_ITEM.source_id == source_id)
        & _ITEM.order_id.in_(order_ids)
        & _ITEM.received_on.between(*days)
        & or_(_ITEM.seen_in.is_(None), _ITEM.seen_in != import_id)
        & or_(_ITEM.present_at.is_(None), _ITEM.present_at < at)
    )
    counts = select(_ITEM.order_id, func.count()).where(gone).group_by(_ITEM.order_id)
    found = {row[0]: row[1] for row in connection.execute(counts)}
    if found:
        connection.execute(delete(upstream_item).where(gone))
    return found


def count_present(connection: Connection, source_id: int, order_ids: Sequence[int]) -> dict[int, int]:
    """Count what the source was shown to hold still, by order."""
    held = (_ITEM.source_id == source_id) & _ITEM.order_id.in_(order_ids) & _ITEM.present_at.is_not(None)
    query = select(_ITEM.order_id, func.count()).where(held).group_by(_ITEM.order_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def forget(connection: Connection, source_id: int, order_id: int) -> int:
    """Remove everything that an order still has; give the number."""
    ours = (_ITEM.source_id == source_id) & (_ITEM.order_id == order_id)
    return connection.execute(delete(upstream_item).where(ours)).rowcount


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted(values)
    yield from (wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK))
