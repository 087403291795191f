"""Direct messages of an archive of X, formerly Twitter: ``data/direct-messages.js`` and ``direct-messages-group.js``.

Each file assigns one JSON array to a variable. Besides messages it lists events such as somebody joining a group; they
are no messages and are passed over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retention.errors import FileRefusedError
from retention.sources.archive.jsonstream import JsonRecords
from retention.sources.archive.messages import DIRECT, GROUP, needed, plain
from retention.sources.files.bytestream import GuardedBytes
from retention.sources.files.fields import FieldError
from retention.sources.files.unpack import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.sources.archive.jsonstream import Record, Value
    from retention.sources.archive.messages import Messages
    from retention.sources.files.source import Element
    from retention.sources.files.unpack import Member

_PART = re.compile(r"direct-messages?(-group)?(-part[0-9]+)?\.js", re.IGNORECASE)
_ASSIGNMENT = re.compile(rb"(?:\xef\xbb\xbf)?\s*window\.YTD\.direct_messages?(?P<group>_group)?\.part[0-9]+\s*=\s*")
_HEAD = 300
_MESSAGE = "messageCreate"
_EVENTS = frozenset(
    {"joinConversation", "participantsJoin", "participantsLeave", "conversationNameUpdate", "reactionCreate"},
)
_ID, _SENDER, _RECIPIENT, _AT = (f"{_MESSAGE}.{key}" for key in ("id", "senderId", "recipientId", "createdAt"))
_FIELDS = frozenset({_MESSAGE, _ID, _SENDER, _RECIPIENT, _AT}) | _EVENTS
_CONVERSATION = "item.dmConversation.conversationId"

WANTED = Wanted(
    (".js", ".js.gz", ".zip"),
    lambda name: _PART.fullmatch(name.rsplit("/", 1)[-1]) is not None,
    "direct-messages.js or direct-messages-group.js",
)
"""Files and parts of archives that hold direct messages."""


def read(member: Member, messages: Messages) -> Iterator[Element]:
    """Stream the messages of one file; raises FileRefusedError where it is another file or damaged."""
    with member.open() as opened:
        stream = GuardedBytes(opened)
        begun = _head(stream)
        assignment = _ASSIGNMENT.match(begun)
        if assignment is None:
            reason = "does not begin as a list of direct messages does: window.YTD.direct_messages.part0 = ["
            raise FileRefusedError(reason, line=1)
        records = JsonRecords(
            stream, "item.dmConversation.messages.item", _FIELDS, around=(_CONVERSATION,), anew="item"
        )
        for number, record in records.read(begun[assignment.end() :]):
            try:
                element = _message(number, record, records.around[_CONVERSATION], messages)
            except FieldError as error:
                element = messages.problem(number, error.field, error.reason)
            if element is not None:
                yield element
        if records.begins_with != "start_array":
            reason = "holds no list of conversations"
            raise FileRefusedError(reason, line=1)


def _head(stream: GuardedBytes) -> bytes:
    begun = b""
    while len(begun) < _HEAD and (portion := stream.read(_HEAD)):
        begun += portion
    return begun


def _message(number: int, record: Record | None, conversations: list[Value], messages: Messages) -> Element | None:
    if record is None or _MESSAGE not in record:
        if record is not None and not _EVENTS.isdisjoint(record):
            return None
        return messages.problem(number, None, "is neither a message nor an event that is known")
    conversation = needed("conversationId", conversations[-1] if conversations else "")
    message_id = needed(_ID, record.get(_ID))
    received_at = messages.instant(_AT, plain(record.get(_AT)))
    sender, recipient = needed(_SENDER, record.get(_SENDER)), plain(record.get(_RECIPIENT))
    return messages.message(
        number,
        message_id=message_id,
        conversation=("conversationId", conversation),
        contact=(_SENDER, messages.contact(sender, [recipient] if recipient else [])),
        received_at=received_at,
        sender_is_own=messages.is_own(sender),
        message_type=DIRECT if recipient else GROUP,
    )
