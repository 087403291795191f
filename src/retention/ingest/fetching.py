"""Fetch what waits on a server into the landing folder, where the source finds it like any other file.

A version of a file (name, size, time of change) is fetched when two looks ``settle_seconds`` apart, mostly those of two
runs, found it the same. Order of writes: the version is noted as seen → its bytes arrive in a hidden part, which is
named by the number of the note → the note says that it was fetched, with which digest, and where it goes → the part
gets its name. A process that is killed finds either a part to go on with, or one that only wants its name.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retention.errors import HostKeyError, PickupError, RemoteFileError
from retention.logs import get_logger
from retention.sources.interface import RemoteFile, SkippedFile
from retention.store import findings, lease, remote_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.sources.interface import Pickup
    from retention.store.engine import Database
    from retention.store.remote_files import Known

FAILED = "fetch-failed"
OTHER_KEY = "host-key-changed"
REFUSED = "remote-file-refused"
BACK = "remote-file-back"

_MOST_TOLD = 20
_RENEW_SECONDS = 30.0
_log = get_logger("fetch")


@dataclass(frozen=True, slots=True)
class FetchTerms:
    """What every fetch of one run shares. ``clock`` is the machine's, seconds since 1970."""

    database: Database
    lease: lease.Lease
    now: datetime
    clock: float
    stop: Callable[[], None]
    skip: Callable[[str, SkippedFile], None]

    def renew(self, connection: Connection) -> None:
        """Prolong the lease in a transaction."""
        lease.renew(connection, self.lease, self.database.dialect.clock)


def fetch_files(terms: FetchTerms, pickup: Pickup) -> bool:
    """Fetch what is ready on one server; False, with a finding, where that is not possible."""
    with terms.database.write() as connection:
        terms.renew(connection)  # the server before this one may have let us wait
    try:
        _finish_names(terms, pickup)
        _Fetch(terms, pickup).everything_ready()
    except PickupError as error:
        failed(terms, pickup, error)
        return False
    except OSError as error:
        reason = f"the landing folder {pickup.landing} cannot be used ({error.strerror}); check its owner and mode"
        failed(terms, pickup, PickupError(reason))
        return False
    with terms.database.write() as connection:
        for kind in (FAILED, OTHER_KEY):
            findings.mended(connection, kind, at=terms.now, source=pickup.name)
    return True


def failed(terms: FetchTerms, pickup: Pickup, error: PickupError) -> None:
    """Report that a server cannot be used: a finding, a line of the log, and what makes the run partly done."""
    _log.error("nothing can be asked of a server", source=pickup.name, reason=str(error))
    terms.skip(pickup.name, SkippedFile("", str(error), needs_attention=True))
    kind = OTHER_KEY if isinstance(error, HostKeyError) else FAILED
    with terms.database.write() as connection:
        findings.open_finding(connection, kind, str(error), at=terms.now, source=pickup.name)


def _finish_names(terms: FetchTerms, pickup: Pickup) -> None:
    """Give its name to what arrived whole before a process died, and fetch again what was lost before it was read."""
    with terms.database.read() as connection:
        arrived = [one for one in remote_files.load(connection, pickup.name) if one.state == "fetched"]
        unread = [one for one in arrived if not remote_files.was_read(connection, one.id)]
    for one in unread:
        target, part = Path(one.path or ""), _part_of(pickup, one)
        if part.exists():
            _name(part, target)
        elif not target.exists():
            with terms.database.write() as connection:
                remote_files.look_again(connection, one.id, math.ceil(terms.clock))


def _part_of(pickup: Pickup, known: Known) -> Path:
    return pickup.landing / f".fetched-{known.id}.part"


