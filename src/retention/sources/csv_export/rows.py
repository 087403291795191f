"""From records to messages: the loop that every row of every file goes through, so its steps are few and plain."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING

from retention.model import IncomingMessage, RowNotice, RowProblem
from retention.sources.csv_export.header import PRIVATE_WHEN
from retention.sources.files.fields import MAX_IDENTIFIER, FieldError, checked_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retention.sources.csv_export.classes import ClassBook
    from retention.sources.csv_export.header import Layout

_BROKEN = "is not valid CSV: a quotation mark is not closed or not doubled, or a field is longer than 1 MiB"
_IN_DOUBT = "says neither private nor public in this and maybe further rows; such messages are treated as private"
# Identifiers that match when they are taken together need no closer look: short, visible ASCII and no plus sign, so
# neither padded nor a number that a spreadsheet rounded.
_PLAIN = re.compile(rf"[!-*,-~]{{1,{MAX_IDENTIFIER}}}")


class RowReader:
    """Turns the records of one part of an item into messages and row problems."""

    def __init__(
        self,
        layout: Layout,
        classes: ClassBook,
        seconds_of: Callable[[str], int],
        encoding: str,
        member: str,
    ) -> None:
        """Take where the columns stand, what reads classes and times, and what errors name: encoding and part."""
        self._layout = layout
        self._classes = classes
        self._seconds_of = seconds_of
        self._encoding = encoding
        self._member = member

    def read(
        self,
        records: Iterator[tuple[int, list[str] | None]],
    ) -> Iterator[IncomingMessage | RowProblem | RowNotice]:
        """Give one message or one problem for each record that is not blank, and a notice where one is due."""
        width, seconds_of, classes = self._layout.width, self._seconds_of, self._classes
        pick, pick_class = itemgetter(*self._layout.of_row), itemgetter(*self._layout.of_class)
        # A NamedTuple's own constructor takes twice the time.
        known, is_plain, new = classes.known.get, _PLAIN.fullmatch, tuple.__new__
        for line, row in records:
            if row is None or len(row) != width:
                if row is None or not _is_blank(row):
                    yield self._misshapen(line, row)
                continue
            row.append("")  # the place of every column that the file lacks
            message_id, conversation_id, contact_id, received = pick(row)
            try:
                if not (message_id and is_plain(f"{message_id}{conversation_id}{contact_id}")):
                    message_id, conversation_id, contact_id = _examined(message_id, conversation_id, contact_id)
                received_at = seconds_of(received)
                values = pick_class(row)
                message_class = known(values)
                if message_class is None:
                    message_class = classes.add(values, line)
                    if classes.take_doubt():
                        yield RowNotice(line, self._layout.columns[PRIVATE_WHEN], _IN_DOUBT, self._member)
            except FieldError as error:
                yield self._unfit(line, error)
                continue
            yield new(IncomingMessage, (line, message_id, conversation_id, contact_id, received_at, message_class))

    def _misshapen(self, line: int, row: list[str] | None) -> RowProblem:
        reason = _BROKEN if row is None else f"has {len(row)} columns where the header has {self._layout.width}"
        return RowProblem(line, None, reason, self._member)

    def _unfit(self, line: int, error: FieldError) -> RowProblem:
        reason = error.reason.format(encoding=self._encoding)
        return RowProblem(line, self._layout.columns.get(error.field), reason, self._member)


def _is_blank(row: list[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip())


def _examined(message_id: str, conversation_id: str, contact_id: str) -> tuple[str, str, str]:
    if not message_id.strip():
        field, reason = "message_id", "is empty"
        raise FieldError(field, reason)
    return (
        checked_identifier("message_id", message_id),
        checked_identifier("conversation_id", conversation_id),
        checked_identifier("contact", contact_id),
    )
