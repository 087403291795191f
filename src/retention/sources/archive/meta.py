"""Messages of a JSON download of Facebook or Instagram: ``messages/inbox/…/message_1.json``, one folder a thread.

Two quirks: texts are UTF-8 whose bytes were escaped one by one, as if they were Latin-1; and what tells the thread may
stand behind its messages, so each file is read twice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retention.errors import FileRefusedError
from retention.sources.archive.jsonstream import JsonRecords
from retention.sources.archive.messages import DIRECT, GROUP, plain
from retention.sources.files.bytestream import GuardedBytes
from retention.sources.files.fields import FieldError
from retention.sources.files.times import FIRST_YEAR, LAST_YEAR
from retention.sources.files.unpack import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.sources.archive.jsonstream import Record
    from retention.sources.archive.messages import Messages
    from retention.sources.files.source import Element
    from retention.sources.files.unpack import Member

_PART = re.compile(
    r"(?:.*/)?messages/(?:inbox|archived_threads|filtered_threads|message_requests|e2ee_cutover)/[^/]+/message_[0-9]+\.json"
)
_FOLDER = re.compile(r"(?P<folder>.*)/(?P<file>[^/]+)")
_MESSAGES, _SENDER, _AT = "messages.item", "sender_name", "timestamp_ms"
_THREAD, _PARTICIPANT = "thread_path", "participants.item.name"
_PAIR = 2
_MOST_MS = (LAST_YEAR - 1969) * 366 * 86_400_000
_LEAST_MS = (FIRST_YEAR - 1970) * 365 * 86_400_000


def wanted_of(network: str, other: str) -> Wanted:
    """Say which files of a download are this network's; one that names the other network is not."""
    return Wanted(
        (".json", ".json.gz", ".zip"),
        lambda name: _PART.fullmatch(name) is not None and other not in name.lower(),
        f"messages/inbox/…/message_1.json of {network}; the download must be in the format JSON",
    )


def shown_names(names: list[str]) -> list[str]:
    """Give the folders of threads numbers, because their names hold the names of people."""
    numbers: dict[str, int] = {}
    shown = []
    for name in names:
        match = _FOLDER.fullmatch(name)
        if match is None:
            shown.append(name)
            continue
        number = numbers.setdefault(match["folder"], len(numbers) + 1)
        shown.append(f"thread {number}/{match['file']}")
    return shown


def read(member: Member, messages: Messages) -> Iterator[Element]:
    """Stream the messages of one file; raises FileRefusedError where it is another file or damaged."""
    thread, participants = _thread(member)
    with member.open() as opened:
        for number, record in JsonRecords(GuardedBytes(opened), _MESSAGES, frozenset({_SENDER, _AT})).read():
            try:
                yield _message(number, record, thread, participants, messages)
            except FieldError as error:
                yield messages.problem(number, error.field, error.reason)


def _thread(member: Member) -> tuple[str, list[str]]:
    with member.open() as opened:
        records = JsonRecords(GuardedBytes(opened), _MESSAGES, frozenset(), around=(_THREAD, _PARTICIPANT))
        for _ in records.read():
            pass
    paths = [plain(value).strip("/") for value in records.around[_THREAD]]
    if not paths or not paths[-1]:
        reason = "holds no thread of messages: thread_path is missing"
        raise FileRefusedError(reason, column=_THREAD)
    # A thread that is archived moves to another folder and stays the same thread.
    return _repaired(paths[-1].rsplit("/", 1)[-1]), [_repaired(plain(name)) for name in records.around[_PARTICIPANT]]


def _message(number: int, record: Record | None, thread: str, participants: list[str], messages: Messages) -> Element:
    if record is None:
        return messages.problem(number, None, "is not an object")
    milliseconds = record.get(_AT)
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        raise FieldError(_AT, "is not a whole number of milliseconds since 1970")
    if not _LEAST_MS <= milliseconds <= _MOST_MS:
        raise FieldError(_AT, f"has a year outside {FIRST_YEAR} to {LAST_YEAR}")
    sender = _repaired(plain(record.get(_SENDER)))
    return messages.message(
        number,
        message_id=messages.made_id(thread, str(milliseconds)),
        conversation=(_THREAD, thread),
        contact=(_SENDER, messages.contact(sender, participants)),
        received_at=milliseconds // 1000,
        sender_is_own=messages.is_own(sender),
        message_type=GROUP if len(participants) > _PAIR else DIRECT,
    )


def _repaired(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
