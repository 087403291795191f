"""What people were told of, by each channel: one row an occasion that lasts. Writers renew their claim beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, insert, select

from retention.store.tables_service import notification

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection


class Remembered(NamedTuple):
    """An occasion that lasts, as one channel knows it. Instants are epoch seconds UTC, ``failures`` those in a row."""

    occasion: str
    grade: int
    since: int
    told_at: int | None = None
    told_grade: int | None = None
    failures: int = 0


_COLUMNS = tuple(notification.c[name] for name in Remembered._fields)


def load(connection: Connection, channel: str) -> dict[str, Remembered]:
    """Give what a channel knows, by the key of the occasion."""
    query = select(*_COLUMNS).where(notification.c.channel == channel).order_by(notification.c.occasion)
    return {row[0]: Remembered(*row) for row in connection.execute(query)}


def save(connection: Connection, channel: str, rows: Iterable[Remembered]) -> None:
    """Let a channel know these occasions and no others."""
    connection.execute(delete(notification).where(notification.c.channel == channel))
    values = [{"channel": channel, **row._asdict()} for row in rows]
    if values:
        connection.execute(insert(notification), values)


def forget_others(connection: Connection, channels: Iterable[str]) -> None:
    """Forget what was told by channels that are configured no more."""
    connection.execute(delete(notification).where(notification.c.channel.not_in(list(channels))))
