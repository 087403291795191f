"""What the database knows of the month keys: that they were made and destroyed, never the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from retention.model import to_epoch
from retention.store.tables import month_key

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def known_months(connection: Connection) -> set[str]:
    """Give the months (``YYYY-MM``) for which a key was made."""
    return set(connection.execute(select(month_key.c.month)).scalars())


def add_month(connection: Connection, month: str, commitment: str, at: datetime) -> None:
    """Record that a month's key was made."""
    values = {"month": month, "commitment": commitment, "created_at": to_epoch(at)}
    connection.execute(insert(month_key).values(values))
