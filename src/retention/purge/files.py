"""Dispose of files that hold personal data: ingested exports, and refused ones in quarantine.

A file is recorded with the instant of its disposal before anything happens to it. Disposal removes the file, makes the
removal durable, and then writes the entry and forgets the record in one transaction. A process that dies in between
finds the record again, sees that the file is gone, and writes the entry. A file that is no longer the one that was
recorded (a new export under the old name) is left alone: it will be ingested as what it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from retention.audit.entry import entry
from retention.errors import SourceError
from retention.store import findings, imports

if TYPE_CHECKING:
    from datetime import datetime

    from retention.audit.log import AuditLog
    from retention.store.engine import Database
    from retention.store.imports import KeptFile

_CHUNK = 1 << 20
_MODE = 0o600


def settle_files(database: Database, log: AuditLog, quarantine: Path, now: datetime) -> int:
    """Move refused files into quarantine and remove every file whose disposal is due.

    Args:
        database: the register, which knows the files.
        log: its audit log.
        quarantine: our folder for files that a person must look at.
        now: an aware datetime.

    Returns:
        The number of files removed.

    """
    with database.read() as connection:
        waiting, due = imports.kept_files(connection), imports.files_due(connection, now)
    for file in waiting:
        target = _target(file, quarantine)
        # What is due is moved only where a process died after moving it: its record must know where it lies.
        if target is not None and (file not in due or target.exists()):
            _move(database, file, target)
    with database.read() as connection:
        due = imports.files_due(connection, now)
    return sum(_dispose(database, log, file, now) for file in due)


def _target(file: KeptFile, quarantine: Path) -> Path | None:
    """Give the place in quarantine that a file is still to be moved to; its name starts with the file's digest."""
    path = Path(file.path)
    if file.place != "quarantine" or path.parent == quarantine:
        return None
    return quarantine / f"{file.file_digest.removeprefix('sha256:')[:12]}-{path.name}"


def _dispose(database: Database, log: AuditLog, file: KeptFile, now: datetime) -> bool:
    path = Path(file.path)
    try:
        same = not path.exists() or _digest(path) == file.file_digest
        if same:
            path.unlink(missing_ok=True)
            _sync(path.parent)
    except OSError as error:
        reason = (
            f"the file is due and cannot be removed ({error.strerror}); give this program write access to its folder"
        )
        with database.write() as connection:
            findings.open_finding(connection, "file-not-removed", reason, at=now, source=file.source, file=path.name)
        return False
    with database.write() as connection:
        if same:
            log.append(connection, [entry("file_disposed", now, file_digest=file.file_digest, place=file.place)])
        findings.mended(connection, "file-not-removed", at=now, source=file.source, file=path.name)
        imports.forget_file(connection, file.file_id)
    return same


def _move(database: Database, file: KeptFile, target: Path) -> None:
    """Move a file into quarantine; the record follows."""
    path = Path(file.path)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and _digest(path) == file.file_digest:
            shutil.move(path, target)
        if target.exists():
            target.chmod(_MODE)
    except OSError as error:
        msg = f"{path.name}: cannot be moved into quarantine ({error.strerror}); check {target.parent}"
        raise SourceError(msg) from None
    with database.write() as connection:
        if target.exists():
            imports.keep_file(
                connection,
                path=str(target),
                digest=file.file_digest,
                source=file.source,
                place="quarantine",
                dispose_at=file.dispose_at,
            )
        imports.forget_file(connection, file.file_id)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
