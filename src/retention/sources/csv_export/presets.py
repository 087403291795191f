"""Formats that are known by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from retention.sources.csv_export.format import ColumnMatch, CsvFormat

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIVATE_WORDS = ("private", "dm")
"""Message types of private messages contain one of these."""

PUBLIC_WORDS = ("comment", "post")
"""Message types of public messages contain one of these."""


def matches_by_words(column: str) -> tuple[ColumnMatch, ColumnMatch]:
    """Give the tests for private and for public messages by the usual words in a column of message types."""
    return ColumnMatch(column, contains=PRIVATE_WORDS), ColumnMatch(column, contains=PUBLIC_WORDS)


_PRIVATE, _PUBLIC = matches_by_words("Message Type")

# The message export of Hootsuite Inbox. Customers can have columns added, and older exports lack some.
_HOOTSUITE_INBOX = CsvFormat(
    columns=MappingProxyType(
        {
            "message_id": "Message ID",
            "conversation_id": "Conversation ID",
            "contact": "Contact Profile ID",
            "network": "Medium",
            "channel": "Channel",
            "direction": "Direction",
            "received_at": "Created at",
            "message_type": "Message Type",
        },
    ),
    required=frozenset({"message_id", "received_at", "message_type"}),
    private_when=_PRIVATE,
    public_when=_PUBLIC,
)

# The export "messages" of RingCentral Engage Digital, once Dimelo. Booleans are spelled in the language of the user who
# exports; automated exports write 1 and 0 and ISO 8601. It has no column for the direction.
_RINGCENTRAL_ENGAGE = CsvFormat(
    columns=MappingProxyType(
        {
            "message_id": "id",
            "conversation_id": "content_thread_id",
            "contact": "author_id",
            "network": "source_type",
            "channel": "source_name",
            "received_at": "created_at",
            "message_type": "type",
        },
    ),
    required=frozenset({"message_id", "received_at"}),
    private_when=ColumnMatch("private_message", equals=("true", "1", "vrai", "oui", "yes")),
    public_when=ColumnMatch("private_message", equals=("false", "0", "faux", "non", "no")),
)

_DIRECT_WORDS = ("private", "direct", "dm", "messenger")
_OPEN_WORDS = ("comment", "post", "mention", "public", "review", "tweet", "reply")

# Column names are guesses after the manner of the tool: its maker publishes none. A wrong guess refuses the file.
_BRANDWATCH_ENGAGE = CsvFormat(
    columns=MappingProxyType(
        {
            "message_id": "Item ID",
            "conversation_id": "Conversation ID",
            "contact": "Author ID",
            "network": "Platform",
            "channel": "Channel",
            "direction": "Item Direction",
            "received_at": "Created Date",
            "message_type": "Item Type",
        },
    ),
    required=frozenset({"message_id", "received_at", "message_type"}),
    private_when=ColumnMatch("Item Type", contains=_DIRECT_WORDS),
    public_when=ColumnMatch("Item Type", contains=_OPEN_WORDS),
)

# Guesses too.
_SPROUT_SOCIAL = CsvFormat(
    columns=MappingProxyType(
        {
            "message_id": "Message ID",
            "conversation_id": "Conversation ID",
            "contact": "From",
            "network": "Network",
            "channel": "Profile",
            "direction": "Direction",
            "received_at": "Timestamp (ET)",
            "message_type": "Message Type",
        },
    ),
    required=frozenset({"message_id", "received_at", "message_type"}),
    private_when=ColumnMatch("Message Type", contains=_DIRECT_WORDS),
    public_when=ColumnMatch("Message Type", contains=_OPEN_WORDS),
)

# One row a part of a conversation, as exporters for Intercom write it. All of a conversation is private; the parts that
# carry no text are only told apart so that they are not registered.
_INTERCOM = CsvFormat(
    columns=MappingProxyType(
        {
            "message_id": "message_id",
            "conversation_id": "conversation_id",
            "contact": "message_author_id",
            "direction": "message_author_type",
            "received_at": "message_created_at",
            "message_type": "message_type",
        },
    ),
    required=frozenset({"message_id", "received_at", "message_type"}),
    private_when=ColumnMatch(
        "message_type",
        equals=("conversation_message", "comment", "note", "open", "close", "assignment", "assign_and_reopen"),
    ),
    public_when=ColumnMatch("message_type", equals=("snoozed", "unsnoozed", "timer_unsnooze", "participant_added")),
)

PRESETS: Mapping[str, CsvFormat] = MappingProxyType(
    {
        "hootsuite-inbox": _HOOTSUITE_INBOX,
        "ringcentral-engage": _RINGCENTRAL_ENGAGE,
        "brandwatch-engage": _BRANDWATCH_ENGAGE,
        "sprout-social": _SPROUT_SOCIAL,
        "intercom": _INTERCOM,
    },
)
"""Every preset by the name it has in the configuration."""
