"""Start the simulator as its own process, and speak to it as a client would that knows only what is published."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = "2026-11-22T12:00:00Z"
_WAIT = 60


class Client(requests.Session):
    """A session with an address in front of every path."""

    def __init__(self, base: str, token: str = "") -> None:
        super().__init__()
        self._base = base
        self.trust_env = False
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, **given: Any) -> requests.Response:  # noqa: ANN401  # handed on
        return self.request(method, self._base + path, timeout=_WAIT, allow_redirects=False, **given)

    def got(self, path: str, /, **query: Any) -> Any:  # noqa: ANN401  # JSON
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def did(self, path: str, method: str = "POST", /, **fields: Any) -> Any:  # noqa: ANN401  # JSON
        answer = self.ask(method, path, json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass
class Simulator:
    """A simulator that runs, and what it said when it was ready."""

    told: dict[str, str]
    control: Client

    def token(self, **form: str) -> requests.Response:
        credentials = self.told["client_id"], self.told["client_secret"]
        return self.control.ask("POST", "/oauth2/token", data=form, auth=credentials)

    def member(self, member: str = "") -> Client:
        answer = self.token(grant_type="member_app", member_id=member or self.told["member_id"])
        return Client(self.told["url"], answer.json()["access_token"])

    def organization(self) -> Client:
        answer = self.token(grant_type="organization_app", organization_id=self.told["organization_id"])
        return Client(self.told["url"], answer.json()["access_token"])

    def reset(self, **options: Any) -> None:  # noqa: ANN401  # JSON
        """Begin anew at a fixed instant, with limits that no test reaches by being quick or slow."""
        begin = {
            "seed": 7,
            "messages": 150,
            "per_day": 3,
            "days_before": 60,
            "days_after": 30,
            "now": NOW,
            "frozen": True,
            **options,
        }
        self.told = self.control.did("/simulator/reset", **begin)
        self.control.did("/simulator/settings", rate_by_clock=True, requests_per_second=10_000)


@contextmanager
def running_simulator(*arguments: str) -> Iterator[Simulator]:
    """Run ``retention simulate`` on a free port of this machine; it is ended by SIGTERM."""
    command = [sys.executable, "-m", "retention", "simulate", "--listen", "127.0.0.1:0", "--format", "json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            told = json.loads(line or "{}")
            with Client(told["url"]) as control:
                yield Simulator(told, control)
        finally:
            os.kill(process.pid, signal.SIGTERM)
            _, problems = process.communicate(timeout=_WAIT)
    assert (process.returncode, problems) == (0, "")
