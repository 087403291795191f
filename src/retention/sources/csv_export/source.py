"""The source ``csv-export``: read the files of one landing folder, one message a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from retention.model import RowNotice
from retention.sources.csv_export.classes import ClassBook
from retention.sources.csv_export.header import read_layout
from retention.sources.csv_export.rows import RowReader
from retention.sources.files.bytestream import GuardedBytes, Readable
from retention.sources.files.records import read_records
from retention.sources.files.source import Element, FileSource, naming
from retention.sources.files.text import decode
from retention.sources.files.times import LocalClock
from retention.sources.files.unpack import Contents, Member, Wanted

if TYPE_CHECKING:
    from pathlib import Path

    from retention.sources.csv_export.format import CsvFormat

Records = Iterator[tuple[int, list[str] | None]]

WANTED = Wanted((".csv", ".csv.gz", ".zip"), lambda name: name.lower().endswith(".csv"), ".csv file")
"""Files and parts of archives that are read as CSV."""

_IGNORED = "is not a .csv file, so it was not read"


class CsvExport(FileSource):
    """Files of one message a row."""

    def __init__(self, name: str, folder: Path, csv_format: CsvFormat, *, settle_seconds: float = 60.0) -> None:
        """Take the source's name, its landing folder, how its files are written and how long they must rest."""
        clock = LocalClock(ZoneInfo(csv_format.time_zone), csv_format.date_format)
        super().__init__(name, folder, WANTED, clock, settle_seconds=settle_seconds)
        self._format = csv_format

    def _read_contents(self, contents: Contents) -> Iterator[Element]:
        classes = ClassBook(self.name, self._format)
        if len(contents.members) > 1:
            # One unfit part refuses the archive before its first record, not in the middle.
            for member in contents.members:
                self._check_header(member)
        for ignored in contents.ignored:
            yield RowNotice(0, None, _IGNORED, ignored)
        for member in contents.members:
            yield from self._read_member(member, classes)

    def _check_header(self, member: Member) -> None:
        with naming(member), member.open() as stream:
            read_layout(self._records(stream)[0], self._format)

    def _read_member(self, member: Member, classes: ClassBook) -> Iterator[Element]:
        with naming(member), member.open() as stream:
            records, encoding = self._records(stream)
            layout = read_layout(records, self._format)
            rows = RowReader(layout, classes, self._clock.reader(), encoding, member.name)
            yield from rows.read(records)

    def _records(self, stream: Readable) -> tuple[Records, str]:
        guarded = GuardedBytes(stream)
        text = decode(guarded, self._format.encoding)
        return read_records(text, self._format.delimiter, guarded.mark_finished), text.encoding.removesuffix("-sig")
