"""Which of several services leads: one does the jobs, the others stand by.

On PostgreSQL it is a row that is taken by the server's clock, with a fencing token: whatever a leader writes renews it
in the same transaction, so one that was paused and lost it cannot write any more. On SQLite, whose file is used on one
machine, it is a lock of the system on a file beside the database, which goes with its process.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from retention.errors import DatabaseError, LeaseLostError, LockHeldError
from retention.logs import get_logger
from retention.store import lease

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.store.engine import Database
    from retention.store.lease import Lease

_log = get_logger("service")
NAME = "service"
_SHARE = 6
"""The row is taken for two thirds of the time in which another must take over, and looked at six times in it."""


class Leadership(Protocol):
    """The right to do the jobs."""

    def hold(self) -> bool:
        """Take it or keep it; tells whether this service leads now."""

    def confirm(self, connection: Connection) -> None:
        """Renew it inside a transaction.

        Raises:
            LeaseLostError: another service leads; the transaction must not commit.

        """

    def let_go(self) -> None:
        """Give it back."""


def leadership(database: Database, url: str, seconds: float) -> Leadership:
    """Give what decides who leads on a kind of database; ``seconds`` is in which time another takes over."""
    if url.startswith("sqlite:///"):
        return ByFile(Path(f"{url.removeprefix('sqlite:///')}.serve-lock"))
    return ByRow(database, seconds)


class ByRow:
    """Leads by a row of the table of leases."""

    def __init__(self, database: Database, seconds: float) -> None:
        """Take the time after which another takes over."""
        self._database = database
        self._for = seconds * 4 / _SHARE
        self._pause = seconds / _SHARE
        self._held: Lease | None = None
        self._looked_at = self._kept_at = -seconds

    def hold(self) -> bool:
        """Take it or keep it."""
        moment = monotonic()
        if moment - self._looked_at < self._pause:
            return self._held is not None
        self._looked_at = moment
        try:
            if self._held is None:
                self._held = lease.take(self._database, NAME, self._for)
            else:
                with self._database.write() as connection:
                    lease.renew(connection, self._held, self._database.dialect.clock)
            self._kept_at = moment
        except (LockHeldError, LeaseLostError):
            self._held = None
        except DatabaseError:
            if moment - self._kept_at > self._for:  # until then nobody else can have it
                self._held = None
        return self._held is not None

    def confirm(self, connection: Connection) -> None:
        """Renew it inside a transaction."""
        held = self._held
        if held is None:
            msg = "another service leads; this one stands by"
            raise LeaseLostError(msg)
        try:
            lease.renew(connection, held, self._database.dialect.clock)
        except LeaseLostError:
            self._held = None
            raise

    def let_go(self) -> None:
        """Give it back, so that nobody has to wait."""
        held, self._held = self._held, None
        if held is not None:
            lease.give_back(self._database, held)


class ByFile:
    """Leads by a lock of the system on a file, which ends with the process and cannot be lost before."""

    def __init__(self, path: Path) -> None:
        """Take the place of the file; it stays there."""
        self._path = path
        self._trouble: int | None = None
        self._descriptor: int | None = None

    def hold(self) -> bool:
        """Take it or keep it."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno != self._trouble:  # asked every second, told once
                _log.error("who leads cannot be settled", file=str(self._path), reason=error.strerror)
            self._trouble = error.errno
            return False
        self._trouble = None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def confirm(self, connection: Connection) -> None:  # noqa: ARG002  # the lock is not in the database
        """Look whether it is held."""
        if self._descriptor is None:
            msg = "another service leads; this one stands by"
            raise LeaseLostError(msg)

    def let_go(self) -> None:
        """Give it back."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
