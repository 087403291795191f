"""The beginning of a CSV file: its encoding, its delimiter, its header and some rows."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from retention.errors import FileRefusedError
from retention.sources.files.bytestream import GuardedBytes
from retention.sources.files.records import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.sources.files.unpack import Member

HEAD_BYTES = 512 * 1024
"""How much of a file is looked at; all of it is read only to count."""

_MOST_ROWS = 2_000
_TRIED_ROWS = 200
_DELIMITERS = (",", ";", "\t", "|")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LONGEST_NAME = 80
# What a header does not have: long numbers, addresses, dates, times.
_DATA = re.compile(r"[0-9]{5}|@\S|://|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{2,4}|[0-9]:[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Sample:
    """How a table is written, and some of its rows, all of the header's width."""

    encoding: str
    encoding_note: str
    encoding_certain: bool
    delimiter: str
    header: list[str]
    rows: list[list[str]]

    def column(self, name: str) -> list[str]:
        """Give the trimmed values of a column that are not empty."""
        place = self.header.index(name)
        return [row[place].strip() for row in self.rows if row[place].strip()]


def read_sample(member: Member) -> Sample:
    """Look at the beginning of a table; raises FileRefusedError where it is none, or has no header."""
    with member.open() as opened:
        stream = GuardedBytes(opened)
        head = b""
        while len(head) < HEAD_BYTES and (portion := stream.read(HEAD_BYTES)):
            head += portion
    encoding, note, certain = _encoding(head)
    text = head.decode(encoding, "replace").removeprefix("\ufeff")
    if len(head) >= HEAD_BYTES:
        text = text[: text.rfind("\n") + 1] or text
    delimiter = max(_DELIMITERS, key=lambda one: _fit(text, one))
    records = (row for row in _rows(text, delimiter) if row is not None)
    header = [cell.strip() for cell in next(records, [])]
    _require_header(header)
    rows = list(islice((row for row in records if len(row) == len(header)), _MOST_ROWS))
    return Sample(encoding, note, certain, delimiter, header, rows)


def _encoding(head: bytes) -> tuple[str, str, bool]:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, "a byte order mark says so", True
    if b"\0" in head[:2000]:
        return "utf-16-le", "guessed from zero bytes", False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=False)
    except UnicodeDecodeError:
        return "cp1252", "guessed: it is not UTF-8, and this is what older programs of Windows write", False
    return "utf-8", "what was looked at is valid UTF-8", True


def _fit(text: str, delimiter: str) -> tuple[bool, float]:
    rows = list(islice(_rows(text, delimiter), _TRIED_ROWS))
    width = len(rows[0] or ()) if rows else 0
    fitting = sum(row is not None and len(row) == width for row in rows) / max(len(rows), 1)
    return width > 1, width * fitting**4


def _rows(text: str, delimiter: str) -> Iterator[list[str] | None]:
    records = read_records(io.StringIO(text, newline=""), delimiter, lambda: None)
    return (row for _, row in records if row is None or any(cell.strip() for cell in row))


def _require_header(header: list[str]) -> None:
    named = [name for name in header if name]
    if len(named) < 2:  # noqa: PLR2004 - an identifier and a time are the least
        reason = "is not a table of several columns, or is empty"
        raise FileRefusedError(reason, line=1)
    if len({name.casefold() for name in named}) < len(named) or any(
        len(name) > _LONGEST_NAME or not name.isprintable() or _DATA.search(name) for name in named
    ):
        reason = "does not begin with a line of column names; they are needed to say which column is which"
        raise FileRefusedError(reason, line=1)
