"""OAuth 2: what works once works once, and the client shows its credentials in one way only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.simulator import Client

if TYPE_CHECKING:
    import requests

    from tests.simulator import Simulator

BACK = "http://127.0.0.1:1/back?from=here"


def _code(simulator: Simulator, **asked: str) -> requests.Response:
    wanted = {
        "response_type": "code",
        "client_id": simulator.told["client_id"],
        "redirect_uri": BACK,
        "scope": "offline",
        "state": "12345678",
        **asked,
    }
    return simulator.control.ask("POST", "/oauth2/auth", data=wanted)


def _error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_a_code_becomes_a_token_for_the_person_who_agreed(simulator: Simulator) -> None:
    location = _code(simulator).headers["Location"]
    told = parse_qs(urlsplit(location).query)
    assert (told["from"], told["state"]) == (["here"], ["12345678"])
    answer = simulator.token(grant_type="authorization_code", code=told["code"][0], redirect_uri=BACK).json()
    assert answer.get("token_Type") == "Bearer"
    assert answer["expires_in"] == 3599
    assert answer["scope"] == "offline"
    mine = {"Authorization": f"bearer {answer['access_token']}"}
    assert simulator.control.ask("GET", "/v1/me", headers=mine).json()["data"]["id"] == simulator.told["member_id"]


def test_a_code_used_twice_takes_its_tokens_with_it(simulator: Simulator) -> None:
    code = parse_qs(urlsplit(_code(simulator).headers["Location"]).query)["code"][0]
    first = simulator.token(grant_type="authorization_code", code=code, redirect_uri=BACK).json()
    again = simulator.token(grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert _error(again) == (400, "invalid_grant")
    mine = {"Authorization": f"Bearer {first['access_token']}"}
    assert simulator.control.ask("GET", "/v1/me", headers=mine).status_code == 401
    refreshed = simulator.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert _error(refreshed) == (400, "invalid_grant")


def test_a_refresh_token_works_once_and_brings_a_new_one(simulator: Simulator) -> None:
    member = simulator.told["member_id"]
    first = simulator.token(grant_type="member_app", member_id=member, scope="offline").json()
    second = simulator.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    again = simulator.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert _error(again) == (400, "invalid_grant")
    third = simulator.token(grant_type="refresh_token", refresh_token=second["refresh_token"])
    assert third.status_code == 200


def test_of_many_who_refresh_at_once_one_gets_a_token(simulator: Simulator) -> None:
    first = simulator.token(grant_type="client_credentials", scope="offline").json()
    credentials = simulator.told["client_id"], simulator.told["client_secret"]

    def refresh(_: int) -> int:
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        with Client(simulator.told["url"]) as client:
            return client.ask("POST", "/oauth2/token", data=form, auth=credentials).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(refresh, range(8))) == [200] + [400] * 7


def test_an_access_token_lives_for_3599_seconds(simulator: Simulator) -> None:
    client = simulator.organization()
    simulator.control.did("/simulator/clock", advance_seconds=3598)
    assert client.ask("GET", "/v1/me").status_code == 200
    simulator.control.did("/simulator/clock", advance_seconds=1)
    refused = client.ask("GET", "/v1/me")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (401, 1001)
    assert simulator.control.ask("GET", "/v1/me").json()["errors"][0]["code"] == 1000


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"grant_type": "member_app"}, (400, "invalid_request")),
        ({"grant_type": "organization_app", "organization_id": "1"}, (400, "invalid_request")),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, (400, "invalid_grant")),
        ({"grant_type": "client_credentials", "client_id": "in the body"}, (401, "invalid_client")),
    ],
)
def test_a_wrong_token_request_is_refused(
    simulator: Simulator, wrong: dict[str, str], expected: tuple[int, str]
) -> None:
    assert _error(simulator.token(**wrong)) == expected


def test_credentials_in_the_body_are_refused(simulator: Simulator) -> None:
    told = simulator.told
    form = {"grant_type": "client_credentials", "client_id": told["client_id"], "client_secret": told["client_secret"]}
    answer = simulator.control.ask("POST", "/oauth2/token", data=form)
    assert _error(answer) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    wrong = simulator.control.ask(
        "POST", "/oauth2/token", data={"grant_type": "client_credentials"}, auth=(told["client_id"], "guessed")
    )
    assert _error(wrong) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"state": "short"}, "invalid_state"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"redirect_uri": "nowhere"}, "invalid_request"),
        ({"client_id": "other"}, "invalid_client"),
    ],
)
def test_a_wrong_authorization_request_is_refused(simulator: Simulator, wrong: dict[str, str], error: str) -> None:
    assert _error(_code(simulator, **wrong))[1] == error
