"""Gather what there is to import, from the landing folders or as a person names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.errors import FileRefusedError, SourceError
from retention.logs import get_logger
from retention.sources.interface import SkippedFile
from retention.store import findings, imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from retention.sources.interface import Source, SourceItem
    from retention.store.engine import Database

_log = get_logger("ingest")


def discovered(
    database: Database,
    sources: Iterable[Source],
    *,
    clock: float,
    now: datetime,
    skip: Callable[[str, SkippedFile], None],
) -> Iterator[tuple[Source, SourceItem]]:
    """Give every item that the sources have, in their order and by name.

    What needs a person becomes a finding; a source that cannot be read becomes one too and the others go on. A file
    that waits for its disposal where it lies is passed over. ``clock`` is the machine's, seconds since 1970: files
    settle in real time, also in a drill. ``skip`` is told of each file that is passed over, and
    of a source that cannot be read, as a file without a name. What was found of a file
    that is gone or can be read now is mended.
    """
    with database.read() as connection:
        waiting = {(file.path, file.file_digest) for file in imports.kept_files(connection)}
    for source in sources:
        odd: set[str] = set()
        try:
            for found in source.discover(at=clock):
                if isinstance(found, SkippedFile):
                    _report(database, source.name, found, now)
                    skip(source.name, found)
                    odd.add(found.name)
                elif (str(found.path), found.digest) not in waiting:
                    yield source, found
        except SourceError as error:
            _log.error("a source cannot be read", source=source.name, reason=str(error))
            skip(source.name, SkippedFile("", str(error), needs_attention=True))
            with database.write() as connection:
                findings.open_finding(connection, "source-failed", str(error), at=now, source=source.name)
        else:
            with database.write() as connection:
                findings.mended(connection, "source-failed", at=now, source=source.name)
                for one in findings.load(connection, open_only=True):
                    if (one.kind, one.source) == ("unrecognised-file", source.name) and one.file not in odd:
                        findings.mended(connection, one.kind, at=now, source=one.source, file=one.file)


def named(source: Source, paths: Iterable[Path]) -> Iterator[tuple[Source, SourceItem]]:
    """Give the items that a person names.

    Raises:
        SourceError: one of them is not a readable file; the message names it.

    """
    for path in paths:
        try:
            yield source, source.open_item(path.absolute())
        except FileRefusedError as error:
            msg = f"{path}: {error.reason}"
            raise SourceError(msg) from None


def _report(database: Database, source: str, skipped: SkippedFile, now: datetime) -> None:
    _log.info("a file is passed over", source=source, file=skipped.name, reason=skipped.reason)
    if skipped.needs_attention:
        with database.write() as connection:
            findings.open_finding(
                connection, "unrecognised-file", skipped.reason, at=now, source=source, file=skipped.name
            )
