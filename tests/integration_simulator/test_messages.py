"""Outbound messages: listing by cursor, states by the clock, partial failures, deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulator import Client, Simulator

WINDOW = {"startTime": "2026-11-01T00:00:00Z", "endTime": "2026-11-29T00:00:00Z"}


def _pages(client: Client, **query: object) -> list[list[dict[str, Any]]]:
    pages, cursor = [], None
    while True:
        asked = {**WINDOW, **query, **({"cursor": cursor} if cursor else {})}
        page = client.got("/v1/messages", **asked)
        pages.append(page["data"])
        cursor = page["metadata"]["cursor"]["next"]
        if cursor is None:
            return pages


def _codes(client: Client, path: str, **query: object) -> tuple[int, int]:
    answer = client.ask("GET", path, params=query)
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_pages_hold_every_message_once_in_order_of_time(simulator: Simulator) -> None:
    client = simulator.organization()
    pages = _pages(client, limit=7)
    listed = [message for page in pages for message in page]
    assert {len(page) for page in pages[:-1]} == {7}
    assert len({message["id"] for message in listed}) == len(listed) > 30
    times = [message["scheduledSendTime"] for message in listed]
    assert times == sorted(times)
    assert listed == [message for page in _pages(client, limit=100) for message in page]


def test_the_previous_cursor_leads_back(simulator: Simulator) -> None:
    client = simulator.organization()
    first = client.got("/v1/messages", **WINDOW, limit=5)
    second = client.got("/v1/messages", **WINDOW, limit=5, cursor=first["metadata"]["cursor"]["next"])
    back = client.got("/v1/messages", **WINDOW, limit=5, cursor=second["metadata"]["cursor"]["previous"])
    assert first["metadata"]["cursor"]["previous"] is None
    assert back["data"] == first["data"]
    assert back["metadata"]["cursor"]["previous"] is None


def test_a_cursor_stays_good_while_messages_are_added_and_deleted(simulator: Simulator) -> None:
    client = simulator.organization()
    before = [message["id"] for page in _pages(client) for message in page]
    first = client.got("/v1/messages", **WINDOW, limit=10)
    last = first["data"][-1]["id"]
    simulator.control.did("/simulator/outbound", count=25, at="2026-11-01T00:00:00Z")
    assert client.ask("DELETE", f"/v1/messages/{last}").status_code == 200
    rest, cursor = [], first["metadata"]["cursor"]["next"]
    while cursor:
        page = client.got("/v1/messages", **WINDOW, cursor=cursor)
        rest += [message["id"] for message in page["data"]]
        cursor = page["metadata"]["cursor"]["next"]
    assert [message["id"] for message in first["data"]] + rest == before


@pytest.mark.parametrize("state", ["SCHEDULED", "SENT", "PENDING_APPROVAL", "REJECTED", "SEND_FAILED_PERMANENTLY"])
def test_a_filter_finds_what_the_whole_listing_has(simulator: Simulator, state: str) -> None:
    simulator.reset(messages=3000)
    client = simulator.organization()
    whole = [message for page in _pages(client, limit=100) for message in page]
    profiles = {message["socialProfile"]["id"] for message in whole}
    chosen = sorted(profiles)[:2]
    expected = [m for m in whole if m["state"] == state and m["socialProfile"]["id"] in chosen]
    found = [m for page in _pages(client, limit=100, state=state, socialProfileIds=chosen) for m in page]
    assert found == expected != []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 4000),
        ({**WINDOW, "endTime": "2026-11-29T00:00:01Z"}, 40020),
        ({**WINDOW, "endTime": "2026-10-01T00:00:00Z"}, 4000),
        ({**WINDOW, "startTime": "2026-11-01T00:00:00"}, 4000),
        ({**WINDOW, "state": "DRAFT"}, 40019),
        ({**WINDOW, "limit": "101"}, 4000),
        ({**WINDOW, "limit": "0"}, 4000),
        ({**WINDOW, "cursor": "nonsense"}, 3020),
        ({**WINDOW, "includeUnscheduledReviewMsgs": "yes"}, 40022),
        ({**WINDOW, "socialProfileIds": "abc"}, 4000),
    ],
)
def test_a_wrong_listing_is_refused(simulator: Simulator, query: dict[str, str], code: int) -> None:
    assert _codes(simulator.organization(), "/v1/messages", **query) == (400, code)


def test_one_message_is_made_for_each_profile_and_the_others_are_errors_beside_them(simulator: Simulator) -> None:
    client = simulator.organization()
    profiles = client.got("/v1/socialProfiles")["data"]
    good = [profile["id"] for profile in profiles if profile["type"] in {"FACEBOOKPAGE", "TWITTER"}][:3]
    body = {"text": "Out today", "socialProfileIds": [*good, "1"], "scheduledSendTime": "2026-11-22T13:00:00Z"}
    answer = client.did("/v1/messages", **body)
    assert [message["socialProfile"]["id"] for message in answer["data"]] == good
    assert [error["resource"] for error in answer["errors"]] == [{"type": "socialProfile", "id": "1"}]
    number = answer["data"][0]["id"]
    assert client.got(f"/v1/messages/{number}")["data"]["state"] == "SCHEDULED"
    simulator.control.did("/simulator/clock", advance_seconds=3600)
    client = simulator.organization()  # an hour is longer than a token lives
    sent = client.got(f"/v1/messages/{number}")["data"]
    assert (sent["state"], "postId" in sent) == ("SENT", True)
    steps = client.got(f"/v1/messages/{number}/history")["data"]["actions"]
    assert [step["actionType"] for step in steps] == ["CREATE", "SEND"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": "x"}, 2306),
        ({"socialProfileIds": ["115185509"]}, 4000),
        ({"text": "x", "socialProfileIds": ["115185509"], "scheduledSendTime": "2026-11-22T13:00:00+01:00"}, 4000),
        ({"text": "x", "socialProfileIds": ["115185509"], "scheduledSendTime": "2026-11-22T11:00:00Z"}, 4000),
        ({"text": "x", "socialProfileIds": ["115185583", "115185620"]}, 40023),
        ({"text": "x", "socialProfileIds": ["1"]}, 4001),
        ({"text": "x", "socialProfileIds": ["115185509"], "media": [{"id": "unknown"}]}, 4000),
        ({"text": "x", "socialProfileIds": ["115185509"], "media": 1}, 4000),
        ({"text": 1, "socialProfileIds": ["115185509"]}, 4000),
    ],
)
def test_a_message_that_cannot_be_made_is_refused(simulator: Simulator, body: dict[str, object], code: int) -> None:
    answer = simulator.organization().ask("POST", "/v1/messages", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


def test_a_message_that_waits_unscheduled_is_listed_on_request_only(simulator: Simulator) -> None:
    client = simulator.organization()
    linkedin = [p["id"] for p in client.got("/v1/socialProfiles")["data"] if p["type"] == "LINKEDINCOMPANY"]
    made = client.did("/v1/messages", text="Now", socialProfileIds=linkedin)["data"][0]
    assert (made["state"], made["sequenceNumber"]) == ("PENDING_APPROVAL", 1)
    known = {message["id"] for page in _pages(client, limit=100) for message in page}
    more = {m["id"] for page in _pages(client, limit=100, includeUnscheduledReviewMsgs="true") for m in page}
    assert more - known == {made["id"]}
    refused = client.ask("POST", f"/v1/messages/{made['id']}/approve", json={"sequenceNumber": 2})
    assert refused.status_code == 400
    client.did(f"/v1/messages/{made['id']}/approve", sequenceNumber=1)
    assert client.got(f"/v1/messages/{made['id']}")["data"]["state"] == "SENT"


def test_deleting_answers_an_empty_envelope_once(simulator: Simulator) -> None:
    client = simulator.organization()
    number = client.got("/v1/messages", **WINDOW)["data"][0]["id"]
    assert client.ask("DELETE", f"/v1/messages/{number}").json() == {"data": {}}
    assert _codes(client, f"/v1/messages/{number}") == (404, 4001)
    assert client.ask("DELETE", f"/v1/messages/{number}").status_code == 404


def test_a_state_that_must_not_be_deleted_is_refused_with_its_own_code(simulator: Simulator) -> None:
    simulator.control.did("/simulator/settings", deletable_states=["SCHEDULED", "PENDING_APPROVAL"])
    client = simulator.organization()
    number = client.got("/v1/messages", **WINDOW, state="SENT")["data"][0]["id"]
    refused = client.ask("DELETE", f"/v1/messages/{number}")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 40003)


def test_media_must_have_come_before_a_message_uses_it(simulator: Simulator) -> None:
    client = simulator.organization()
    medium = client.did("/v1/media", sizeBytes=4, mimeType="image/png")["data"]
    address = medium["uploadUrl"].removeprefix(simulator.told["url"])
    message = {"text": "x", "socialProfileIds": ["115185509"], "media": [{"id": medium["id"]}]}
    early = client.ask("POST", "/v1/messages", json=message)
    assert early.json()["errors"][0]["code"] == 40021
    kind = {"Content-Type": "image/png"}
    assert simulator.control.ask("PUT", address, data=b"too long", headers=kind).status_code == 403
    assert simulator.control.ask("PUT", address, data=b"png!", headers=kind).status_code == 200
    ready = client.got(f"/v1/media/{medium['id']}")["data"]
    assert ready["state"] == "READY"
    there = simulator.control.ask("GET", ready["downloadUrl"].removeprefix(simulator.told["url"]))
    assert there.content == b"png!"
    assert client.did("/v1/messages", **message)["data"][0]["state"] == "SENT"


def test_strangers_are_kept_out(simulator: Simulator) -> None:
    ours, theirs = simulator.member(), "626799"
    assert _codes(ours, f"/v1/organizations/{theirs}/teams") == (403, 4010)
    assert _codes(ours, f"/v1/organizations/{theirs}/members") == (403, 4009)
    assert _codes(ours, "/v1/organizations/1/members") == (404, 3003)
    stranger = simulator.member("15240794")
    assert _codes(stranger, "/v1/teams/359493") == (403, 4006)
    assert _codes(stranger, "/v1/socialProfiles/115185509") == (403, 4008)
    assert _codes(stranger, "/v1/socialProfiles/115185509/teams") == (401, 4008)
    assert stranger.got("/v1/messages", **WINDOW)["data"] == []
    plain = simulator.member("15240790").ask("POST", "/v1/organizations/626731/teams", json={"teamName": "Mine"})
    assert (plain.status_code, plain.json()["errors"][0]["code"]) == (403, 4007)
