"""What the conformance tests need of a source: to be made, to be handed messages, and to be asked for its item.

A source joins by an adapter. Sources of files only say how they write their records; a source on a network would
override ``source`` and ``item`` too and serve the same records from a server of its own.
"""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from retention.ingest.inbox import EventInbox
from retention.service.door import Door
from retention.service.event import InboundEvent, read_event
from retention.service.receive import Receiver
from retention.settings.source import SourceSettings
from retention.sources.interface import SourceItem
from retention.store import inbox
from retention.store.engine import open_database
from retention.store.tables import metadata
from tests.receiver import NAME, event, sign
from tests.receiver import SECRET as KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from retention.context import Context
    from retention.sources.interface import Source
    from retention.store.engine import Database

SECRET = "SECRET"  # noqa: S105 - marks what must never come out in an error
START = datetime(2026, 11, 1, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sent:
    """One message in a conversation with one contact, ``number`` minutes after START, or a record that is unfit."""

    number: int
    fit: bool = True
    text: str = f'{SECRET} text, "quoted"\nof two lines'

    @property
    def seconds(self) -> int:
        """When it was received, in seconds since 1970."""
        return int(START.timestamp()) + 60 * self.number

    @property
    def at(self) -> datetime:
        """When it was received."""
        return datetime.fromtimestamp(self.seconds, UTC)


class Adapter(ABC):
    """One source under test."""

    visibility = "private"
    holds_text = True
    takes_unfit = True
    """Whether a record that is unfit reaches the source at all."""

    def __init__(self, name: str, **keys: Any) -> None:  # noqa: ANN401 - whatever the configuration takes
        """Take a name for the test and the keys of the configuration, beside name and path."""
        self.name = name
        self.keys = {"settle_seconds": 0.0, **keys}

    def source(self, folder: Path) -> Source:
        """Make the source as the configuration does."""
        from retention.configured import configured_source  # noqa: PLC0415 - only here

        return configured_source(SourceSettings.model_validate({"name": "tested", "path": folder, **self.keys}))

    def block(self) -> str:
        """Write the keys as they stand in a configuration."""
        plain = {"name": "hootsuite-inbox", "path": "landing", **self.keys}
        return "[[source]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in plain.items())

    def item(self, source: Source) -> SourceItem:
        """Give the one item that the source has."""
        (item,) = source.discover(at=4e9)
        assert isinstance(item, SourceItem), item
        return item

    @abstractmethod
    def put(self, folder: Path, messages: Iterable[Sent]) -> None:
        """Make messages available, so that they are the source's one item."""

    def hand_in(self, context: Context, folder: Path, messages: Iterable[Sent]) -> None:  # noqa: ARG002  # files need none
        """Make messages available to an installation, whose landing folder this is."""
        self.put(folder, messages)


class _File(Adapter):
    file = "export.csv"

    def put(self, folder: Path, messages: Iterable[Sent]) -> None:
        with (folder / self.file).open("wb") as file:
            for portion in self.written(messages):
                file.write(portion.encode())

    @abstractmethod
    def written(self, messages: Iterable[Sent]) -> Iterator[str]:
        """Write the file, portion by portion."""


class Table(_File):
    """A CSV export: its header, and the cells of a row by their column; what is not given is empty."""

    def __init__(self, name: str, header: Sequence[str], cells: Mapping[str, str], form: str, **keys: Any) -> None:  # noqa: ANN401
        """Take the header, cells with ``{n}`` for the number, ``{at}`` for the time and ``{text}``, and its form."""
        super().__init__(name, **{"kind": "csv-export", **keys})
        self._header, self._cells, self._form = header, cells, form

    def written(self, messages: Iterable[Sent]) -> Iterator[str]:
        yield _line(self._header)
        for sent in messages:
            at = sent.at.strftime(self._form) if sent.fit else f"{SECRET} when"
            values = {name: cell.format(n=sent.number, at=at, text=sent.text) for name, cell in self._cells.items()}
            yield _line([values.get(name, "") for name in self._header])


class X(_File):
    """A ``direct-messages.js``."""

    file = "direct-messages.js"

    def written(self, messages: Iterable[Sent]) -> Iterator[str]:
        yield 'window.YTD.direct_messages.part0 = [ {"dmConversation" : {"conversationId" : "7-8", "messages" : ['
        yield from _joined(
            {
                "messageCreate": {
                    "id": f"90{sent.number}",
                    "senderId": "8",
                    "recipientId": "7",
                    "text": sent.text,
                    "createdAt": f"{sent.at:%Y-%m-%dT%H:%M:%S}.000Z" if sent.fit else f"{SECRET} when",
                    "reactions": [{"senderId": SECRET}],
                },
            }
            for sent in messages
        )
        yield "]}} ]"


class Meta(_File):
    """A ``message_1.json`` of Facebook or Instagram, its thread named behind the messages as in real ones."""

    file = "message_1.json"

    def written(self, messages: Iterable[Sent]) -> Iterator[str]:
        people = [{"name": f"{SECRET} Jos\u00c3\u00a9"}, {"name": "The Office"}]
        yield f'{{"participants": {json.dumps(people)}, "messages": ['
        yield from _joined(
            {
                "sender_name": people[0]["name"],
                "timestamp_ms": sent.seconds * 1000 if sent.fit else f"{SECRET} when",
                "content": sent.text,
            }
            for sent in messages
        )
        yield f'], "title": "{SECRET}", "thread_path": "inbox/{SECRET}_123"}}'


class LinkedIn(_File):
    """A ``messages.csv``."""

    file = "messages.csv"

    def written(self, messages: Iterable[Sent]) -> Iterator[str]:
        yield "CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,RECIPIENT PROFILE URLS,DATE,"
        yield "SUBJECT,CONTENT,FOLDER\n"
        for sent in messages:
            at = f"{sent.at:%Y-%m-%d %H:%M:%S} UTC" if sent.fit else f"{SECRET} when"
            person, own = (f"https://www.linkedin.com/in/{who}" for who in (SECRET, "the-office"))
            yield _line(["c1", SECRET, SECRET, person, "The Office", own, at, SECRET, sent.text, "INBOX"])


class PageSet(_File):
    """What an interface listed; no text of a message ever stands in it."""

    file = "messages-01112026000000-22112026000000.pages.jsonl"
    visibility = "public"
    holds_text = False

    def written(self, messages: Iterable[Sent]) -> Iterator[str]:
        yield '{"version": 1, "from": "2026-11-01T00:00:00Z", "to": "2026-11-22T00:00:00Z"}\n'
        records = 0
        for sent in messages:
            at = f"{sent.at:%Y-%m-%dT%H:%M:%SZ}" if sent.fit else f"{SECRET} when"
            yield json.dumps({"id": str(4138476039 + sent.number), "at": at, "state": "SENT", "profile": "115"}) + "\n"
            records += 1
            if records % 4 == 0:
                yield json.dumps({"next": f"{SECRET}:{records}", "records": records}) + "\n"
        yield json.dumps({"next": None, "records": records}) + "\n" + json.dumps({"end": records}) + "\n"


class Webhook(Adapter):
    """Events that wait in the inbox. What is unfit in them is turned away at the door and never waits."""

    takes_unfit = False

    def source(self, folder: Path) -> Source:
        return EventInbox("tested", "tested", self._database(folder))

    def block(self) -> str:
        return f'[[source]]\nname = "{NAME}"\nkind = "hootsuite-webhook"\n'

    def put(self, folder: Path, messages: Iterable[Sent]) -> None:
        with self._database(folder).write() as connection:
            for sent in messages:
                read = read_event(json.dumps(_event(sent)).encode(), sent.at)
                if isinstance(read, InboundEvent):
                    told = (read.received_at, read.message_id, read.network, read.channel, "c" * 22, "p" * 22)
                    assert inbox.keep(connection, "tested", read.key_digest, inbox.WaitingEvent(*told), sent.seconds)

    def hand_in(self, context: Context, folder: Path, messages: Iterable[Sent]) -> None:  # noqa: ARG002  # in no folder
        door = Door(NAME, bytes.fromhex(KEY))
        for sent in messages:
            receiver, body = Receiver(context, partial(_time_of, sent)), json.dumps(_event(sent)).encode()
            assert receiver.take(door, body, sign(body, KEY), "") == ("kept" if sent.fit else "unreadable")
            receiver.close()

    def _database(self, folder: Path) -> Database:
        path = folder / "inbox.db"
        database = open_database(f"sqlite:///{path}", create=not path.exists())
        with database.write() as connection:
            metadata.create_all(connection)
        return database


def _event(sent: Sent) -> dict[str, Any]:
    told = event(f"m{sent.number}", at=sent.at)
    told["data"]["message"]["text"] = sent.text
    return told if sent.fit else {**told, "timestamp": f"{SECRET} when"}


def _time_of(sent: Sent) -> datetime:
    return sent.at


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _joined(records: Iterable[Any]) -> Iterator[str]:
    for number, record in enumerate(records):
        yield ("," if number else "") + json.dumps(record)


ADAPTERS: tuple[Adapter, ...] = (
    Table(
        "hootsuite-inbox",
        ("Message ID", "Conversation ID", "Medium", "Contact Profile ID", "Created at", "Message Type", "Content"),
        {"Message ID": "m{n}", "Created at": "{at}", "Message Type": "dm", "Content": "{text}"},
        "%Y-%m-%d %H:%M:%S",
        preset="hootsuite-inbox",
        time_zone="UTC",
    ),
    Table(  # what a pickup has left in the landing folder; the pickup itself has tests of its own
        "sftp",
        ("Message ID", "Conversation ID", "Medium", "Contact Profile ID", "Created at", "Message Type", "Content"),
        {"Message ID": "m{n}", "Created at": "{at}", "Message Type": "dm", "Content": "{text}"},
        "%Y-%m-%d %H:%M:%S",
        kind="sftp",
        preset="hootsuite-inbox",
        time_zone="UTC",
        settle_seconds=60.0,
        host="sftp.example.org",
        user="export",
        host_key=f"SHA256:{'a' * 43}",
    ),
    Table(
        "ringcentral-engage",
        ("created_at", "source_type", "content_thread_id", "type", "id", "private_message", "author_id", "body"),
        {"id": "m{n}", "created_at": "{at}", "private_message": "1", "type": "DM", "body": "{text}"},
        "%Y-%m-%dT%H:%M+00:00",
        preset="ringcentral-engage",
        time_zone="UTC",
    ),
    Table(
        "brandwatch-engage",
        ("Item ID", "Platform", "Item Type", "Author ID", "Created Date", "Message"),
        {"Item ID": "m{n}", "Item Type": "Private Message", "Created Date": "{at}", "Message": "{text}"},
        "%d/%m/%Y %H:%M",
        preset="brandwatch-engage",
        time_zone="UTC",
        date_format="%d/%m/%Y %H:%M",
    ),
    Table(
        "sprout-social",
        ("Timestamp (ET)", "Network", "Message Type", "Message ID", "From", "Message"),
        {"Message ID": "m{n}", "Message Type": "Direct Message", "Timestamp (ET)": "{at}", "Message": "{text}"},
        "%m/%d/%Y %I:%M %p",
        preset="sprout-social",
        time_zone="UTC",
        date_format="%m/%d/%Y %I:%M %p",
    ),
    Table(
        "intercom",
        ("message_id", "message_body", "message_type", "message_created_at", "message_author_id", "conversation_id"),
        {"message_id": "m{n}", "message_type": "comment", "message_created_at": "{at}", "message_body": "{text}"},
        "%Y-%m-%d %H:%M:%S",
        preset="intercom",
        time_zone="UTC",
    ),
    X("x-archive", kind="archive", preset="x-archive", own_account="7"),
    Meta("facebook-archive", kind="archive", preset="facebook-archive", own_account="The Office"),
    Meta("instagram-archive", kind="archive", preset="instagram-archive", own_account="The Office"),
    LinkedIn("linkedin-archive", kind="archive", preset="linkedin-archive", own_account="linkedin.com/in/the-office"),
    PageSet(
        "hootsuite-api",
        kind="hootsuite-api",
        url="https://127.0.0.1:9",
        client_id="nobody",
        grant="organization_app",
        organization_id="1",
        upstream="none",
    ),
    Webhook("hootsuite-webhook"),
)
"""Every source of this version."""
