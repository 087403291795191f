"""The lease that lets one run at a time work on a register, with a fencing token. Another one lets one service lead.

It is taken and renewed by the database server's clock, because only that clock is shared. Whoever takes it over gets
the next token; every batch renews it inside its own transaction, so a run that was paused and lost its lease cannot
commit. A holder that is a dead process of this machine is taken over at once, so that a killed run does not have to be
waited for. Whoever registers events says so in its name: that takes a moment, and a job waits for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from sqlalchemy import text

from retention.errors import LeaseLostError, LockHeldError, RegisteringError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from retention.store.engine import Database

NAME = "cycle"
SECONDS = 120.0
"""For so long a job's lease is kept after it was renewed last, by a holder of another machine."""

_LONGEST = 7200.0
"""No lease is for longer than an hour: one that has more left was taken by a clock that was put back since. Where its
holder lives all the same, it commits nothing more, by its token."""

_EVENTS = "events|"
_PAUSE = 0.25
_TRIES = 240
"""A job waits a minute for whoever registers events."""
_OVER = frozenset("ZX")  # killed, but its parent has not asked how it ended


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was taken: who holds it, under which token."""

    holder: str
    token: int
    name: str = NAME
    seconds: float = SECONDS


def take_turn(database: Database, stop: Callable[[], None] = lambda: None) -> Lease:
    """Take the lease for a job, after whoever registers events; ``stop`` is asked meanwhile and raises to stop.

    Raises:
        LockHeldError: another job holds it, or events are still being registered after a minute.

    """
    for _ in range(_TRIES):
        try:
            return take(database)
        except RegisteringError:
            stop()
            sleep(_PAUSE)
    return take(database)


def take(database: Database, name: str = NAME, seconds: float = SECONDS, *, events: bool = False) -> Lease:
    """Take the lease of a name for so many seconds; ``events`` says that it is to register events.

    Raises:
        LockHeldError: another process holds it; a `RegisteringError` where it registers events.

    """
    clock = database.dialect.clock
    me = (_EVENTS if events else "") + _this_process()
    with database.write() as connection:
        insert = "INSERT INTO lease (name, holder, token, expires_at) VALUES (:name, '', 0, 0) ON CONFLICT DO NOTHING"
        connection.execute(text(insert), {"name": name})  # on PostgreSQL this waits for who is renewing it just now
        row = connection.execute(
            text(f"SELECT holder, token, expires_at - {clock} AS remains FROM lease WHERE name = :name"), {"name": name}
        ).one()
        if row.holder and row.remains > 0 and not _is_dead(row.holder, lost=row.remains > _LONGEST):
            if row.holder.startswith(_EVENTS):
                msg = f"events are being registered ({_describe(row.holder)}); wait for it to finish"
                raise RegisteringError(msg)
            msg = f"another run holds the register ({_describe(row.holder)}); wait for it to finish"
            raise LockHeldError(msg)
        taken = connection.execute(
            text(
                f"UPDATE lease SET holder = :holder, token = token + 1, expires_at = {clock} + :seconds "
                "WHERE name = :name AND token = :token"
            ),
            {"name": name, "holder": me, "token": row.token, "seconds": seconds},
        )
        if taken.rowcount != 1:
            msg = "another run has just taken the register; wait for it to finish"
            raise LockHeldError(msg)
        return Lease(me, row.token + 1, name, seconds)


def renew(connection: Connection, lease: Lease, clock: str) -> None:
    """Prolong the lease inside a batch's transaction.

    Raises:
        LeaseLostError: another run has taken it over; the transaction must not commit.

    """
    sql = text(
        f"UPDATE lease SET expires_at = {clock} + :seconds WHERE name = :name AND token = :token AND holder = :holder"
    )
    values = {"name": lease.name, "token": lease.token, "holder": lease.holder, "seconds": lease.seconds}
    kept = connection.execute(sql, values)
    if kept.rowcount != 1:
        msg = "another run has taken over the register; this one stops without committing its batch"
        raise LeaseLostError(msg)


def give_back(database: Database, lease: Lease) -> None:
    """Let go of the lease; nothing happens where it was lost."""
    with database.write() as connection:
        connection.execute(
            text("UPDATE lease SET holder = '', expires_at = 0 WHERE name = :name AND token = :token"),
            {"name": lease.name, "token": lease.token},
        )


def _this_process() -> str:
    return f"{_machine()}|{os.getpid()}|{_started(os.getpid())}"


def _machine() -> str:
    """Name this machine, this boot of it and this process space."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot = space = "unknown"
    return f"{os.uname().nodename}|{boot}|{space}"


def _started(pid: int) -> str:
    """Give the start time of a process as the kernel counts it, or an empty text where there is none such."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in _OVER else fields[19]


def _is_dead(holder: str, *, lost: bool) -> bool:
    """Tell whether a holder is known to be dead; one that cannot be looked at from here is where it is ``lost``."""
    machine, pid, started = holder.removeprefix(_EVENTS).rsplit("|", 2)
    if machine != _machine() or "unknown" in machine or not started:
        return lost
    return _started(int(pid)) != started


def _describe(holder: str) -> str:
    return f"process {holder.rsplit('|', 2)[1]} on {holder.removeprefix(_EVENTS).split('|', maxsplit=1)[0]}"
