"""Reading and writing key files, so that a key is never lost, never half written and never open to others.

Every error of the operating system becomes a KeyFileError here. No error repeats what a file holds.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retention.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRIVATE = stat.S_IRWXG | stat.S_IRWXO
PUBLIC = stat.S_IWGRP | stat.S_IWOTH

_MAX_FILE_BYTES = 65_536


def check_folder(path: Path) -> None:
    """Refuse a folder that others may enter.

    Args:
        path: The folder.

    Raises:
        KeyFileError: missing, not a folder, open to others or owned by another user; the message says what to do.

    """
    with os_errors(path):
        try:
            status = path.stat()
        except FileNotFoundError:
            msg = f"{path}: is missing; restore it from the backup of the keys, or make new keys with: retention init"
            raise KeyFileError(msg) from None
    if not stat.S_ISDIR(status.st_mode):
        msg = f"{path}: is not a folder"
        raise KeyFileError(msg)
    _check_access(path, status, PRIVATE)


def read(file: Path, forbidden: int) -> bytes | None:
    """Read a key file through one descriptor, so that what was checked is what is read.

    Args:
        file: The file.
        forbidden: Mode bits that it must not have: PRIVATE or PUBLIC.

    Returns:
        Its bytes, or None where there is no such file.

    Raises:
        KeyFileError: not a regular file, open to others or owned by another user; the message says what to do.

    """
    with os_errors(file):
        try:
            # Without O_NONBLOCK a pipe in place of the file would block for ever.
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except PermissionError:
            msg = f"{file}: cannot be read by this user; run: chown {os.geteuid()} {shlex.quote(str(file))}"
            raise KeyFileError(msg) from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                msg = f"{file}: is not a regular file"
                raise KeyFileError(msg)
            _check_access(file, status, forbidden)
            return os.read(descriptor, _MAX_FILE_BYTES)
        finally:
            os.close(descriptor)


def read_required(file: Path, forbidden: int) -> bytes:
    """Read a key file that has to be there.

    Args:
        file: The file.
        forbidden: Mode bits that it must not have: PRIVATE or PUBLIC.

    Returns:
        Its bytes.

    Raises:
        KeyFileError: as read(), and where the file is missing.

    """
    data = read(file, forbidden)
    if data is None:
        msg = f"{file}: is missing; restore it from the backup of the keys, it is never made anew"
        raise KeyFileError(msg)
    return data


def _check_access(path: Path, status: os.stat_result, forbidden: int) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid not in {0, os.geteuid()}:
        msg = f"{path}: belongs to another user; run: chown {os.geteuid()} {shlex.quote(str(path))}"
        raise KeyFileError(msg)
    if mode & forbidden:
        msg = f"{path}: is open to other users; run: chmod {mode & ~forbidden:04o} {shlex.quote(str(path))}"
        raise KeyFileError(msg)


def write_new(file: Path, data: bytes, mode: int) -> None:
    """Write a file that must not exist yet, down to the disk.

    Args:
        file: The file.
        data: Its bytes.
        mode: Its mode, which the umask can only narrow.

    Raises:
        OSError: the file exists or the disk refuses; the caller stands inside os_errors().

    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder down to the disk.

    Args:
        folder: The folder.

    Raises:
        OSError: the disk refuses; the caller stands inside os_errors().

    """
    with _opened(folder) as descriptor:
        os.fsync(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other process and thread that asks for the same lock waiting until the end of the block.

    Args:
        folder: The folder.

    Raises:
        OSError: the folder cannot be opened or locked; the caller stands inside os_errors().

    """
    with _opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def os_errors(path: Path) -> Iterator[None]:
    """Turn errors of the operating system into KeyFileError.

    Args:
        path: What the block works on, for the message.

    Raises:
        KeyFileError: in place of any OSError.

    """
    try:
        yield
    except OSError as error:
        msg = f"{path}: {error.strerror or type(error).__name__}; run this as the user that owns the keys"
        raise KeyFileError(msg) from error
