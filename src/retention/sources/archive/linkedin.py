"""Messages of a download of LinkedIn: ``messages.csv``, one message a row, without identifiers of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.errors import FileRefusedError
from retention.sources.archive.messages import DIRECT, GROUP, needed
from retention.sources.files.bytestream import GuardedBytes
from retention.sources.files.fields import FieldError
from retention.sources.files.records import read_records
from retention.sources.files.text import decode
from retention.sources.files.unpack import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.sources.archive.messages import Messages
    from retention.sources.files.source import Element
    from retention.sources.files.unpack import Member

CONVERSATION, SENDER, ADDRESS, TO, DATE = (
    "CONVERSATION ID",
    "FROM",
    "SENDER PROFILE URL",
    "RECIPIENT PROFILE URLS",
    "DATE",
)
REQUIRED = (CONVERSATION, SENDER, DATE)
"""Columns without which a file is refused."""

_BROKEN = "is not valid CSV: a quotation mark is not closed or not doubled, or a field is longer than 1 MiB"

WANTED = Wanted(
    (".csv", ".csv.gz", ".zip"),
    lambda name: name.rsplit("/", 1)[-1].lower() == "messages.csv",
    "messages.csv",
)
"""Files and parts of archives that hold messages."""


def read(member: Member, messages: Messages) -> Iterator[Element]:
    """Stream the messages of one file; raises FileRefusedError where it is another file or damaged."""
    with member.open() as opened:
        guarded = GuardedBytes(opened)
        records = read_records(decode(guarded, "utf-8"), ",", guarded.mark_finished)
        places, width = _places(records)
        for line, row in records:
            if row is not None and not any(cell.strip() for cell in row):
                continue
            if row is None or len(row) != width:
                reason = _BROKEN if row is None else f"has {len(row)} columns where the header has {width}"
                yield messages.problem(line, None, reason)
                continue
            try:
                yield _message(line, {name: row[place] for name, place in places.items()}, messages)
            except FieldError as error:
                yield messages.problem(line, error.field, error.reason)


def _places(records: Iterator[tuple[int, list[str] | None]]) -> tuple[dict[str, int], int]:
    line, header = next(
        ((line, row) for line, row in records if row is None or any(cell.strip() for cell in row)), (1, [])
    )
    if not header:
        reason = "has no header" if header is not None else "has a header that is not valid CSV"
        raise FileRefusedError(reason, line=line)
    found = {cell.strip().strip("\ufeff").upper(): place for place, cell in enumerate(header)}
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        reason = f'lacks the column "{missing[0]}", so it is not the messages.csv of a LinkedIn download'
        raise FileRefusedError(reason, line=line, column=missing[0])
    wanted = (CONVERSATION, SENDER, ADDRESS, TO, DATE)
    return {name: found[name] for name in wanted if name in found}, len(header)


def _message(line: int, row: dict[str, str], messages: Messages) -> Element:
    conversation = needed(CONVERSATION, row[CONVERSATION])
    received_at = messages.instant(DATE, row[DATE])
    name, address = row[SENDER].strip(), row.get(ADDRESS, "").strip()
    to = [part.strip() for part in row.get(TO, "").split(",") if part.strip()]
    is_own = messages.is_own(name, address)
    contact = (to[0] if len(to) == 1 else "") if is_own else address or name
    return messages.message(
        line,
        message_id=messages.made_id(conversation, str(received_at)),
        conversation=(CONVERSATION, conversation),
        contact=(ADDRESS if address else SENDER, contact),
        received_at=received_at,
        sender_is_own=is_own,
        message_type=GROUP if len(to) > 1 else DIRECT,
    )
