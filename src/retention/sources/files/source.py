"""A source whose items are files of one landing folder; what the files hold is for the kind of source to say."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retention.errors import FileChangedError, FileRefusedError
from retention.model import IncomingMessage, RowNotice, RowProblem
from retention.sources.files import landing
from retention.sources.files.unpack import contents_of
from retention.sources.interface import SkippedFile, Source, SourceItem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path

    from retention.sources.files.times import LocalClock
    from retention.sources.files.unpack import Contents, Member, Wanted

Element = IncomingMessage | RowProblem | RowNotice


class FileSource(Source):
    """Files that somebody, or a scheduled export, puts into a folder."""

    def __init__(self, name: str, folder: Path, wanted: Wanted, clock: LocalClock, *, settle_seconds: float) -> None:
        """Take name, folder, what is read there, the clock of the files and how long they must rest."""
        self.name = name
        self._folder = folder
        self._wanted = wanted
        self._clock = clock
        self._settle_seconds = settle_seconds

    def discover(self, *, at: float) -> Iterator[SourceItem | SkippedFile]:
        """List what can be imported now, in order of name. ``at`` is the machine's clock, seconds since 1970."""
        suffixes = self._wanted.suffixes
        return landing.discover(self._folder, self._clock, suffixes, at=at, settle_seconds=self._settle_seconds)

    def open_item(self, path: Path) -> SourceItem:
        """Describe a file that a person named; raises FileRefusedError where it is not a readable regular file."""
        return landing.describe(path, self._clock, self._wanted.suffixes)

    def is_unchanged(self, item: SourceItem) -> bool:
        """Tell whether the bytes on disk are still those that the item's stamp or digest describe."""
        return landing.is_unchanged(item)

    def read(self, item: SourceItem) -> Iterator[Element]:
        """Stream the item's records: one message or one problem for each row, and notices between them."""
        with landing.open_regular(item.path) as file:
            landing.require_unchanged(file, item)
            try:
                yield from self._read_file(file, item.name)
            except FileRefusedError:
                landing.require_unchanged(file, item)
                raise
            landing.require_unchanged(file, item)

    def _read_file(self, file: BufferedReader, name: str) -> Iterator[Element]:
        with contents_of(file, name, self._wanted) as contents:
            yield from self._read_contents(contents)

    @abstractmethod
    def _read_contents(self, contents: Contents) -> Iterator[Element]:
        """Stream the records of every part, in order."""


@contextmanager
def naming(member: Member) -> Iterator[None]:
    """Put the name of a part of an archive in front of the reason for which it is refused."""
    try:
        yield
    except FileRefusedError as refusal:
        if not member.name or isinstance(refusal, FileChangedError):
            raise
        reason = f"{member.name}: {refusal.reason}"
        raise FileRefusedError(reason, line=refusal.line, column=refusal.column) from None
