"""The folder in which exports land: which of its files can be read now, and why the others cannot.

Only the top level is looked at, and nothing is followed or guessed: a symbolic link could lead out of the folder,
and a file that is still being written would be read in part.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from retention.errors import FileChangedError, FileRefusedError, SourceError
from retention.sources.files.windows import window_of_name
from retention.sources.interface import SkippedFile, SourceItem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path

    from retention.sources.files.times import LocalClock

Stamp = tuple[int, int, int, int]

CHANGED = "changed while it was read; it is taken again when it has settled"

_TEMPORARY_ENDINGS = (".part", ".tmp", ".filepart", ".crdownload", ".swp", "~")
_NOT_YET = "is not yet stable; it is taken when it has not changed for the time that settle_seconds gives"
_ONE_DAY = 86_400


def discover(
    folder: Path,
    clock: LocalClock,
    suffixes: tuple[str, ...],
    *,
    at: float,
    settle_seconds: float,
) -> Iterator[SourceItem | SkippedFile]:
    """List the files of a landing folder in order of name; raises SourceError where the folder cannot be listed."""
    for path in _listed(folder):
        if not _is_temporary(path.name):
            yield _examine(path, clock, suffixes, at=at, settle_seconds=settle_seconds)


def describe(path: Path, clock: LocalClock, suffixes: tuple[str, ...]) -> SourceItem:
    """Describe one file; raises FileRefusedError where it is not a readable regular file whose name ends as it must."""
    if not path.name.isprintable():
        reason = "has a name with control characters or in an unknown encoding; rename it"
        raise FileRefusedError(reason)
    if not path.name.lower().endswith(suffixes):
        reason = f"is not a file that this source reads; names end in {', '.join(suffixes)}"
        raise FileRefusedError(reason)
    with open_regular(path) as file:
        stamp = stamp_of(os.fstat(file.fileno()))
        digest = _digest_of(file)
        if stamp_of(os.fstat(file.fileno())) != stamp:
            raise FileChangedError(CHANGED)
    window = window_of_name(path.name, clock) or (None, None)
    return SourceItem(path, path.name, digest, stamp, window[0], window[1])


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading, following no link and waiting for no pipe; else raise FileRefusedError."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = (
            "is a symbolic link; put the file itself here" if path.is_symlink() else f"cannot be read: {_why(error)}"
        )
        raise FileRefusedError(reason) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        reason = "is not a regular file"
        raise FileRefusedError(reason)
    return os.fdopen(handle, "rb")


def require_unchanged(file: BufferedReader, item: SourceItem) -> None:
    """Raise FileRefusedError where an open file is not, or is no longer, what its item describes."""
    try:
        now_there = stamp_of(item.path.lstat())
    except OSError:
        now_there = None
    if not item.stamp == stamp_of(os.fstat(file.fileno())) == now_there:
        raise FileChangedError(CHANGED)


def is_unchanged(item: SourceItem) -> bool:
    """Tell whether a file still holds the bytes of its item: the same stamp, or else the same digest."""
    try:
        with open_regular(item.path) as file:
            return stamp_of(os.fstat(file.fileno())) == item.stamp or _digest_of(file) == item.digest
    except FileRefusedError:
        return False


def stamp_of(status: os.stat_result) -> Stamp:
    """Give what identifies the bytes on disk without reading them: device, inode, size and time of change in ns."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        reason = f"the landing folder {folder} does not exist; create it and give this program access to it"
        raise SourceError(reason) from None
    except OSError as error:
        reason = f"the landing folder {folder} cannot be listed: {_why(error)}"
        raise SourceError(reason) from None


def _is_temporary(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith(_TEMPORARY_ENDINGS)


def _examine(
    path: Path,
    clock: LocalClock,
    suffixes: tuple[str, ...],
    *,
    at: float,
    settle_seconds: float,
) -> SourceItem | SkippedFile:
    shown = "".join(character if character.isprintable() else "\ufffd" for character in path.name)
    try:
        return _unready(shown, path.lstat(), at, settle_seconds) or describe(path, clock, suffixes)
    except FileNotFoundError:
        return SkippedFile(shown, "was there and is gone", needs_attention=False)
    except OSError as error:
        return SkippedFile(shown, f"cannot be read: {_why(error)}", needs_attention=True)
    except FileRefusedError as refusal:
        return SkippedFile(shown, refusal.reason, needs_attention=refusal.reason is not CHANGED)


def _unready(shown: str, status: os.stat_result, at: float, settle_seconds: float) -> SkippedFile | None:
    if stat.S_ISDIR(status.st_mode):
        return SkippedFile(shown, "is a folder; only files at the top level are read", needs_attention=True)
    if not stat.S_ISREG(status.st_mode):
        return None
    touched = max(status.st_mtime, status.st_ctime)
    # Otherwise a file from a machine whose clock is wrong would wait unseen.
    if touched > at + _ONE_DAY:
        return SkippedFile(shown, "has a time of change in the future; touch it", needs_attention=True)
    if touched > at - settle_seconds:
        return SkippedFile(shown, _NOT_YET, needs_attention=False)
    return None


def _digest_of(file: BufferedReader) -> str:
    try:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = f"cannot be read: {_why(error)}"
        raise FileRefusedError(reason) from None


def _why(error: OSError) -> str:
    return error.strerror or "the system gives no reason"
