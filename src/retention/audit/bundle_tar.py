"""A bundle in one tar file: written the same way every time, and read without unpacking it.

Reading is strict: a header must be the one that writing would give, and every byte that carries nothing must be zero.
So a bundle in a tar file has one spelling, and no byte of it can be changed unseen.
"""

from __future__ import annotations

import io
import os
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 512


def write_archive(folder: Path, out: BinaryIO) -> None:
    """Write every file of a folder into a tar file.

    Args:
        folder: The bundle.
        out: A binary stream.

    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in files:
            member = _member(path.relative_to(folder).as_posix(), path.stat().st_size)
            with path.open("rb") as file:
                archive.addfile(member, file)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    return member


class Archive:
    """The files of a bundle in a tar file; only their names and places are kept in memory."""

    def __init__(self, file: BinaryIO) -> None:
        """Read every header of an open file; raises LogError where a byte is not as write_archive() writes it."""
        self._file = file
        self._places: dict[str, tuple[int, int]] = {}
        while any(block := file.read(_BLOCK)):
            name, size = _read_header(block)
            if name in self._places:
                _refuse()
            self._places[name] = file.tell(), size
            file.seek(size, os.SEEK_CUR)
            if any(file.read(-size % _BLOCK)):
                _refuse()
        while block:
            if any(block):
                _refuse()
            block = file.read(1 << 16)

    def names(self) -> Iterator[str]:
        """Name every file."""
        return iter(self._places)

    def strangers(self) -> Iterator[tuple[str, str]]:
        """Name what a bundle never has: nothing, because a header of such a thing is refused."""
        return iter(())

    def open(self, name: str) -> BinaryIO:
        """Open a file; one that is not there is empty."""
        return io.BufferedReader(_Part(self._file.fileno(), *self._places.get(name, (0, 0))))


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a bundle in a tar file.

    Args:
        path: The tar file.

    Yields:
        Its files.

    Raises:
        LogError: It is not as write_archive() writes it.

    """
    with path.open("rb") as file:
        yield Archive(file)


def _read_header(block: bytes) -> tuple[str, int]:
    try:
        found = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        spelled = _member(found.name, found.size).tobuf(tarfile.GNU_FORMAT, "ascii", "strict")
    except (tarfile.HeaderError, ValueError):
        _refuse()
    if block != spelled:
        _refuse()
    return found.name, found.size


def _refuse() -> NoReturn:
    msg = "the tar file is damaged, or was not written by: retention audit export --bundle"
    raise LogError(msg)


class _Part(io.RawIOBase):
    """A stretch of a file."""

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        super().__init__()
        self._descriptor, self._start, self._end = descriptor, start, start + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  # any writable buffer, as io hands it over
        data = os.pread(self._descriptor, min(len(buffer), self._end - self._start), self._start)
        buffer[: len(data)] = data
        self._start += len(data)
        return len(data)
