"""What becomes of a webhook call by its bytes alone: who may send, and what is read."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.errors import ConfigError
from retention.ingest.inbox import KEYS_KEPT
from retention.service.door import Door, open_door
from retention.service.event import WINDOW, InboundEvent, Outcome, read_event
from retention.settings.source import SourceSettings
from tests.receiver import event, sign

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = bytes.fromhex("0f" * 32)
SIGNED = Door("hook", SECRET)
BASIC = Door("hook", b"correct horse battery", "inbox")


def read(told: object) -> InboundEvent | Outcome:
    return read_event(json.dumps(told).encode(), NOW)


def without(key: str, told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != key}


def test_keys_are_kept_for_longer_than_an_event_is_taken() -> None:
    assert KEYS_KEPT > 2 * WINDOW


def test_signature_is_that_of_rfc_4231() -> None:
    door = Door("hook", bytes.fromhex("0b" * 20))
    told = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    assert door.lets_in(b"Hi There", told, "")
    assert door.lets_in(b"Hi There", told.upper(), "")
    assert not door.lets_in(b"Hi There ", told, "")


@given(body=st.binary(max_size=50), signature=st.text(max_size=80))
def test_no_other_text_is_a_signature(body: bytes, signature: str) -> None:
    assert SIGNED.lets_in(body, sign(body), "")
    assert SIGNED.lets_in(body, signature, "") == (signature.strip().lower() == sign(body))


def test_password_does_not_open_a_door_that_asks_for_a_signature() -> None:
    pair = base64.b64encode(b"hook:" + SECRET).decode()
    assert not SIGNED.lets_in(b"{}", "", f"Basic {pair}")


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("Basic " + base64.b64encode(b"inbox:correct horse battery").decode(), True),
        ("basic " + base64.b64encode(b"inbox:correct horse battery").decode(), True),
        ("Basic " + base64.b64encode(b"inbox:correct horse").decode(), False),
        ("Basic " + base64.b64encode(b"other:correct horse battery").decode(), False),
        ("Bearer " + base64.b64encode(b"inbox:correct horse battery").decode(), False),
        ("Basic %%%", False),
        ("Basic é", False),
        ("", False),
    ],
)
def test_only_the_right_pair_opens_a_door_with_a_password(authorization: str, expected: bool) -> None:  # noqa: FBT001  # a case
    assert BASIC.lets_in(b"{}", sign(b"{}"), authorization) is expected


@pytest.mark.parametrize(
    ("auth", "secret", "said"),
    [
        ("signature", None, 'no credential "the.hook-secret"'),
        ("signature", "0f" * 15, "at least 32 hexadecimal digits"),
        ("signature", "0f" * 16 + "0", "at least 32 hexadecimal digits"),
        ("signature", "secret word " * 4, "at least 32 hexadecimal digits"),
        ("basic", "short", "at least 12 characters"),
    ],
)
def test_unfit_credential_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, auth: str, secret: str | None, said: str
) -> None:
    if secret is not None:
        monkeypatch.setenv("RETENTION_THE_HOOK_SECRET", secret)
    source = {"name": "the.hook", "kind": "hootsuite-webhook", "auth": auth}
    settings = SourceSettings.model_validate({**source, **({"username": "inbox"} if auth == "basic" else {})})
    with pytest.raises(ConfigError, match=said) as raised:
        open_door(settings)
    assert secret is None or secret not in str(raised.value)


def test_only_what_the_register_needs_is_read() -> None:
    read_one = read(event(at=NOW))
    assert isinstance(read_one, InboundEvent)
    assert (read_one.message_id, read_one.conversation_id, read_one.contact_id) == (
        "message-1",
        "conversation-1",
        "contact-1",
    )
    assert (read_one.network, read_one.channel) == ("fb", "Office page")
    assert read_one.received_at == int(NOW.timestamp())
    assert "message-1" not in repr(read_one)
    assert "key-of" not in read_one.key_digest


def test_published_example_of_a_timestamp_is_read() -> None:
    at = datetime(2022, 4, 28, 9, 43, 26, tzinfo=UTC)
    told = event(at=at, timestamp="2022-04-28T09:43:26.635984618Z")
    assert isinstance(read_event(json.dumps(told).encode(), at), InboundEvent)


@pytest.mark.parametrize("minutes", [-5, 5, 0])
def test_event_is_taken_to_the_ends_of_the_window(minutes: int) -> None:
    assert isinstance(read(event(at=NOW + timedelta(minutes=minutes))), InboundEvent)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_event_of_another_time_is_stale_in_both_directions(seconds: int) -> None:
    assert read(event(at=NOW + timedelta(seconds=seconds))) is Outcome.STALE


@pytest.mark.parametrize("kind", ["CONVERSATION_STARTED", "CONVERSATION_DELEGATED"])
def test_events_about_conversations_are_passed_over(kind: str) -> None:
    assert read(event(at=NOW, type=kind)) is Outcome.PASSED_OVER
    assert read(event(at=NOW - timedelta(hours=1), type=kind)) is Outcome.STALE


@pytest.mark.parametrize(
    "changes", [{"type": "CONVERSATION_TELEPORTED"}, {"type": 7}, {"type": None}, {"version": 2}, {"version": "1"}]
)
def test_what_is_new_is_no_error(changes: dict[str, Any]) -> None:
    assert read({**event(at=NOW), **changes}) is Outcome.UNKNOWN


def test_new_fields_are_passed_over() -> None:
    told = event(at=NOW, sentiment={"value": "good"})
    told["data"]["trigger"] = {"type": "STORY", "action": "REPLY"}
    assert isinstance(read(told), InboundEvent)


def test_event_without_what_no_rule_needs_is_kept() -> None:
    told = event(at=NOW)
    told["data"] = {"message": {"messageId": "message-1"}}
    read_one = read(told)
    assert isinstance(read_one, InboundEvent)
    assert (read_one.conversation_id, read_one.contact_id, read_one.network, read_one.channel) == ("", "", "", "")


@pytest.mark.parametrize(
    "told",
    [
        [],
        "text",
        None,
        7,
        without("timestamp", event(at=NOW)),
        without("idempotencyKey", event(at=NOW)),
        without("data", event(at=NOW)),
        event(at=NOW, timestamp="yesterday"),
        event(at=NOW, timestamp="2026-11-22T12:00:00"),
        event(at=NOW, timestamp=1763812800),
        event(at=NOW, timestamp="0001-01-01T00:00:00+14:00"),
        event(at=NOW, idempotencyKey=""),
        event(at=NOW, idempotencyKey=7),
        event("", at=NOW),
        event("x" * 513, at=NOW),
        event("a\x00b", at=NOW),
        event("a\ud800b", at=NOW),
        event(at=NOW, data={"message": {"messageId": 7}}),
        event(at=NOW, data={"message": {"messageId": "1"}, "conversationId": ["a"]}),
        event(at=NOW, data={"message": {"messageId": "1"}, "medium": {"id": "x" * 201}}),
    ],
)
def test_what_cannot_be_read_is_told_apart(told: object) -> None:
    assert read(told) is Outcome.UNREADABLE


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 60_000, b'{"a": ' + b"9" * 5000 + b"}", b"NaN"])
def test_what_is_not_json_is_told_apart(body: bytes) -> None:
    assert read_event(body, NOW) is Outcome.UNREADABLE


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    )
)
def test_any_json_has_an_outcome(value: object) -> None:
    for told in (value, event(at=NOW, data=value), event(at=NOW, timestamp=value), event(at=NOW, type=value)):
        assert isinstance(read(told), InboundEvent | Outcome)
