"""Destroy keys whose time has come: those of months that nothing needs any more, and signing keys that were replaced.

Order for every key: it is condemned in a transaction of its own that proves once more, under the lease, that it may go;
its file is removed and the removal made durable; one transaction writes the entry and that it is destroyed. A process
that dies in between leaves a condemned key, which the next turn destroys before anything else; a condemned key is never
used. A file that comes back, from a backup of the keys, is destroyed again with an entry of its own.

What a destroyed file leaves on the disk's blocks is beyond our reach; so is a backup that still holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from retention.audit import keyfiles, rotation
from retention.audit.checkpoint import vkey
from retention.audit.entry import entry
from retention.audit.signing import private_file
from retention.model import from_epoch
from retention.policy.key_life import judge_key, month_bounds
from retention.store import lease, month_keys

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.audit.checkpoint import VerifierKey
    from retention.audit.keys import MonthKeys
    from retention.audit.log import AuditLog
    from retention.policy.schedule import Schedule
    from retention.store.engine import Database
    from retention.store.month_keys import MonthKey


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """Under which lease, with which keys and at what time (aware) keys are destroyed. ``folder`` is the key folder."""

    database: Database
    log: AuditLog
    lease: lease.Lease
    keys: MonthKeys
    folder: Path
    now: datetime

    def renew(self, connection: Connection) -> None:
        """Prolong the lease in a transaction.

        Args:
            connection: a transaction that writes.

        Raises:
            LeaseLostError: another run has taken over.

        """
        lease.renew(connection, self.lease, self.database.dialect.clock)


def destroy_month_keys(terms: KeyTerms, schedule: Schedule, dispute: timedelta) -> list[str]:
    """Note which months are empty, and destroy the keys that nothing needs any more.

    Args:
        terms: lease, keys and time of the run.
        schedule: the rules in force.
        dispute: how long a disposal may be disputed.

    Returns:
        The months (``YYYY-MM``) whose key was destroyed.

    Raises:
        LeaseLostError: another run has taken over.
        KeyFileError: the disk refuses; the next turn goes on.

    """
    with terms.database.write() as connection:
        terms.renew(connection)
        condemned = []
        for found in month_keys.live(connection):
            empty_since = _observe(connection, found, terms.now)
            verdict = judge_key(schedule, dispute, found.month, empty_since=empty_since, now=terms.now)
            if verdict.may_go:
                month_keys.condemn(connection, found.month, terms.now)
                condemned.append(found)
    return _destroy(terms, condemned)


def _observe(connection: Connection, found: MonthKey, now: datetime) -> datetime | None:
    """Give since when a month is empty; from now on where it has become so, None where it is not."""
    if month_keys.has_messages(connection, *month_bounds(found.month)):
        if found.empty_since is not None:
            month_keys.set_empty_since(connection, found.month, None)
        return None
    if found.empty_since is not None:
        return from_epoch(found.empty_since)
    month_keys.set_empty_since(connection, found.month, now)
    return now


def finish_month_keys(terms: KeyTerms) -> list[str]:
    """Destroy what was condemned and is not destroyed, or has come back.

    Args:
        terms: lease, keys and time of the run.

    Returns:
        The months (``YYYY-MM``) whose key was destroyed.

    Raises:
        LeaseLostError: another run has taken over.
        KeyFileError: the disk refuses; the next turn goes on.

    """
    present = set(terms.keys.months())
    with terms.database.read() as connection:
        known = month_keys.load(connection)
    return _destroy(
        terms, [one for one in known if one.condemned_at and (one.destroyed_at is None or one.month in present)]
    )


def _destroy(terms: KeyTerms, condemned: Iterable[MonthKey]) -> list[str]:
    done = []
    for found in condemned:
        file = terms.keys.path_of(found.month)
        _remove(file.with_suffix(".draft"), file)
        with terms.database.write() as connection:
            terms.renew(connection)
            gone = entry("key_destroyed", terms.now, month=found.month, commitment=found.commitment)
            terms.log.append(connection, [gone])
            month_keys.destroyed(connection, found.month, terms.now)
        done.append(found.month)
    return done


def retire_signing_keys(terms: KeyTerms) -> list[VerifierKey]:
    """Destroy the private half of every signing key whose successor signs alone from now on.

    Args:
        terms: lease, keys and time of the run.

    Returns:
        The public halves of the keys that were destroyed.

    Raises:
        LeaseLostError: another run has taken over.
        KeyFileError: the key folder cannot be used, or the disk refuses; the next turn goes on.

    """
    with terms.database.read() as connection:
        chain = rotation.introduced(connection)
    done = []
    for old, successor in pairwise(chain):
        if successor.condemned_at is None:
            if successor.until is None or terms.now < successor.until:
                continue
            with terms.database.write() as connection:
                terms.renew(connection)
                rotation.condemn_previous(connection, successor.seq, terms.now)
        file = private_file(terms.folder, old.key)
        if successor.destroyed_at is not None and not file.exists():
            continue
        _remove(file)
        with terms.database.write() as connection:
            terms.renew(connection)
            terms.log.append(connection, [entry("key_retired", terms.now, verifier_key=vkey(old.key))])
            rotation.previous_destroyed(connection, successor.seq, terms.now)
        done.append(old.key)
    return done


def _remove(*files: Path) -> None:
    for file in files:
        with keyfiles.os_errors(file):
            file.unlink(missing_ok=True)
            keyfiles.sync_folder(file.parent)
