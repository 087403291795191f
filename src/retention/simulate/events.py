"""Webhook events as they are published: the signed ones of the Inbox and the unsigned ones of the REST API."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

from retention.simulate.clock import zulu
from retention.simulate.directory import ORGANIZATION

if TYPE_CHECKING:
    from retention.demo.exports import DemoMessage
    from retention.simulate.answers import Fields

SIGNATURE = "X-Hootsuite-Signature"
STARTED, DELEGATED, RECEIVED = "CONVERSATION_STARTED", "CONVERSATION_DELEGATED", "INBOUND_MESSAGE_RECEIVED"
TYPES = (STARTED, DELEGATED, RECEIVED)
_MESSAGE_EVENT = "com.hootsuite.messages.event.v1"


def signature(secret: str, body: bytes) -> str:
    """Sign a raw body: HMAC-SHA256 in hexadecimal, under a secret that is itself spelled in hexadecimal."""
    return hmac.digest(bytes.fromhex(secret), body, "sha256").hex()


def event_data(kind: str, message: DemoMessage) -> Fields:
    """Give the ``data`` of an Inbox event about a message; an unknown type gets that of a conversation."""
    told: Fields = {
        "conversationId": message.conversation_id,
        "medium": {"id": message.medium},
        "channel": {"id": message.channel, "name": message.channel_display_name},
        "contactProfile": {
            "id": message.contact_profile_id,
            "mediumContactProfileId": message.contact_profile_id[::-1],
            "primaryIdentifier": message.contact_primary,
            "secondaryIdentifier": message.contact_secondary,
            "pictureUrl": f"https://pictures.hootsuite.example/{message.contact_profile_id}.png",
        },
    }
    if kind == RECEIVED:
        told["message"] = {"messageId": message.message_id, "text": message.content}
        told["conversationTopics"] = [tag.strip() for tag in message.tags.split(",") if tag]
    else:
        told["language"] = "en"
        told["contactAttributes"] = [
            {"attribute": f"{message.medium}-profile-name", "value": message.contact_secondary, "source": "MEDIUM"}
        ]
    return told


def inbox_body(kind: str, key: str, sent_ms: int, data: Fields) -> bytes:
    """Spell an Inbox event."""
    event = {"type": kind, "version": 1, "idempotencyKey": key, "timestamp": zulu(sent_ms), "data": data}
    return json.dumps(event, ensure_ascii=False).encode()


def message_body(number: int, message_id: str, state: str, at_ms: int) -> bytes:
    """Spell an event of the REST API: a message changed its state."""
    data = {
        "state": state,
        "organization": {"id": ORGANIZATION},
        "message": {"id": message_id},
        "timestamp": zulu(at_ms),
    }
    return json.dumps({"seq_no": number, "type": _MESSAGE_EVENT, "data": data}).encode()
