"""Tokens: every grant, one refresh whoever asks, nothing lost by a kill that can be kept."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import parse_qs, urlsplit

import pytest

from retention.errors import NotAuthorizedError
from retention.sources.hootsuite_api import tokens as module
from retention.sources.hootsuite_api.client import Client

if TYPE_CHECKING:
    from retention.sources.hootsuite_api.wire import Answer, Asked
    from tests.integration_api.branch import Branch
    from tests.simulator import Simulator

_ACCESS = """
import sys
from pathlib import Path
from retention.configured import configured_account
from retention.settings import load_settings
from retention.sources.hootsuite_api.client import Client
settings = load_settings(Path(sys.argv[1]))
client = Client(configured_account(settings, settings.source[0]))
print("ready", flush=True)
sys.stdin.readline()
print(client.tokens.access())
"""


def agree(simulator: Simulator, address: str) -> str:
    """Agree in the browser, and give the address to which it is sent."""
    answer = simulator.control.ask("POST", address.removeprefix(simulator.told["url"]))
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def authorized(branch: Branch) -> Client:
    branch.configure("authorization_code")
    client = branch.client
    client.tokens.redeem(agree(branch.simulator, client.tokens.address("state-of-ours")), "state-of-ours")
    return client


def expired(branch: Branch) -> None:
    kept = branch.tokens()
    branch.account.tokens_file.write_text(json.dumps({**kept, "expires_at": 0}))


@pytest.mark.parametrize("grant", ["member_app", "organization_app"])
def test_a_grant_without_a_person_needs_only_the_configuration(branch: Branch, grant: str) -> None:
    branch.configure(grant)
    assert branch.ingest()[0].progress.registered > 0
    assert stat.S_IMODE(branch.account.tokens_file.stat().st_mode) == 0o600


def test_a_person_authorizes_by_pasting_the_address_or_the_code(branch: Branch) -> None:
    branch.configure("authorization_code")
    with subprocess.Popen(
        [sys.executable, "-m", "retention", "source", "authorize", "posts", "--config", str(branch.office.config)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        address = next(line.strip() for line in process.stdout if line.startswith("http"))
        told, problems = process.communicate(agree(branch.simulator, address) + "\n", timeout=60)
    assert (process.returncode, "The source posts is authorized." in told) == (0, True), problems
    assert branch.tokens()["refresh_token"]
    client = branch.client
    back = agree(branch.simulator, client.tokens.address("another-state"))
    client.tokens.redeem(parse_qs(urlsplit(back).query)["code"][0], "another-state")
    assert branch.ingest()[0].progress.registered > 0


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "no code"),
        ("https://office.example/back?code=1&state=somebody-elses", "belongs to another request"),
        ("https://office.example/back?state=state-of-ours&error=access_denied", "nobody agreed"),
        ("11111111-2222-3333-4444-555555555555", "did not take the code (invalid_grant)"),
    ],
)
def test_an_answer_that_is_none_is_refused(branch: Branch, pasted: str, reason: str) -> None:
    branch.configure("authorization_code")
    with pytest.raises(NotAuthorizedError) as caught:
        branch.client.tokens.redeem(pasted, "state-of-ours")
    assert reason in str(caught.value)


def test_a_source_that_nobody_authorized_says_what_to_do(branch: Branch) -> None:
    branch.configure("authorization_code")
    branch.ingest()
    [(kind, reason)] = branch.findings()
    assert kind == "listing-failed"
    assert reason.endswith("authorize it with: retention source authorize posts")


def test_a_token_that_ran_out_or_was_revoked_is_refreshed_and_the_new_refresh_token_kept(branch: Branch) -> None:
    client = authorized(branch)
    before = branch.tokens()["refresh_token"]
    branch.simulator.control.did("/simulator/tokens/expire")  # by the clock of ours it lives
    assert client.ask("GET", "/v1/me").status == 200
    after = branch.tokens()["refresh_token"]
    assert before != after
    expired(branch)
    assert branch.client.ask("GET", "/v1/me").status == 200
    assert branch.tokens()["refresh_token"] not in {before, after}


def test_the_new_refresh_token_is_durable_before_the_access_token_is_used(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorized(branch)
    expired(branch)
    steps: list[str] = []
    attempt, sync = Client._attempt, os.fsync  # noqa: SLF001  # every call goes through it

    def noted(client: Client, asked: Asked) -> Answer:
        steps.append(asked.path)
        return attempt(client, asked)

    def synced(handle: int) -> None:
        steps.append("synced")
        sync(handle)

    monkeypatch.setattr(Client, "_attempt", noted)
    monkeypatch.setattr(os, "fsync", synced)
    assert branch.client.ask("GET", "/v1/me").status == 200
    # Marked as under way (file, folder), refreshed, kept (file, folder), used.
    assert steps == ["synced", "synced", "/oauth2/token", "synced", "synced", "/v1/me"]


def test_many_processes_that_need_a_token_make_one_refresh(branch: Branch) -> None:
    authorized(branch)
    expired(branch)
    seen = branch.simulator.control.got("/simulator/counters")["by_call"]["POST /oauth2/token"]
    command = [sys.executable, "-c", _ACCESS, str(branch.office.config)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    tokens = {process.communicate(timeout=60)[0] for process in processes}
    assert len(tokens) == 1
    assert branch.simulator.control.got("/simulator/counters")["by_call"]["POST /oauth2/token"] == seen + 1


class KilledError(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def die(*_: object) -> NoReturn:
    raise KilledError


def test_a_kill_before_the_refresh_token_was_used_loses_nothing(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorized(branch)
    expired(branch)

    tokens = branch.client.tokens
    with monkeypatch.context() as patched:
        patched.setattr(Client, "_attempt", die)
        with pytest.raises(KilledError):
            tokens.access()
    assert branch.tokens()["refreshing"]
    assert branch.client.ask("GET", "/v1/me").status == 200


def test_a_kill_between_the_answer_and_its_storage_is_told_with_what_to_do(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorized(branch)
    expired(branch)

    tokens = branch.client.tokens
    with monkeypatch.context() as patched:
        patched.setattr(module.Tokens, "_keep", die)
        with pytest.raises(KilledError):
            tokens.access()
    with pytest.raises(NotAuthorizedError) as caught:
        branch.client.tokens.access()
    assert "an earlier refresh was cut off before its answer could be kept" in str(caught.value)
    assert "retention source authorize posts" in str(caught.value)
    authorized(branch)
    assert branch.client.ask("GET", "/v1/me").status == 200


def test_an_answer_that_is_lost_on_the_way_is_told_the_same(branch: Branch) -> None:
    authorized(branch)
    expired(branch)
    branch.fail("lost", path="/oauth2/token")
    with pytest.raises(NotAuthorizedError, match="retention source authorize posts"):
        branch.client.tokens.access()


def test_a_wrong_secret_and_a_missing_one_are_told_apart(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_POSTS_CLIENT_SECRET", "not-it")
    with pytest.raises(NotAuthorizedError, match="invalid_client"):
        branch.client.tokens.access()
    monkeypatch.delenv("RETENTION_POSTS_CLIENT_SECRET")
    with pytest.raises(NotAuthorizedError, match="RETENTION_POSTS_CLIENT_SECRET_FILE"):
        branch.client.tokens.access()


def test_tokens_that_others_can_read_or_that_are_damaged_are_not_used(branch: Branch) -> None:
    authorized(branch)
    file = branch.account.tokens_file
    file.chmod(0o644)
    with pytest.raises(NotAuthorizedError, match="chmod 600"):
        branch.client.tokens.access()
    file.chmod(0o600)
    file.write_text("{")
    with pytest.raises(NotAuthorizedError, match="cannot be read"):
        branch.client.tokens.access()


def test_tokens_stand_in_no_finding_and_in_no_log(branch: Branch, capfd: pytest.CaptureFixture[str]) -> None:
    authorized(branch)
    branch.simulator.control.did("/simulator/tokens/expire")
    branch.fail("status", status=500, count=2)
    branch.ingest()
    told = "".join(capfd.readouterr()) + str(branch.findings())
    secrets = [*branch.tokens().values(), branch.simulator.told["client_secret"]]
    assert not any(str(one) in told for one in secrets if isinstance(one, str) and one)


def test_check_says_what_keeps_a_source_from_asking(branch: Branch) -> None:
    branch.configure("authorization_code")
    done = branch.office.cli("check")
    assert (done.returncode, "retention source authorize posts" in done.stderr) == (2, True), done.stderr
    authorized(branch)
    assert branch.context.lacking() == []
