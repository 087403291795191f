"""Remove files from the server that they were fetched from, once their import is committed.

This deletes what we could not make again, so nothing is removed on a name's word: the digest of what was fetched must
be that of a finished import, and the file must still have the size and time of change with which it was fetched. Order:
the intention is committed → the server is asked → the entry and that it is gone are one transaction. A process that
dies in between leaves an intention, and the next run asks again; a file that is gone already is gone. The entry says
that this version of the file is no longer on the server, whoever took it away in the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.audit.entry import entry
from retention.errors import RemoteFileError
from retention.sources.interface import RemoteFile
from retention.store import findings, lease, remote_files

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.audit.log import AuditLog
    from retention.sources.interface import Pickup
    from retention.store.engine import Database
    from retention.store.remote_files import Known

NOT_REMOVED = "remote-file-not-removed"


@dataclass(frozen=True, slots=True)
class RemoteTerms:
    """Under which lease and at what time (aware) remote files are removed, and the log that tells of it."""

    database: Database
    log: AuditLog
    lease: lease.Lease
    now: datetime


def remove_imported(terms: RemoteTerms, pickup: Pickup) -> list[str]:
    """Remove every file of one server whose import is committed.

    Args:
        terms: database, log, lease and time of the run.
        pickup: the server; one that is to keep its files is left alone.

    Returns:
        What is in the way, one sentence for each file that the server does not let go.

    Raises:
        PickupError: nothing can be asked of the server; the next run goes on.
        LeaseLostError: another run has taken over.

    """
    if not pickup.removes:
        return []
    with terms.database.read() as connection:
        known = remote_files.removable(connection, pickup.name)
    kept = (_remove(terms, pickup, one) for one in known)
    return [reason for reason in kept if reason is not None]


def _remove(terms: RemoteTerms, pickup: Pickup, known: Known) -> str | None:
    with terms.database.write() as connection:
        _renew(terms, connection)
        remote_files.removing(connection, known.id)
    try:
        pickup.remove(RemoteFile(known.name, known.size, known.modified_at))
    except RemoteFileError as error:
        with terms.database.write() as connection:
            findings.open_finding(
                connection, NOT_REMOVED, error.reason, at=terms.now, source=pickup.name, file=known.name
            )
        return f"the remote file {known.name} {error.reason}"
    with terms.database.write() as connection:
        _renew(terms, connection)
        gone = entry("file_disposed", terms.now, file_digest=str(known.file_digest), place="remote", size=known.size)
        terms.log.append(connection, [gone])
        remote_files.removed(connection, known.id, terms.now)
        findings.mended(connection, NOT_REMOVED, at=terms.now, source=pickup.name, file=known.name)
    return None


def _renew(terms: RemoteTerms, connection: Connection) -> None:
    lease.renew(connection, terms.lease, terms.database.dialect.clock)
