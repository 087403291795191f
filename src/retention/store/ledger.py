"""The ledger of the register: how many messages each day and class must have, and how many there must be in all.

It is written by the same transactions as the messages, through ``add``, ``remove`` and ``rebase`` alone, and never
counts the register: whoever deletes or inserts messages around the program leaves it behind, which is how that shows.
``messages`` is what must be there, ``told`` what the audit log says is there. The two differ only while an import is
under way or was cut off, because the entry of an import follows its last batch.

Days are whole days of UTC since 1970: what a day is here must not depend on a schedule that may change.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sqlalchemy import delete, select, text

from retention.store.tables import register_day, register_ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

Counts: TypeAlias = Counter[tuple[int, int]]
"""Numbers of messages by day and class."""

SECONDS = 86_400
_SHIFT = 1_000_000  # days; keeps a division that cuts towards zero from rounding what was received before 1970 up
DAY_OF_RECEIPT = f"(received_at + {_SHIFT * SECONDS}) / {SECONDS} - {_SHIFT}"

_COUNT = text(f"SELECT {DAY_OF_RECEIPT}, class_id, count(*) FROM message GROUP BY 1, 2")
_CHANGE = (
    "INSERT INTO register_day (day, class_id, messages) VALUES {rows} "
    "ON CONFLICT (day, class_id) DO UPDATE SET messages = register_day.messages + excluded.messages"
)
_LONGEST = 1_000
_ADD = text("UPDATE register_ledger SET messages = messages + :added")
_REMOVE = text("UPDATE register_ledger SET messages = messages - :removed, told = told - :removed RETURNING told")
_LOCK = text("UPDATE register_ledger SET told = told RETURNING messages, told")


class Ledger(NamedTuple):
    """The ledger's two totals."""

    messages: int
    told: int


def begin(connection: Connection) -> None:
    """Write the totals of an empty register, where none are there."""
    connection.execute(text("INSERT INTO register_ledger (id, messages, told) VALUES (1, 0, 0) ON CONFLICT DO NOTHING"))


def load(connection: Connection) -> Ledger:
    """Give the totals; a ledger that somebody removed has none."""
    row = connection.execute(select(register_ledger.c.messages, register_ledger.c.told)).one_or_none()
    return Ledger(0, 0) if row is None else Ledger(row[0], row[1])


def add(connection: Connection, added: Mapping[tuple[int, int], int]) -> None:
    """Count messages in that this transaction has registered."""
    _change(connection, added, 1)
    connection.execute(_ADD, {"added": sum(added.values())})


def remove(connection: Connection, removed: Mapping[tuple[int, int], int]) -> int:
    """Count messages out that this transaction has deleted and whose entries it writes; give the new ``told``."""
    _change(connection, removed, -1)
    connection.execute(delete(register_day).where(register_day.c.messages == 0))
    return int(connection.execute(_REMOVE, {"removed": sum(removed.values())}).scalar_one())


def tell(connection: Connection) -> Ledger:
    """Give the totals and let ``told`` follow: this transaction writes the entry that says so."""
    before = Ledger(*connection.execute(_LOCK).one())
    connection.execute(text("UPDATE register_ledger SET told = messages"))
    return before


def rebase(connection: Connection) -> tuple[int, int]:
    """Count the register and start from that; give ``told`` before and after. The caller holds the head of the log."""
    begin(connection)
    before = Ledger(*connection.execute(_LOCK).one())  # an import that is under way waits, or is waited for
    real = count(connection)
    connection.execute(delete(register_day))
    _change(connection, real, 1)
    change = text("UPDATE register_ledger SET messages = :real, told = :real")
    connection.execute(change, {"real": real.total()})
    return before.told, real.total()


def count(connection: Connection) -> Counts:
    """Count the messages that are really there; a scan of the register."""
    return Counter({(row[0], row[1]): row[2] for row in connection.execute(_COUNT)})


def by_day(connection: Connection) -> Counts:
    """Give what the ledger says of each day and class."""
    rows = connection.execute(select(register_day.c.day, register_day.c.class_id, register_day.c.messages))
    return Counter({(row[0], row[1]): row[2] for row in rows})


def _change(connection: Connection, counts: Mapping[tuple[int, int], int], sign: int) -> None:
    rows = [f"({day:d}, {class_id:d}, {sign * messages:d})" for (day, class_id), messages in sorted(counts.items())]
    for start in range(0, len(rows), _LONGEST):
        connection.exec_driver_sql(_CHANGE.format(rows=", ".join(rows[start : start + _LONGEST])))
