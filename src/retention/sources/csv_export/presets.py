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

PRESETS: Mapping[str, CsvFormat] = MappingProxyType({"hootsuite-inbox": _HOOTSUITE_INBOX})
"""Every preset by the name it has in the configuration."""
