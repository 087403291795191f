"""Where Inbox events go, and how they prove that they come from us."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from retention.simulate.answers import invalid
from retention.simulate.events import SIGNATURE, signature
from retention.simulate.outgoing import checked_url, post
from retention.simulate.read import integer, number, text

if TYPE_CHECKING:
    from retention.simulate.answers import Fields

_PROOFS = ("signature", "basic", "oauth", "none")
_HEX = re.compile(r"(?:[0-9a-f]{2})+", re.IGNORECASE)
_PAUSES = (0.5, 1.0, 2.0)


@dataclass
class Hook:
    """One receiver of Inbox events, as the customer has set it up."""

    url: str
    proof: str = "signature"
    secret: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    token_url: str = ""
    timeout: float = 10.0
    retries: int = 3
    pauses: tuple[float, ...] = _PAUSES
    _token: str = field(default="", repr=False)

    @classmethod
    def read(cls, asked: Fields, *, secret: str, allow_remote: bool) -> Hook:
        """Read a set-up from the control endpoint."""
        proof = text(asked, "auth", "signature")
        if proof not in _PROOFS:
            msg = f"auth is one of {', '.join(_PROOFS)}"
            raise invalid(msg)
        secret = text(asked, "secret", secret)
        if not _HEX.fullmatch(secret):
            msg = "secret is spelled in hexadecimal"
            raise invalid(msg)
        token_url = text(asked, "token_url", "")
        if proof == "oauth":
            checked_url(token_url, allow_remote=allow_remote)
        pause = number(asked, "pause_seconds", _PAUSES[-1])
        return cls(
            url=checked_url(text(asked, "url"), allow_remote=allow_remote),
            proof=proof,
            secret=secret,
            username=text(asked, "username", ""),
            password=text(asked, "password", ""),
            token_url=token_url,
            timeout=number(asked, "timeout_seconds", 10.0),
            retries=integer(asked, "retries", 3),
            pauses=tuple(min(pause, one) for one in _PAUSES),
        )

    def headers(self, body: bytes) -> dict[str, str]:
        """Give the headers of one call."""
        told = {"Content-Type": "application/json;charset=utf-8", "User-Agent": "Hootsuite-Inbox-Simulator"}
        if self.proof == "signature":
            told[SIGNATURE] = signature(self.secret, body)
        elif self.proof == "basic":
            told["Authorization"] = self._basic()
        elif self.proof == "oauth":
            told["Authorization"] = f"Bearer {self._fresh_token()}"
        return told

    def forget_token(self) -> None:
        """Fetch a new token for the next call: the receiver did not take this one."""
        self._token = ""

    def pause(self, attempt: int) -> float:
        """Give the seconds to wait after a failed attempt, counted from 0."""
        return self.pauses[min(attempt, len(self.pauses) - 1)]

    def _basic(self) -> str:
        pair = f"{quote(self.username)}:{quote(self.password)}" if self.proof == "oauth" else self._pair()
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def _pair(self) -> str:
        return f"{self.username}:{self.password}"

    def _fresh_token(self) -> str:
        if not self._token:
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": self._basic()}
            heard = post(self.token_url, b"grant_type=client_credentials", headers, self.timeout)
            if heard.status == HTTPStatus.OK:
                self._token = _token_in(heard.body)
        return self._token


def _token_in(body: bytes) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    return str(told.get("access_token", "")) if isinstance(told, dict) else ""
