"""When the whole log was last read and verified. One row: a log that is found bad later loses what was said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, text

from retention.model import to_epoch
from retention.store.tables import verification

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


class LastVerification(NamedTuple):
    """The last full verification, or what has shown since that the log is bad.

    ``at`` is in epoch seconds UTC. ``size`` is how many entries verified; of a bad log its first bad entry, or -1.
    """

    at: int
    size: int
    ok: bool


def note(connection: Connection, *, at: datetime, size: int, ok: bool) -> None:
    """Record how many entries were verified, or from where on the log was found bad; what was known before goes."""
    sql = text(
        "INSERT INTO verification (id, at, size, ok) VALUES (1, :at, :size, :ok) "
        "ON CONFLICT (id) DO UPDATE SET at = :at, size = :size, ok = :ok"
    )
    connection.execute(sql, {"at": to_epoch(at), "size": size, "ok": ok})


def last(connection: Connection) -> LastVerification | None:
    """Give what is known, or None where the log was never verified in full."""
    row = connection.execute(select(verification.c.at, verification.c.size, verification.c.ok)).first()
    return None if row is None else LastVerification(row[0], row[1], bool(row[2]))