def _name(part: Path, target: Path) -> None:
    part.rename(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One look at one server, and what follows from it."""

    terms: FetchTerms
    pickup: Pickup

    def everything_ready(self) -> None:
        listed = list(self.pickup.look())
        files = {_version(one): one for one in listed if isinstance(one, RemoteFile)}
        self._report([one for one in listed if isinstance(one, SkippedFile)])
        known = self._noted(files)
        for version in sorted(files):
            if known[version].state == "seen" and self._has_settled(known[version]):
                self._fetch(files[version], known[version])
        self._report_back(known[version] for version in files)

    def _noted(self, files: dict[tuple[str, int, int], RemoteFile]) -> dict[tuple[str, int, int], Known]:
        """Note what is new, forget what changed or went before it was fetched."""
        terms, name = self.terms, self.pickup.name
        clock = math.ceil(terms.clock)
        with terms.database.write() as connection:
            terms.renew(connection)
            before = {_version(one): one for one in remote_files.load(connection, name)}
            stale = [one for version, one in before.items() if one.state == "seen" and version not in files]
            for one in stale:
                remote_files.forget(connection, one.id)
            remote_files.note_seen(connection, name, [one for one in files if one not in before], clock)
            for one in before.values():
                if one.state == "seen" and one.seen_at > clock:  # the machine's clock was put back
                    remote_files.look_again(connection, one.id, clock)
            after = {_version(one): one for one in remote_files.load(connection, name)}
        for one in stale:
            _part_of(self.pickup, one).unlink(missing_ok=True)
        return after

    def _has_settled(self, known: Known) -> bool:
        if not self.pickup.settle_seconds or self.terms.clock - known.seen_at >= self.pickup.settle_seconds:
            return True
        reason = "is not yet stable; it is fetched when it has not changed for the time that settle_seconds gives"
        self.terms.skip(self.pickup.name, SkippedFile(known.name, reason, needs_attention=False))
        return False

    def _fetch(self, file: RemoteFile, known: Known) -> None:
        terms, pickup, part = self.terms, self.pickup, _part_of(self.pickup, known)
        try:
            digest = pickup.fetch(file, part, _Pulse(terms))
        except RemoteFileError as error:
            part.unlink(missing_ok=True)
            self._not_fetched(known, error)
            return
        target = pickup.landing / known.name
        if target.exists():  # an export of the same name is kept here, or waits
            target = pickup.landing / f"{digest.removeprefix('sha256:')[:12]}-{known.name}"
        with terms.database.write() as connection:
            terms.renew(connection)
            remote_files.fetched(connection, known.id, digest=digest, path=str(target), at=terms.now)
            findings.mended(connection, REFUSED, at=terms.now, source=pickup.name, file=known.name)
        _name(part, target)
        _log.info("fetched", source=pickup.name, file=known.name, size=file.size, file_digest=digest)

    def _not_fetched(self, known: Known, error: RemoteFileError) -> None:
        """Leave a file for the next look; where it cannot be had at all, a person must see to it."""
        with self.terms.database.write() as connection:
            if error.passing:
                remote_files.look_again(connection, known.id, math.ceil(self.terms.clock))
            else:
                self._find(connection, REFUSED, known.name, error.reason)
        told = SkippedFile("", f"the remote file {known.name} {error.reason}", needs_attention=True)
        if error.passing:
            told = SkippedFile(known.name, error.reason, needs_attention=False)
        self.terms.skip(self.pickup.name, told)

    def _report(self, refused: list[SkippedFile]) -> None:
        """Open findings for what must not be fetched, and resolve those of what is not there any more."""
        refused.sort(key=lambda one: one.name)
        with self.terms.database.write() as connection:
            for one in findings.load(connection, open_only=True):
                there = any(one.file == other.name for other in refused)
                if (one.kind, one.source) == (REFUSED, self.pickup.name) and not there:
                    findings.mended(connection, one.kind, at=self.terms.now, source=one.source, file=one.file)
            for told in refused[:_MOST_TOLD]:
                self._find(connection, REFUSED, told.name, told.reason)
            if len(refused) > _MOST_TOLD:
                more = f"{len(refused) - _MOST_TOLD} more remote files are refused and are not listed one by one"
                self._find(connection, REFUSED, "", more)
        for told in refused[:_MOST_TOLD]:
            _log.info("a remote file is passed over", source=self.pickup.name, file=told.name, reason=told.reason)
            self.terms.skip(self.pickup.name, told)

    def _report_back(self, present: Iterable[Known]) -> None:
        reason = "was fetched, imported and removed, and is on the server again; have it removed there"
        back = [one.name for one in present if one.state == "removed"]
        with self.terms.database.write() as connection:
            for name in back:
                self._find(connection, BACK, name, reason)
            for one in findings.load(connection, open_only=True):
                if (one.kind, one.source) == (BACK, self.pickup.name) and one.file not in back:
                    findings.mended(connection, BACK, at=self.terms.now, source=one.source, file=one.file)

    def _find(self, connection: Connection, kind: str, file: str, reason: str) -> None:
        findings.open_finding(connection, kind, reason, at=self.terms.now, source=self.pickup.name, file=file)


class _Pulse:
    """Called with every block: stops where that is asked for, and keeps the lease while a large file arrives."""

    def __init__(self, terms: FetchTerms) -> None:
        self._terms = terms
        self._renewed = time.monotonic()

    def __call__(self) -> None:
        self._terms.stop()
        if time.monotonic() - self._renewed > _RENEW_SECONDS:
            with self._terms.database.write() as connection:
                self._terms.renew(connection)
            self._renewed = time.monotonic()


def _version(file: RemoteFile | Known) -> tuple[str, int, int]:
    return (file.name, file.size, file.modified_at)
