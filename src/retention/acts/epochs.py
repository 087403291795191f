"""Begin a new epoch of the log after the database was restored from a backup: a person's word, never done by itself.

The log in the database is behind a checkpoint that left it, so what came after the backup is lost here, and the old
origin may never be signed again. The first entry of the new epoch names that checkpoint; whoever has a bundle up to it
can still verify what was lost. Order: the new key is on disk, marked as new; one transaction with the entry; the mark
is taken off; the checkpoint is signed and anchored. A process that dies before the transaction has changed nothing, and
the command is given again; one that dies after it has begun the epoch, and the next run signs.

What the backup brought back is due again and is disposed of again, with new entries. A month key that was destroyed
after the backup was made stays destroyed: the log says so once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from retention import __version__, upkeep
from retention.acts.remarks import keep_remark
from retention.audit import rotation, signing
from retention.audit.checkpoint import vkey
from retention.audit.entry import entry
from retention.audit.epoch import Epoch, epoch_of
from retention.audit.log import AuditLog
from retention.context import open_context, signing_passphrase
from retention.errors import RestoredError, UsageError
from retention.policy.key_life import judge_key, month_bounds
from retention.store import findings, lease, ledger, month_keys

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.audit.checkpoint import Checkpoint, Signer
    from retention.context import Context


@dataclass(frozen=True, slots=True)
class Begun:
    """A new epoch: its origin, key and first entry, and the newest checkpoint of the one before."""

    origin: str
    verifier_key: str
    fingerprint: str
    entry_index: int
    predecessor_origin: str
    predecessor_size: int
    kept: int


def begin_epoch(context: Context, reason: str, *, now: datetime, person: str) -> Begun:
    """Let the log go on under a new origin whose first entry names what the anchors hold of the old one.

    Raises:
        UsageError: the database goes on from its anchors, so nothing has to begin anew; or the reason is empty.
        AnchorError: an anchor that is required cannot be read, so nobody knows what was lost.
        LockHeldError: another run is at work.
        BrokenLogError: the log in the database does not verify; put a backup back whose log does.

    """
    held = lease.take_turn(context.database)
    try:
        predecessor = _predecessor(context)
        upkeep.demand_sound(context, now)  # a backup that is broken itself is no way out
        present, last = epoch_of(context.installation.origin), epoch_of(predecessor.origin)
        origin = Epoch(present.family, max(present.number, last.number) + 1).origin
        key = signing.new_key(context.key_folder, origin, signing_passphrase())
        with context.database.write() as connection:
            lease.renew(connection, held, context.database.dialect.clock)
            by, why = keep_remark(connection, person), keep_remark(connection, reason)
            index = _append(context, connection, key, predecessor, now=now, by=by, reason=why)
            _give_up_destroyed_keys(context, connection, now)
            findings.mended(connection, upkeep.RESTORED, at=now)
        signing.settle(context.key_folder, key.verifier)
        anew = open_context(context.settings)
        try:
            upkeep.sign_checkpoint(anew, anew.signer(), now)
        finally:
            anew.database.close()
    finally:
        lease.give_back(context.database, held)
    fingerprint = signing.fingerprint(key.verifier)
    return Begun(origin, vkey(key.verifier), fingerprint, index, predecessor.origin, predecessor.size, index)


def _predecessor(context: Context) -> Checkpoint:
    """Give the newest checkpoint that left the machine, where the database does not go on from it."""
    memory = context.remembered()
    try:
        with context.database.read() as connection:
            memory.compare(connection)
    except RestoredError:
        if (newest := memory.newest()) is not None:
            return newest
        raise
    msg = "the database goes on from every checkpoint that its anchors hold, so no new epoch is needed"
    raise UsageError(msg)


def _append(
    context: Context,
    connection: Connection,
    key: Signer,
    predecessor: Checkpoint,
    *,
    now: datetime,
    by: str,
    reason: str,
) -> int:
    first = entry(
        "genesis",
        now,
        origin=key.verifier.name,
        verifier_key=vkey(key.verifier),
        software=f"retention {__version__}",
        drill=context.installation.drill,
        registered=ledger.load(connection).told,
        predecessor_origin=predecessor.origin,
        predecessor_size=predecessor.size,
        predecessor_root_hash=predecessor.root.hex(),
        by=by,
        reason=reason,
    )
    # The only place that adds to a log which does not go on from its anchors.
    index = AuditLog(context.database.dialect.bulk_insert).append(connection, [first])
    rotation.record_rotation(connection, index)
    return index


def _give_up_destroyed_keys(context: Context, connection: Connection, now: datetime) -> None:
    """Condemn each month key whose file is gone because it was destroyed after the backup; the next run finishes it.

    A key that some rule still needs cannot have been destroyed on schedule: it is lost, and goes on being told as that.
    """
    present = set(context.month_keys.months())
    for found in month_keys.live(connection):
        _, end = month_bounds(found.month)
        verdict = judge_key(context.schedule, timedelta(), found.month, empty_since=end, now=now)
        if found.month not in present and verdict.may_go:
            month_keys.condemn(connection, found.month, now)
