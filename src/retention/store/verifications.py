"""When the whole log was last read and verified. One row: a log that is found bad later loses what was said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, text

from retention.errors import DatabaseError
from retention.model import to_epoch
from retention.store.tables import verification

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


class LastVerification(NamedTuple):
    """The last full verification, or what has shown since that the log is bad.

    ``at`` is in epoch seconds UTC; of a bad log when that showed first. ``size`` is how many entries verified; of a bad
    log its first bad entry, or -1.
    """

    at: int
    size: int
    ok: bool


def note(connection: Connection, *, at: datetime, size: int, ok: bool) -> None:
    """Record how many entries were verified, or from where on the log was found bad; what was known before goes."""
    sql = text(
        "INSERT INTO verification (id, at, size, ok) VALUES (1, :at, :size, :ok) "
        "ON CONFLICT (id) DO UPDATE SET "
        "at = CASE WHEN NOT :ok AND NOT verification.ok THEN verification.at ELSE :at END, size = :size, ok = :ok"
    )
    connection.execute(sql, {"at": to_epoch(at), "size": size, "ok": ok})


def last(connection: Connection) -> LastVerification | None:
    """Give what is known, or None where the log was never verified in full.

    Raises:
        DatabaseError: what is stored are no numbers.

    """
    row = connection.execute(select(verification.c.at, verification.c.size, verification.c.ok)).first()
    if row is not None and not (isinstance(row[0], int) and isinstance(row[1], int)):
        msg = "what the database says of the last verification is no number; run: retention audit verify"
        raise DatabaseError(msg)
    return None if row is None else LastVerification(row[0], row[1], bool(row[2]))


def found_bad(connection: Connection) -> bool:
    """Tell whether the log was found bad and has not verified in full since."""
    return connection.execute(select(verification.c.id).where(~verification.c.ok)).first() is not None
