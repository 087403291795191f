"""The source ``hootsuite-api``: page sets of outbound messages, as the listing wrote them into the landing folder.

What this interface has was written by the office and published: its messages are public and outbound, the channel is
the number of the social profile, and the type is the state (``SENT``, ``REJECTED``, …). Private messages it has none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from retention.errors import FileRefusedError
from retention.model import IncomingMessage, MessageClass, RowProblem
from retention.sources.files.fields import FieldError
from retention.sources.files.source import Element, FileSource
from retention.sources.files.times import LocalClock
from retention.sources.files.unpack import Wanted
from retention.sources.hootsuite_api.pageset import LONGEST_LINE, SUFFIX, VERSION, unfit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retention.sources.files.bytestream import Readable
    from retention.sources.files.unpack import Contents

NETWORK = "hootsuite"
_WANTED = Wanted((SUFFIX,), lambda _: False, "page set")
_CUT_OFF = "is not a whole page set: it ends before its end"
_NOT_OURS = "is not a page set of this version"


class PageSets(FileSource):
    """Page sets of one landing folder. They get their names when they are whole, so they need no time to settle."""

    def __init__(self, name: str, folder: Path) -> None:
        """Take the source's name and its landing folder."""
        self._clock_utc = LocalClock(ZoneInfo("UTC"))
        super().__init__(name, folder, _WANTED, self._clock_utc, settle_seconds=0)
        self._classes: dict[tuple[str, str], MessageClass] = {}

    def _read_contents(self, contents: Contents) -> Iterator[Element]:
        for member in contents.members:
            with member.open() as file:
                yield from self._elements(file)

    def _elements(self, file: Readable) -> Iterator[Element]:
        lines = _lines(file)
        if next(lines, (1, {}))[1].get("version") != VERSION:
            raise FileRefusedError(_NOT_OURS, line=1)
        records = 0
        for number, record in lines:
            if "end" in record:
                if record["end"] != records or next(lines, None) is not None:
                    raise FileRefusedError(_CUT_OFF, line=number)
                return
            if "next" not in record:
                records += 1
                yield self._element(number, record)
        raise FileRefusedError(_CUT_OFF)

    def _element(self, line: int, record: dict[str, Any]) -> Element:
        if "error" in record:
            reason = f"Hootsuite left a message out: code {record.get('code')}, error id {record['error']}"
            return RowProblem(line, "errors", reason if _is_told(record) else "Hootsuite left a message out")
        if (wrong := unfit(record)) is not None:
            return RowProblem(line, *wrong)
        try:
            at = self._clock_utc.reader()(str(record.get("at")))
        except FieldError as error:
            return RowProblem(line, "scheduledSendTime", error.reason)
        key = record["profile"], record["state"]
        if (found := self._classes.get(key)) is None:
            found = self._classes[key] = MessageClass(self.name, NETWORK, key[0], "outbound", "public", key[1])
        return IncomingMessage(line, record["id"], "", "", at, found)


def _is_told(record: dict[str, Any]) -> bool:
    """Tell whether an error is as we wrote it: a number and an id, and nothing that could be a value."""
    trace = record["error"]
    return type(record.get("code")) is int and isinstance(trace, str) and trace.isascii() and len(trace) <= 64  # noqa: PLR2004


def _lines(file: Readable) -> Iterator[tuple[int, dict[str, Any]]]:
    number, rest = 0, b""
    while True:
        chunk = file.read(1 << 16)
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            number += 1
            yield number, _record(line, number)
        if not chunk:
            break
        if len(rest) > LONGEST_LINE:
            raise FileRefusedError(_NOT_OURS, line=number + 1)
    if rest:
        raise FileRefusedError(_CUT_OFF, line=number + 1)


def _record(line: bytes, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line) if len(line) <= LONGEST_LINE else None
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise FileRefusedError(_NOT_OURS, line=number)
    return record
