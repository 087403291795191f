"""Exports in the manner of other tools need a mapping in the configuration and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from retention.model import IncomingMessage, MessageClass, from_epoch, iso
from retention.sources.catalog import build_source
from tests.unit.sources_kit import read_path

if TYPE_CHECKING:
    from pathlib import Path

Case = tuple[dict[str, Any], str, MessageClass, str]

RINGCENTRAL_ENGAGE: Case = (
    {
        "columns": {
            "message_id": "id",
            "conversation_id": "thread_id",
            "contact": "author_id",
            "network": "source_type",
            "channel": "source_name",
            "received_at": "created_at",
            "message_type": "type",
        },
        "private_when": {"column": "private", "equals": ["true", "1"]},
        "time_zone": "Europe/Paris",
        "delimiter": ";",
    },
    (
        "id;created_at;thread_id;author_id;source_type;source_name;type;private;body\r\n"
        '5f1;2026-07-01T10:20:30+02:00;t1;a1;Twitter;ONS;tweet/dm;true;"Bonjour; ça va ?"\r\n'
        "5f2;2026-07-01T10:20:30+02:00;t2;a2;Twitter;ONS;tweet;false;hello\r\n"
    ),
    MessageClass("tool", "twitter", "ONS", "", "private", "tweet/dm"),
    "2026-07-01T08:20:30Z",
)

BRANDWATCH_ENGAGE: Case = (
    {
        "columns": {
            "message_id": "Item ID",
            "contact": "Author ID",
            "network": "Platform",
            "channel": "Channel",
            "direction": "Item Direction",
            "received_at": "Created Date",
            "message_type": "Item Type",
        },
        "private_when": {"column": "Item Type", "contains": ["private", "direct"]},
        "date_format": "%d/%m/%Y %H:%M",
        "time_zone": "Europe/London",
    },
    (
        "Item ID,Platform,Channel,Item Type,Item Direction,Author ID,Created Date,Message\n"
        "77001,Facebook,Office,Private Message,Incoming,1234,01/07/2026 10:20,hi\n"
        "77002,Facebook,Office,Comment,Incoming,1235,01/07/2026 10:21,hi\n"
    ),
    MessageClass("tool", "facebook", "Office", "incoming", "private", "private message"),
    "2026-07-01T09:20:00Z",
)

SPROUT_SOCIAL: Case = (
    {
        "columns": {
            "message_id": "Message ID",
            "conversation_id": "Conversation ID",
            "contact": "From",
            "network": "Network",
            "channel": "Profile",
            "received_at": "Timestamp (ET)",
            "message_type": "Message Type",
        },
        "private_when": {"column": "Message Type", "contains": ["direct message", "dm", "private"]},
        "date_format": "%m/%d/%Y %I:%M %p",
        "time_zone": "America/New_York",
    },
    (
        "Timestamp (ET),Network,Message Type,Message ID,Conversation ID,Profile,From,Message\n"
        '07/01/2026 06:20 AM,Instagram,Instagram Direct Message,ig-1,cv-1,@ons,u-9,"line one\nline two"\n'
        "07/01/2026 06:21 AM,Instagram,Instagram Comment,ig-2,cv-2,@ons,u-9,x\n"
    ),
    MessageClass("tool", "instagram", "@ons", "", "private", "instagram direct message"),
    "2026-07-01T10:20:00Z",
)

INTERCOM: Case = (
    {
        "columns": {
            "message_id": "Conversation Part ID",
            "conversation_id": "Conversation ID",
            "contact": "User ID",
            "network": "Channel",
            "direction": "Author type",
            "received_at": "Created at (UTC)",
        },
        "private_when": {"column": "Part type", "equals": "comment"},
        "date_format": "%Y-%m-%d %H:%M:%S %z",
        "time_zone": "UTC",
        "delimiter": "\t",
    },
    (
        "\ufeffConversation ID\tConversation Part ID\tUser ID\tChannel\tAuthor type\tPart type\tCreated at (UTC)\n"
        "21\t9001\tu1\tFacebook\tuser\tcomment\t2026-07-01 10:20:30 +0000\n"
        "21\t9002\tu1\tFacebook\tadmin\tassignment\t2026-07-01 10:20:31 +0000\n"
    ),
    MessageClass("tool", "facebook", "", "user", "private", ""),
    "2026-07-01T10:20:30Z",
)


@pytest.mark.parametrize(
    ("mapping", "text", "message_class", "received_at"),
    [RINGCENTRAL_ENGAGE, BRANDWATCH_ENGAGE, SPROUT_SOCIAL, INTERCOM],
    ids=["ringcentral-engage", "brandwatch-engage", "sprout-social", "intercom"],
)
def test_a_mapping_is_enough(
    tmp_path: Path,
    mapping: dict[str, Any],
    text: str,
    message_class: MessageClass,
    received_at: str,
) -> None:
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8", newline="")
    private, public = read_path(build_source("csv-export", name="tool", path=tmp_path, **mapping), path)
    assert isinstance(private, IncomingMessage)
    assert isinstance(public, IncomingMessage)
    assert private.message_class == message_class
    assert iso(from_epoch(private.received_at)) == received_at
    assert public.message_class.visibility == "public"
