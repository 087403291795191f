"""The parts of a file: itself where it is plain, what it holds where it is an archive."""

from __future__ import annotations

import gzip
import struct
import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from retention.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from io import BufferedReader

    from retention.sources.files.bytestream import Readable

_ENCRYPTED = 0x1
_LONGEST_NAME = 200
_BROKEN_ZIP = (BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a source reads: the endings of its files' names, and which parts of a zip archive are meant.

    ``suffixes`` are in lower case; ``is_part`` is given a part's whole name; ``called`` is what people call a part.
    """

    suffixes: tuple[str, ...]
    is_part: Callable[[str], bool]
    called: str


@dataclass(frozen=True, slots=True)
class Member:
    """One part with rows. ``name`` is empty where the file is no archive of several."""

    name: str
    open: Callable[[], AbstractContextManager[Readable]]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds: parts to read, in order of name, and the names of the other parts."""

    members: tuple[Member, ...]
    ignored: tuple[str, ...] = ()


@contextmanager
def contents_of(file: BufferedReader, name: str, wanted: Wanted) -> Iterator[Contents]:
    """Look into an open file by the ending of its name; raises FileRefusedError where an archive cannot be used."""
    lowered = name.lower()
    if lowered.endswith(".zip"):
        with _zip(file) as archive:
            yield _contents_of_zip(archive, wanted)
    elif lowered.endswith(".gz"):
        yield Contents((Member("", partial(_open_gzip, file)),))
    else:
        yield Contents((Member("", partial(_open_plain, file)),))


def _open_plain(file: BufferedReader) -> AbstractContextManager[Readable]:
    file.seek(0)
    return nullcontext(file)


def _open_gzip(file: BufferedReader) -> AbstractContextManager[Readable]:
    file.seek(0)
    return gzip.GzipFile(fileobj=file, mode="rb")


def _zip(file: BufferedReader) -> ZipFile:
    try:
        return ZipFile(file)
    except _BROKEN_ZIP:
        reason = "is not a zip archive, or is damaged or incomplete"
        raise FileRefusedError(reason) from None


def _contents_of_zip(archive: ZipFile, wanted: Wanted) -> Contents:
    entries = sorted((entry for entry in archive.infolist() if not _is_litter(entry)), key=lambda entry: entry.filename)
    parts = [entry for entry in entries if wanted.is_part(entry.filename)]
    if not parts:
        reason = f"holds no {wanted.called}"
        raise FileRefusedError(reason)
    for entry in parts:
        _require_readable(entry)
    others = tuple(_printable(entry.filename) for entry in entries if not wanted.is_part(entry.filename))
    members = (Member(_printable(entry.filename), partial(_open_entry, archive, entry)) for entry in parts)
    return Contents(tuple(members), others)


def _is_litter(entry: ZipInfo) -> bool:
    parts = entry.filename.split("/")
    # is_dir() fails on an empty name, which a damaged archive can have.
    return entry.filename.endswith("/") or "__MACOSX" in parts or any(part.startswith(".") for part in parts)


def _require_readable(entry: ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        reason = "is an encrypted archive; export it without a password"
        raise FileRefusedError(reason)
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        reason = "is packed in an unusual way; pack it again with plain zip (deflate)"
        raise FileRefusedError(reason)


def _open_entry(archive: ZipFile, entry: ZipInfo) -> AbstractContextManager[Readable]:
    try:
        return archive.open(entry)
    except _BROKEN_ZIP:
        reason = f"is a damaged or incomplete archive: {_printable(entry.filename)} cannot be unpacked"
        raise FileRefusedError(reason) from None


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in name)[:_LONGEST_NAME] or "?"
