"""Look for identifiers that must be gone in every file that is ours.

A run remembers a few of the identifiers it disposed of, spread over its batches, and looks for them afterwards: in the
database's files, the landing folders, the state folder (quarantine, keys) and the anchor, archives unpacked.
``retention scan-residue`` does the same for identifiers that a person gives. What stands in a disposal order, or came
again by a webhook and waits, is excepted in the database alone, and counted; see :func:`search`. Identifiers shorter
than six characters would be found by accident: a run passes over them, and the command refuses them. Parts of archives
that nobody can unpack here, because they are encrypted or damaged, are counted and told; they close no belt.
"""

from __future__ import annotations

import gzip
import os
import zipfile
import zlib
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from retention.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from retention.purge.execute import Disposed

MINIMUM_LENGTH = 6
_CHUNK = 4 << 20
# What the libraries raise for a part that is damaged, encrypted (RuntimeError) or packed in a way that they do not know
# (NotImplementedError). Nobody can unpack it here: the file is searched as it lies, the rest of it goes on, and the
# part is told as unsearched.
_CLOSED = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class Sample:
    """A few identifiers of what was just disposed of, in memory only: the first and last of each batch, to a limit."""

    def __init__(self, limit: int = 16) -> None:
        """Start with none."""
        self._limit = limit
        self._keys: list[str] = []

    def watch(self, rows: list[Disposed]) -> None:
        """Remember the first and the last identifier of a batch; later batches replace earlier ones.

        Args:
            rows: what the batch deleted.

        """
        self._keys += {row.message_key for row in (rows[0], rows[-1])}
        self._keys = self._keys[-self._limit :]

    @property
    def keys(self) -> dict[str, list[str]]:
        """The identifiers that are long enough to be looked for, each with its keys of the register."""
        found: dict[str, list[str]] = {}
        for key in self._keys:
            if len(identifier := key.partition(":")[2]) >= MINIMUM_LENGTH:
                found.setdefault(identifier, []).append(key)
        return found


class Scan(NamedTuple):
    """For each file that holds any of the identifiers how many, and for each that has any the parts left unsearched."""

    found: dict[Path, int]
    unsearched: dict[Path, int]


def scan(identifiers: Iterable[str], places: Iterable[Path], apart: Iterable[Path] = ()) -> Scan:
    """Count how many of the identifiers occur in each file.

    Args:
        identifiers: what must be gone, as the source spelled it.
        places: files, and folders that are searched through.
        apart: files that are left out.

    Returns:
        What was found, and what could not be searched because it cannot be unpacked.

    Raises:
        SourceError: a file of ours cannot be read.

    """
    wanted = {identifier.encode("utf-8", "surrogateescape") for identifier in identifiers}
    scanned = Scan({}, {})
    for path in _files(places, apart):
        hits, closed = _search(path, wanted)
        if hits:
            scanned.found[path] = hits
        if closed:
            scanned.unsearched[path] = closed
    return scanned


class Search(NamedTuple):
    """What was found: for each file how many of the identifiers, and of how many the database was excepted.

    ``unsearched`` are the parts of archives that cannot be unpacked, by file.
    """

    found: dict[Path, int]
    excepted: int
    unsearched: dict[Path, int]


def search(
    identifiers: Collection[str],
    excepted: Mapping[str, Collection[str]],
    database: Iterable[Path],
    places: Iterable[Path],
) -> Search:
    """Look for identifiers in the database's files and in the others of ours.

    Identifiers in a disposal order or an event that waits stand in the database on purpose, in tables that spell them
    bare. So
    of these the database is searched for the keys by which the register spelled them, and everything else for them as
    they are.

    Args:
        identifiers: what must be gone, as the source spelled it.
        excepted: those of them that stand there on purpose, each with its possible keys of the register.
        database: the files of the database.
        places: other files, and folders that are searched through.

    Returns:
        The finds, the number of exceptions, and what could not be searched.

    Raises:
        SourceError: a file of ours cannot be read.

    """
    files = list(database)
    keys = [key for spelled in excepted.values() for key in spelled]
    plain = [identifier for identifier in identifiers if identifier not in excepted]
    elsewhere = scan(identifiers, places, apart=files)  # the database often lies in the state folder
    within = scan([*plain, *keys], files)
    unsearched = {**within.unsearched, **elsewhere.unsearched}
    return Search({**within.found, **elsewhere.found}, len(excepted), unsearched)


def _files(places: Iterable[Path], apart: Iterable[Path]) -> Iterator[Path]:
    seen = {path.resolve() for path in apart}
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and not path.is_symlink() and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _search(path: Path, wanted: set[bytes]) -> tuple[int, int]:
    """Give how many are in a file, and how many of its parts could not be unpacked to their end."""
    left, closed = set(wanted), 0
    try:
        with ExitStack() as opened:
            for stream in _streams(path, opened):
                found, whole = _found(stream, left) if stream else (set[bytes](), False)
                left -= found
                closed += not whole
    except FileNotFoundError:
        return 0, 0
    except OSError as error:
        msg = f"{os.fspath(path)}: cannot be searched ({error.strerror}); check its owner and mode"
        raise SourceError(msg) from None
    return len(wanted) - len(left), closed


def _streams(path: Path, opened: ExitStack) -> Iterator[IO[bytes] | None]:
    """Open a file as it lies there, and then what it holds where it is an archive of the kinds that are ingested.

    None stands for a part that cannot be opened.
    """
    yield opened.enter_context(path.open("rb"))
    if path.suffix == ".gz":
        yield cast("IO[bytes]", opened.enter_context(gzip.GzipFile(path)))
    elif path.suffix == ".zip":
        try:
            archive = opened.enter_context(zipfile.ZipFile(path))
        except zipfile.BadZipFile:
            yield None
            return
        for name in archive.namelist():
            yield _part(archive, name, opened)


def _part(archive: zipfile.ZipFile, name: str, opened: ExitStack) -> IO[bytes] | None:
    try:
        return opened.enter_context(archive.open(name))
    except _CLOSED:
        return None


def _found(stream: IO[bytes], wanted: set[bytes]) -> tuple[set[bytes], bool]:
    """Give those that are in a stream, and whether it was read as far as it had to be."""
    longest = max(map(len, wanted), default=0)
    found: set[bytes] = set()
    tail = b""
    try:
        while len(found) < len(wanted) and (chunk := stream.read(_CHUNK)):
            window = tail + chunk
            found |= {needle for needle in wanted if needle in window}
            tail = window[-longest:]
    except _CLOSED:
        return found, False
    return found, True
