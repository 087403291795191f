"""Webhooks: what is sent, how it is signed, and what happens when nobody answers well."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration_simulator.receiver import receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration_simulator.receiver import Heard, Receiver
    from tests.simulator import Simulator


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as there:
        yield there


def _set_up(simulator: Simulator, receiver: Receiver, **more: object) -> None:
    hook = {"url": f"{receiver.url}/inbox?x=1", "pause_seconds": 0, **more}
    simulator.control.did("/simulator/webhook", "PUT", **hook)


def _settled(simulator: Simulator) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = simulator.control.got("/simulator/deliveries", wait="true")["deliveries"]
    return told


def _is_signed(heard: Heard, secret: str) -> bool:
    expected = hmac.new(bytes.fromhex(secret), heard.body, hashlib.sha256).hexdigest()
    return heard.headers["X-Hootsuite-Signature"] == expected


def test_a_private_message_that_comes_in_is_told_and_signed(simulator: Simulator, receiver: Receiver) -> None:
    _set_up(simulator, receiver)
    added = simulator.control.did("/simulator/inbox/messages", content="Grüße")["messages"][0]
    assert [delivery["delivered"] for delivery in _settled(simulator)] == [True, True]
    assert [heard.event["type"] for heard in receiver.heard] == ["CONVERSATION_STARTED", "INBOUND_MESSAGE_RECEIVED"]
    assert all(_is_signed(heard, simulator.told["webhook_secret"]) for heard in receiver.heard)
    event = receiver.heard[1].event
    assert (receiver.heard[1].path, event["version"]) == ("/inbox?x=1", 1)
    assert event["timestamp"] == "2026-11-22T12:00:00Z"
    assert event["data"]["message"] == {"messageId": added["message_id"], "text": "Grüße"}
    assert event["data"]["conversationId"] == added["conversation_id"]


def test_public_and_outbound_messages_are_not_told(simulator: Simulator, receiver: Receiver) -> None:
    _set_up(simulator, receiver)
    for more in ({"visibility": "public"}, {"direction": "outbound"}, {"deliver": False}):
        simulator.control.did("/simulator/inbox/messages", **more)
    assert _settled(simulator) == []


def test_a_failed_call_is_made_again_three_times_under_the_same_key(simulator: Simulator, receiver: Receiver) -> None:
    _set_up(simulator, receiver)
    receiver.statuses += [500, 503, 401]
    message = simulator.control.did("/simulator/inbox/messages", deliver=False)["messages"][0]
    told = {"type": "CONVERSATION_DELEGATED", "message_ids": [message["message_id"]]}
    simulator.control.did("/simulator/webhook/deliver", **told)
    (delivery,) = _settled(simulator)
    assert delivery["delivered"] is True
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 503, 401, 200]
    assert {heard.event["idempotencyKey"] for heard in receiver.heard} == {delivery["key"]}


def test_after_four_failures_people_take_the_conversation_over(simulator: Simulator, receiver: Receiver) -> None:
    _set_up(simulator, receiver)
    receiver.statuses += [500] * 8
    message = simulator.control.did("/simulator/inbox/messages")["messages"][0]
    assert [delivery["delivered"] for delivery in _settled(simulator)] == [False, False]
    assert len(receiver.heard) == 8
    path = f"/inbox/v1/virtual-agent/conversations/{message['conversation_id']}"
    assert simulator.organization().ask("POST", path, json={}).status_code == 404


def test_a_receiver_that_is_not_there_is_named_in_the_log(simulator: Simulator) -> None:
    simulator.control.did("/simulator/webhook", "PUT", url="http://127.0.0.1:1/", pause_seconds=0, retries=1)
    simulator.control.did("/simulator/inbox/messages", conversation_id="c1")
    delivery, _ = _settled(simulator)
    assert [attempt["problem"] for attempt in delivery["attempts"]] == ["ConnectionRefusedError"] * 2


def test_what_the_receiver_answers_is_done(simulator: Simulator, receiver: Receiver) -> None:
    _set_up(simulator, receiver)
    receiver.answer = {"sendMessage": {"text": "One moment"}}
    simulator.control.did("/simulator/inbox/messages", conversation_id="c1")
    _settled(simulator)
    listed = simulator.control.got("/simulator/inbox/messages", **{"from": "2026-11-22T12:00:00Z"})["messages"]
    assert [message["direction"] for message in listed] == ["inbound", "outbound", "outbound"]
    assert [message["content"] == "One moment" for message in listed] == [False, True, True]


def test_basic_and_oauth_are_alternatives_to_the_signature(simulator: Simulator, receiver: Receiver) -> None:
    login = {"auth": "basic", "username": "user", "password": "pass"}
    _set_up(simulator, receiver, **login)
    simulator.control.did("/simulator/inbox/messages", conversation_id="c1")
    _settled(simulator)
    login = {"auth": "oauth", "token_url": f"{receiver.url}/token", "username": "id", "password": "secret"}
    _set_up(simulator, receiver, **login)
    simulator.control.did("/simulator/inbox/messages", conversation_id="c1")
    _settled(simulator)
    _, basic, token, oauth = receiver.heard
    assert basic.headers["Authorization"] == f"Basic {base64.b64encode(b'user:pass').decode()}"
    assert (token.path, token.body) == ("/token", b"grant_type=client_credentials")
    assert token.headers["Authorization"] == f"Basic {base64.b64encode(b'id:secret').decode()}"
    assert oauth.headers["Authorization"] == "Bearer token-3"
    assert "X-Hootsuite-Signature" not in basic.headers


def test_what_comes_in_as_time_passes_is_told(simulator: Simulator, receiver: Receiver) -> None:
    _set_up(simulator, receiver)
    simulator.control.did("/simulator/clock", advance_seconds=12 * 86_400)
    asked = {"from": "2026-11-22T12:00:01Z", "visibility": "private", "direction": "inbound"}
    came = simulator.control.got("/simulator/inbox/messages", **asked)["messages"]
    events = [delivery["type"] for delivery in _settled(simulator)]
    assert events.count("INBOUND_MESSAGE_RECEIVED") == len(came) > 0
    assert events.count("CONVERSATION_STARTED") == len({message["conversation_id"] for message in came})


def test_calls_can_be_tampered_with(simulator: Simulator, receiver: Receiver) -> None:
    _set_up(simulator, receiver)
    message = simulator.control.did("/simulator/inbox/messages", deliver=False)["messages"][0]
    for tamper in ("signature", "timestamp", "duplicate"):
        told = {"message_ids": [message["message_id"]], "tamper": tamper, "type": "SOMETHING_NEW"}
        simulator.control.did("/simulator/webhook/deliver", **told)
    _settled(simulator)
    secret = simulator.told["webhook_secret"]
    forged, stale, first, second = receiver.heard
    assert [_is_signed(heard, secret) for heard in receiver.heard] == [False, True, True, True]
    assert stale.event["timestamp"] == "2026-11-22T11:50:00Z"
    assert first.event["idempotencyKey"] == second.event["idempotencyKey"] != forged.event["idempotencyKey"]


def test_a_message_of_ours_tells_its_states_unsigned(simulator: Simulator, receiver: Receiver) -> None:
    client = simulator.organization()
    body = {"text": "x", "socialProfileIds": ["115185509"], "webhookUrls": [f"{receiver.url}/rest"]}
    made = client.did("/v1/messages", **body, scheduledSendTime="2026-11-22T12:30:00Z")["data"][0]
    simulator.control.did("/simulator/clock", advance_seconds=3600)
    _settled(simulator)
    events = [heard.event for heard in receiver.heard]
    assert [event["data"]["state"] for event in events] == ["SCHEDULED", "SENT"]
    assert [event["seq_no"] for event in events] == [1, 2]
    assert {event["type"] for event in events} == {"com.hootsuite.messages.event.v1"}
    assert {event["data"]["message"]["id"] for event in events} == {made["id"]}
    assert events[0]["data"]["organization"] == {"id": simulator.told["organization_id"]}
    assert "X-Hootsuite-Signature" not in receiver.heard[0].headers


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "https://example.org/", "ftp://127.0.0.1/", "127.0.0.1"])
def test_nothing_is_sent_to_another_machine(simulator: Simulator, url: str) -> None:
    assert simulator.control.ask("PUT", "/simulator/webhook", json={"url": url}).status_code == 400
    body = {"text": "x", "socialProfileIds": ["115185509"], "webhookUrls": [url]}
    assert simulator.organization().ask("POST", "/v1/messages", json=body).status_code == 400
