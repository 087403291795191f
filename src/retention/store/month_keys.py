"""What the database knows of the month keys: when they were made, last needed and destroyed; never the keys.

``empty_since`` is set only while no message of the month is registered, and cleared before any is registered under the
key again. So nothing of the month was registered or disposed of after it. ``condemned_at`` is committed before the key
file is touched: a file that is missing from a month that is not condemned was lost, not destroyed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, select, update

from retention.model import to_epoch
from retention.store.tables import message, month_key

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection


class MonthKey(NamedTuple):
    """One month's key. Instants are epoch seconds UTC."""

    month: str
    commitment: str
    created_at: int
    destroyed_at: int | None
    empty_since: int | None
    condemned_at: int | None


_COLUMNS = tuple(month_key.c[name] for name in MonthKey._fields)


def load(connection: Connection) -> list[MonthKey]:
    """Give every month that ever had a key, oldest first."""
    return [MonthKey(*row) for row in connection.execute(select(*_COLUMNS).order_by(month_key.c.month))]


def live(connection: Connection) -> list[MonthKey]:
    """Give the months whose key must be there: not destroyed, nor about to be."""
    return [found for found in load(connection) if found.condemned_at is None]


def find(connection: Connection, month: str) -> MonthKey | None:
    """Give what is known of one month's key, or None where none was ever made."""
    row = connection.execute(select(*_COLUMNS).where(month_key.c.month == month)).one_or_none()
    return None if row is None else MonthKey(*row)


def add_month(connection: Connection, month: str, commitment: str, at: datetime) -> None:
    """Record that a month's key was made."""
    values = {"month": month, "commitment": commitment, "created_at": to_epoch(at)}
    connection.execute(insert(month_key).values(values))


def count_messages(connection: Connection, start: datetime, end: datetime) -> int:
    """Count the registered messages that were received from an instant on and before another."""
    return int(connection.execute(select(func.count()).select_from(message).where(_between(start, end))).scalar_one())


def has_messages(connection: Connection, start: datetime, end: datetime) -> bool:
    """Tell whether any registered message was received from an instant on and before another; one look at the index."""
    query = select(message.c.received_at).where(_between(start, end)).limit(1)
    return connection.execute(query).one_or_none() is not None


def set_empty_since(connection: Connection, month: str, at: datetime | None) -> None:
    """Record since when no message of a month is registered, or that one is or is about to be."""
    _change(connection, month, empty_since=None if at is None else to_epoch(at))


def condemn(connection: Connection, month: str, at: datetime) -> None:
    """Record that a month's key is about to be destroyed; it is not used from then on."""
    _change(connection, month, condemned_at=to_epoch(at))


def destroyed(connection: Connection, month: str, at: datetime) -> None:
    """Record that a month's key is gone from its folder."""
    _change(connection, month, destroyed_at=to_epoch(at))


def _between(start: datetime, end: datetime) -> ColumnElement[bool]:
    return (message.c.received_at >= to_epoch(start)) & (message.c.received_at < to_epoch(end))


def _change(connection: Connection, month: str, **values: int | None) -> None:
    connection.execute(update(month_key).where(month_key.c.month == month).values(**values))
