"""The part of a file that has arrived: private, durable up to its last megabyte, and gone on with after a cut."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retention.errors import PickupError, RemoteFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Read = Callable[[int, int], Iterable[bytes]]

SYNC = 1 << 20
"""Bytes after which what was written is made durable."""

OVERLAP = 2 * SYNC
"""Bytes that are read again after a cut: more than a crash of the machine can have left in disorder."""

_MODE = 0o600


class Part:
    """An open part."""

    def __init__(self, path: Path) -> None:
        """Open the part, or begin it."""
        self._path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        self._unsynced = 0

    def close(self) -> None:
        """Close the part; what is in it stays."""
        os.close(self._handle)

    def fill(self, read: Read, size: int) -> None:
        """Get what is missing of ``size`` bytes by ``read(start, end)``; first see that what is there is the same."""
        start = self._kept(read, size)
        os.ftruncate(self._handle, start)
        os.lseek(self._handle, start, os.SEEK_SET)
        for block in read(start, size):
            self._write(block)
        os.fsync(self._handle)
        if os.fstat(self._handle).st_size != size:
            reason = "did not arrive whole; it is fetched again"
            raise RemoteFileError(reason, passing=True)

    def digest(self) -> str:
        """Give the digest of what is on disk."""
        os.lseek(self._handle, 0, os.SEEK_SET)
        with os.fdopen(self._handle, "rb", closefd=False) as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()

    def _kept(self, read: Read, size: int) -> int:
        """Tell how much of the part can be kept: all of it where its end is what the server has there, else nothing."""
        have = min(os.fstat(self._handle).st_size, size)
        start = max(0, have - OVERLAP)
        theirs = b"".join(read(start, have))
        return have if os.pread(self._handle, have - start, start) == theirs else 0

    def _write(self, block: bytes) -> None:
        view = memoryview(block)
        while view:
            view = view[os.write(self._handle, view) :]
        self._unsynced += len(block)
        if self._unsynced >= SYNC:
            os.fsync(self._handle)
            self._unsynced = 0


@contextmanager
def opened(path: Path) -> Iterator[Part]:
    """Open a part for the block; one that the disk has no room for is removed, so that others find some.

    Raises:
        PickupError: the part cannot be written.

    """
    try:
        part = Part(path)
        try:
            yield part
        finally:
            part.close()
    except OSError as error:
        path.unlink(missing_ok=True)
        msg = f"a file cannot be written to {path.parent} ({error.strerror}); make room and check the folder's mode"
        raise PickupError(msg) from None
