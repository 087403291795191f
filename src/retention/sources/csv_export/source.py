"""The source ``csv-export``: discover, read and recognise the files of one landing folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from retention.errors import FileChangedError, FileRefusedError
from retention.model import IncomingMessage, RowNotice, RowProblem
from retention.sources.csv_export import landing
from retention.sources.csv_export.archives import Member, contents_of
from retention.sources.csv_export.bytestream import GuardedBytes, Readable
from retention.sources.csv_export.classes import ClassBook
from retention.sources.csv_export.header import read_layout
from retention.sources.csv_export.records import read_records
from retention.sources.csv_export.rows import RowReader
from retention.sources.csv_export.text import decode
from retention.sources.csv_export.times import LocalClock
from retention.sources.interface import SkippedFile, Source, SourceItem

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

    from retention.sources.csv_export.format import CsvFormat

Records = Iterator[tuple[int, list[str] | None]]
Element = IncomingMessage | RowProblem | RowNotice

_IGNORED = "is not a .csv file, so it was not read"


class CsvExport(Source):
    """Files of one message a row that somebody, or a scheduled export, puts into a folder."""

    def __init__(self, name: str, folder: Path, csv_format: CsvFormat, *, settle_seconds: float = 60.0) -> None:
        """Take the source's name, its landing folder, how its files are written and how long they must rest."""
        self.name = name
        self._folder = folder
        self._format = csv_format
        self._settle_seconds = settle_seconds
        self._clock = LocalClock(ZoneInfo(csv_format.time_zone), csv_format.date_format)

    def discover(self, *, at: float) -> Iterator[SourceItem | SkippedFile]:
        """List what can be imported now, in order of name. ``at`` is the machine's clock, seconds since 1970."""
        return landing.discover(self._folder, self._clock, at=at, settle_seconds=self._settle_seconds)

    def open_item(self, path: Path) -> SourceItem:
        """Describe a file that a person named; raises FileRefusedError where it is not a readable regular file."""
        return landing.describe(path, self._clock)

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
        classes = ClassBook(self.name, self._format)
        with contents_of(file, name) as contents:
            if len(contents.members) > 1:
                # One unfit part refuses the archive before its first record, not in the middle.
                for member in contents.members:
                    self._check_header(member)
            for ignored in contents.ignored:
                yield RowNotice(0, None, _IGNORED, ignored)
            for member in contents.members:
                yield from self._read_member(member, classes)

    def _check_header(self, member: Member) -> None:
        with _naming(member), member.open() as stream:
            read_layout(self._records(stream)[0], self._format)

    def _read_member(self, member: Member, classes: ClassBook) -> Iterator[Element]:
        with _naming(member), member.open() as stream:
            records, encoding = self._records(stream)
            layout = read_layout(records, self._format)
            rows = RowReader(layout, classes, self._clock.reader(), encoding, member.name)
            yield from rows.read(records)

    def _records(self, stream: Readable) -> tuple[Records, str]:
        guarded = GuardedBytes(stream)
        text = decode(guarded, self._format.encoding)
        return read_records(text, self._format.delimiter, guarded.mark_finished), text.encoding.removesuffix("-sig")


@contextmanager
def _naming(member: Member) -> Iterator[None]:
    try:
        yield
    except FileRefusedError as refusal:
        if not member.name or isinstance(refusal, FileChangedError):
            raise
        reason = f"{member.name}: {refusal.reason}"
        raise FileRefusedError(reason, line=refusal.line, column=refusal.column) from None
