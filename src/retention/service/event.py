"""Read one event of Hootsuite Inbox: bytes and an instant in, what to do out. No value of it is ever told.

What is new to us is no error, as its documentation asks: unknown types, versions and fields are taken and passed over.
Only INBOUND_MESSAGE_RECEIVED speaks of a message. Its text is not looked at.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from retention.model import to_epoch

WINDOW = timedelta(minutes=5)
"""How far an event's time may be from ours, in both directions."""

RECEIVED = "INBOUND_MESSAGE_RECEIVED"
_OTHERS = frozenset({"CONVERSATION_STARTED", "CONVERSATION_DELEGATED"})
_VERSION = 1
_LONGEST_ID, _LONGEST_CLASS = 512, 200  # as in every other source
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Outcome(StrEnum):
    """What became of one call; each is counted."""

    KEPT = "kept"
    REPEATED = "repeated"
    PASSED_OVER = "passed_over"
    UNKNOWN = "unknown"
    STALE = "stale"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """What is needed of an event that tells of a message. ``received_at`` is epoch seconds UTC."""

    key_digest: str
    received_at: int
    message_id: str = field(repr=False)
    conversation_id: str = field(repr=False)
    contact_id: str = field(repr=False)
    network: str
    channel: str


class _UnfitError(ValueError):
    """A field that is needed is missing or unfit."""


def read_event(body: bytes, now: datetime) -> InboundEvent | Outcome:
    """Read an event whose sender is known; gives what became of it where there is nothing to keep."""
    try:
        told = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return Outcome.UNREADABLE
    if not isinstance(told, dict):
        return Outcome.UNREADABLE
    kind = told.get("type")
    # True == 1, and neither is a version that anybody would send.
    if not isinstance(kind, str) or kind not in {RECEIVED, *_OTHERS} or told.get("version") != _VERSION:
        return Outcome.UNKNOWN
    try:
        sent_at = _instant(told.get("timestamp"))
        if abs(now - sent_at) > WINDOW:
            return Outcome.STALE
        return Outcome.PASSED_OVER if kind in _OTHERS else _inbound(told, sent_at)
    except _UnfitError:
        return Outcome.UNREADABLE


def _inbound(told: dict[str, object], sent_at: datetime) -> InboundEvent:
    data = _table(told, "data")
    key = told.get("idempotencyKey")
    if not isinstance(key, str) or not key:
        raise _UnfitError
    return InboundEvent(
        key_digest=hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest(),
        received_at=to_epoch(sent_at),
        message_id=_text(_table(data, "message"), "messageId", _LONGEST_ID, needed=True),
        conversation_id=_text(data, "conversationId", _LONGEST_ID),
        contact_id=_text(_table(data, "contactProfile"), "id", _LONGEST_ID),
        network=_text(_table(data, "medium"), "id", _LONGEST_CLASS).casefold(),
        channel=_text(_table(data, "channel"), "id", _LONGEST_CLASS),
    )


def _instant(text: object) -> datetime:
    try:
        instant = datetime.fromisoformat(text) if isinstance(text, str) else None
        if instant is None or instant.tzinfo is None:
            raise _UnfitError
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _UnfitError from None


def _table(told: dict[str, object], key: str) -> dict[str, object]:
    value = told.get(key)
    return value if isinstance(value, dict) else {}


def _text(told: dict[str, object], key: str, longest: int, *, needed: bool = False) -> str:
    value = told.get(key)
    if value is None and not needed:
        return ""
    text = value.strip() if isinstance(value, str) else ""
    if (needed and not text) or not isinstance(value, str) or len(text) > longest or _UNFIT.search(text):
        raise _UnfitError
    return text
