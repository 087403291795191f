"""Let a new signing key take over, and say what keys there are and how long they live."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from retention import upkeep
from retention.acts.remarks import keep_remark
from retention.audit import rotation, signing
from retention.audit.checkpoint import vkey
from retention.audit.entry import entry
from retention.audit.keys import HOLD_KEY
from retention.audit.passphrase import ENCRYPTED
from retention.context import signing_passphrase
from retention.errors import KeyFileError
from retention.model import from_epoch, iso
from retention.policy.days import local_day
from retention.policy.key_life import judge_key, month_bounds
from retention.store import lease, month_keys

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from retention.audit.checkpoint import VerifierKey
    from retention.audit.rotation import Introduced
    from retention.context import Context
    from retention.store.month_keys import MonthKey


@dataclass(frozen=True, slots=True)
class Rotated:
    """A new signing key has taken over: its verifier key and fingerprint, and until when the old one signs too."""

    verifier_key: str
    fingerprint: str
    until: str
    entry_index: int


def rotate_signing_key(context: Context, reason: str, *, now: datetime, person: str) -> Rotated:
    """Make a new signing key, introduce it in the log, and sign a checkpoint with both.

    Raises:
        BrokenLogError: the audit log does not verify.
        KeyFileError: a key is lost or cannot be used.
        LockHeldError: another run is at work.
        UsageError: the reason is empty or too long.

    """
    upkeep.demand_order(context, now)
    old = context.signer().verifier
    held = lease.take_turn(context.database)
    try:
        new = signing.new_key(context.key_folder, context.installation.origin, signing_passphrase()).verifier
        until = now + context.settings.keys.overlap_time
        with context.database.write() as connection:
            lease.renew(connection, held, context.database.dialect.clock)
            rotated = entry(
                "rotate",
                now,
                verifier_key=vkey(new),
                previous_key=vkey(old),
                until=iso(until),
                by=keep_remark(connection, person),
                reason=keep_remark(connection, reason),
            )
            index = context.log.append(connection, [rotated])
            rotation.record_rotation(connection, index)
        signing.settle(context.key_folder, new)
        upkeep.sign_checkpoint(context, context.signer(), now)
    finally:
        lease.give_back(context.database, held)
    return Rotated(vkey(new), signing.fingerprint(new), iso(until), index)


@dataclass(frozen=True, slots=True)
class SigningKeyRow:
    """One signing key: ``until`` is when it stopped or will stop signing, empty for the one that signs alone."""

    key_id: str
    fingerprint: str
    since: str
    until: str
    state: str
    file: str
    mode: str | None
    encrypted: bool


@dataclass(frozen=True, slots=True)
class MonthKeyRow:
    """The key of one month: days are local days of the schedule's zone; ``because`` says why it still lives."""

    month: str
    created_at: str
    state: str
    destroys_on: str | None
    destroyed_at: str | None
    registered: int
    because: str
    file: str
    mode: str | None


@dataclass(frozen=True, slots=True)
class KeyList:
    """Every key of an installation, and what is wrong with them, if anything."""

    signing: list[SigningKeyRow]
    months: list[MonthKeyRow]
    hold: dict[str, str | None]
    folder: dict[str, str | None]
    problems: list[str]

    def as_json(self) -> dict[str, Any]:
        """Give the list as plain values for JSON."""
        return {
            "signing_keys": [asdict(row) for row in self.signing],
            "month_keys": [asdict(row) for row in self.months],
            "hold_key": self.hold,
            "folder": self.folder,
            "problems": self.problems,
        }


def list_keys(context: Context, now: datetime) -> KeyList:
    """List every key with its life and the mode of its file; a key that cannot be used is named as a problem."""
    with context.database.read() as connection:
        chain = rotation.introduced(connection)
        known = month_keys.load(connection)
        counts = {found.month: month_keys.count_messages(connection, *month_bounds(found.month)) for found in known}
    folder, problems = context.key_folder, _problems(context)
    hold = folder / HOLD_KEY
    return KeyList(
        signing=[_signing_row(folder, one, successor) for one, successor in pairwise([*chain, None]) if one],
        months=[_month_row(context, found, counts[found.month], now) for found in known],
        hold={"file": str(hold), "mode": signing.mode_of(hold)},
        folder={"file": str(folder), "mode": signing.mode_of(folder)},
        problems=problems,
    )


def _problems(context: Context) -> list[str]:
    problems = []
    for check in (context.signer, context.check_keys):
        try:
            check()
        except KeyFileError as error:
            problems.append(str(error))
    return problems


def _signing_row(folder: Path, one: Introduced, successor: Introduced | None) -> SigningKeyRow:
    if successor is None:
        state, until = "signs", ""
    elif successor.destroyed_at is None:
        state, until = "signs beside its successor", iso(successor.until) if successor.until else ""
    else:
        state, until = "destroyed", iso(from_epoch(successor.destroyed_at))
    file = _private_file(folder, one.key)
    return SigningKeyRow(
        key_id=one.key.key_id.hex(),
        fingerprint=signing.fingerprint(one.key),
        since=iso(one.at),
        until=until,
        state=state,
        file=str(file or ""),
        mode=signing.mode_of(file) if file else None,
        encrypted=file is not None and _is_encrypted(file),
    )


def _private_file(folder: Path, key: VerifierKey) -> Path | None:
    try:
        return signing.private_file(folder, key)
    except KeyFileError:
        return None


def _is_encrypted(file: Path) -> bool:
    try:
        return file.read_bytes().startswith(ENCRYPTED)
    except OSError:
        return False


def _month_row(context: Context, found: MonthKey, registered: int, now: datetime) -> MonthKeyRow:
    schedule = context.schedule
    empty_since = None if registered else from_epoch(found.empty_since) if found.empty_since is not None else now
    verdict = judge_key(schedule, context.settings.keys.dispute_time, found.month, empty_since=empty_since, now=now)
    if found.destroyed_at is not None:
        state, because = "destroyed", ""
    elif found.condemned_at is not None:
        state, because = "condemned", "its destruction was interrupted; the next run finishes it"
    else:
        state = "lives"
        because = "the next purge destroys it" if verdict.may_go else verdict.because
    lives = state == "lives"
    file = context.month_keys.path_of(found.month)
    return MonthKeyRow(
        month=found.month,
        created_at=iso(from_epoch(found.created_at)),
        state=state,
        destroys_on=local_day(verdict.destroys_at, schedule.zone).isoformat() if lives else None,
        destroyed_at=None if found.destroyed_at is None else iso(from_epoch(found.destroyed_at)),
        registered=registered,
        because=because,
        file=str(file),
        mode=signing.mode_of(file),
    )
