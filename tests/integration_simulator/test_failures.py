"""Failures on demand, quotas, and counters: the same ones for the same order, however slow the machine is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from tests.simulator import Client, Simulator

WINDOW = {"startTime": "2026-11-01T00:00:00Z", "endTime": "2026-11-29T00:00:00Z"}


def _there(client: Client, number: str) -> bool:
    return client.ask("GET", f"/v1/messages/{number}").status_code == 200


def _first(client: Client) -> str:
    number: str = client.got("/v1/messages", **WINDOW)["data"][0]["id"]
    return number


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_the_next_requests_fail_with_a_status_and_change_nothing(simulator: Simulator, status: int) -> None:
    client = simulator.organization()
    number = _first(client)
    simulator.control.did("/simulator/faults", kind="status", status=status, count=2)
    failed = [client.ask("DELETE", f"/v1/messages/{number}") for _ in range(2)]
    assert [answer.status_code for answer in failed] == [status, status]
    assert all("Retry-After" not in answer.headers for answer in failed)
    assert _there(client, number)


def test_an_answer_that_is_lost_leaves_the_change_made(simulator: Simulator) -> None:
    client = simulator.organization()
    number = _first(client)
    simulator.control.did("/simulator/faults", kind="lost", method="DELETE", path="/v1/messages")
    with pytest.raises(requests.ConnectionError):
        client.ask("DELETE", f"/v1/messages/{number}")
    assert not _there(client, number)


def test_a_connection_that_is_dropped_leaves_everything_as_it_was(simulator: Simulator) -> None:
    client = simulator.organization()
    number = _first(client)
    simulator.control.did("/simulator/faults", kind="drop")
    with pytest.raises(requests.ConnectionError):
        client.ask("DELETE", f"/v1/messages/{number}")
    assert _there(client, number)


def test_a_request_that_hangs_ends_without_an_answer(simulator: Simulator) -> None:
    client = simulator.organization()
    simulator.control.did("/simulator/faults", kind="hang", seconds=0.1)
    with pytest.raises(requests.ConnectionError):
        client.ask("GET", "/v1/me")


def test_a_body_ends_in_the_middle(simulator: Simulator) -> None:
    client = simulator.organization()
    simulator.control.did("/simulator/faults", kind="cut")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.ask("GET", "/v1/me")
    assert client.ask("GET", "/v1/me").status_code == 200


def test_html_comes_where_json_was_expected(simulator: Simulator) -> None:
    client = simulator.organization()
    simulator.control.did("/simulator/faults", kind="html")
    answer = client.ask("GET", "/v1/me")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_a_slow_answer_is_a_good_one(simulator: Simulator) -> None:
    client = simulator.organization()
    simulator.control.did("/simulator/faults", kind="slow", seconds=0.05)
    assert client.ask("GET", "/v1/me").status_code == 200


def test_a_partial_failure_has_data_and_errors_that_add_up(simulator: Simulator) -> None:
    client = simulator.organization()
    whole = client.got("/v1/messages", **WINDOW)["data"]
    simulator.control.did("/simulator/faults", kind="partial")
    part = client.got("/v1/messages", **WINDOW)
    named = [error["resource"]["id"] for error in part["errors"]]
    assert [message["id"] for message in part["data"]] + named == [message["id"] for message in whole]
    assert all(error["id"] for error in part["errors"])


def test_the_same_seed_fails_the_same_requests(simulator: Simulator) -> None:
    seen = []
    for _ in range(2):
        simulator.reset()
        client = simulator.organization()
        simulator.control.did("/simulator/faults", kind="status", status=503, rate=0.4, seed=5)
        seen.append([client.ask("GET", "/v1/me").status_code for _ in range(20)])
        assert simulator.control.got("/simulator/faults")["faults"][0]["struck"] == seen[-1].count(503)
    assert seen[0] == seen[1]
    assert set(seen[0]) == {200, 503}


def test_failures_can_wait_and_can_be_withdrawn(simulator: Simulator) -> None:
    client = simulator.organization()
    simulator.control.did("/simulator/faults", kind="status", status=500, skip=2, count=2, path="/v1/me")
    assert [client.ask("GET", path).status_code for path in ("/v1/me", "/v1/me", "/v1/messages/1", "/v1/me")] == [
        200,
        200,
        404,
        500,
    ]
    simulator.control.did("/simulator/faults", "DELETE")
    assert client.ask("GET", "/v1/me").status_code == 200
    assert simulator.control.ask("POST", "/simulator/faults", json={"kind": "magic"}).status_code == 400


def test_more_than_twenty_requests_in_a_second_are_too_many(simulator: Simulator) -> None:
    client = simulator.organization()
    simulator.control.did("/simulator/settings", requests_per_second=20)
    answers = [client.ask("GET", "/v1/me") for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[-1].json()["errors"][0]["code"] == 1043
    assert "Retry-After" not in answers[-1].headers
    left = [answer.headers["X-Account-Rate-Limit-Requests-Remaining"] for answer in answers]
    assert left == [str(n) for n in range(19, -1, -1)] + ["0"]
    simulator.control.did("/simulator/clock", advance_seconds=1)
    assert client.ask("GET", "/v1/me").status_code == 200


def test_the_quota_of_a_day_ends_with_the_day(simulator: Simulator) -> None:
    simulator.reset(now="2026-11-22T23:59:30Z")
    client = simulator.organization()
    simulator.control.did("/simulator/settings", requests_per_day=2)
    answers = [client.ask("GET", "/v1/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["errors"][0]["code"] == 1003
    assert (answers[1].headers["X-Account-Quota"], answers[1].headers["X-Account-Quota-Used"]) == ("2", "2")
    simulator.control.did("/simulator/clock", advance_seconds=30)
    assert client.ask("GET", "/v1/me").status_code == 200


def test_what_was_asked_is_counted(simulator: Simulator) -> None:
    client = simulator.organization()
    for path in ("/v1/me", "/v1/me", "/nothing/here"):
        client.ask("GET", path)
    told = simulator.control.got("/simulator/counters")
    assert told["by_call"] == {"GET /v1/me": 2, "POST /oauth2/token": 1, "no route": 1}
    assert told["by_status"] == {"200": 3, "404": 1}
    assert 1 <= told["peak_per_second"] <= told["requests"] == 4


def test_a_method_that_is_not_published_is_refused(simulator: Simulator) -> None:
    answer = simulator.organization().ask("PUT", "/v1/messages/1")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (405, 5001)
