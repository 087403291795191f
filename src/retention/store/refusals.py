"""Calls of webhooks that were turned away: how many, why, and when the last one was. Nothing of what they said."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, text

from retention.store.service_tables import webhook_refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

_ADD = text(
    "INSERT INTO webhook_refusal (source, outcome, calls, last_at) VALUES (:source, :outcome, :calls, :last_at) "
    "ON CONFLICT (source, outcome) DO UPDATE SET calls = webhook_refusal.calls + excluded.calls, "
    "last_at = CASE WHEN excluded.last_at > webhook_refusal.last_at THEN excluded.last_at "
    "ELSE webhook_refusal.last_at END"
)


class Refused(NamedTuple):
    """Calls of one webhook that ended in the same way; ``last_at`` is epoch seconds UTC."""

    source: str
    outcome: str
    calls: int
    last_at: int


_COLUMNS = tuple(webhook_refusal.c[name] for name in Refused._fields)


def load(connection: Connection) -> list[Refused]:
    """Give what was ever counted, by source and outcome."""
    query = select(*_COLUMNS).order_by(webhook_refusal.c.source, webhook_refusal.c.outcome)
    return [Refused(*row) for row in connection.execute(query)]


def add(connection: Connection, counted: Iterable[Refused]) -> None:
    """Add to what was counted before."""
    for one in counted:
        connection.execute(_ADD, one._asdict())
