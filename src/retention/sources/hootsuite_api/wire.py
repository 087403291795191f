"""One call and its answer. Nobody is asked but the configured address, and nothing it says is believed unread.

Proxies and credentials of the environment are not looked at, redirects are not followed, certificates are checked, and
an answer is read to its end within a limit of size and time. What fails in a way that passes is ApiBusyError.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from retention import __version__
from retention.errors import ApiBusyError, ApiError
from retention.sources.hootsuite_api.limiter import LONGEST_CALL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retention.sources.hootsuite_api.limiter import Limiter

DAY_IS_USED_UP = 1003

_LARGEST = 16 << 20
_CHUNK = 1 << 16
_TIME_LIMITS = (10.0, 30.0)
_MARGIN = 40.0  # a last wait for a byte still ends before the call counts as over
_ERROR_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: ``path`` below the configured address, and what goes with it."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    basic: tuple[str, str] | None = None
    bearer: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the JSON object that came with it."""

    status: int
    fields: dict[str, Any]

    @property
    def errors(self) -> list[tuple[int, str]]:
        """Code and id of every error of the answer; the id is what Hootsuite's support asks for."""
        told = self.fields.get("errors")
        return [_code_and_id(one) for one in told] if isinstance(told, list) else []

    @property
    def code(self) -> int:
        """The code of the first error, 0 where there is none."""
        return next((code for code, _ in self.errors), 0)

    def failure(self) -> str:
        """Say what the answer was, with the code and the id of its error."""
        return f"Hootsuite answered with {self.status}" + "".join(
            f" (code {code}, error id {trace})" for code, trace in self.errors[:1]
        )


class Wire:
    """The way to one address."""

    def __init__(self, url: str, limiter: Limiter) -> None:
        """Take the address without a path, and what limits the calls."""
        self._url = url.rstrip("/")
        self._limiter = limiter
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": f"retention/{__version__}", "Accept": "application/json"})

    def ask(self, asked: Asked) -> Answer:
        """Make one call.

        Raises:
            ApiBusyError: there was no answer, none that is whole, or one that says that it passes.
            ApiError: the day's calls are used up, the certificate is wrong, or the answer sends elsewhere.

        """
        with self._limiter.slot():
            status, content = self._exchange(asked)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            msg = f"Hootsuite answered with {status}, which sends elsewhere, and only the configured address is asked"
            raise ApiError(msg)
        answer = _parsed(status, content)
        if status == HTTPStatus.TOO_MANY_REQUESTS and answer.code == DAY_IS_USED_UP:
            msg = f"{answer.failure()}: the account's calls of the day are used up; a later run goes on"
            raise ApiError(msg, code=answer.code)
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ApiBusyError(answer.failure(), code=answer.code)
        return answer

    def _exchange(self, asked: Asked) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {asked.bearer}"} if asked.bearer else {}
        try:
            with self._session.request(
                asked.method,
                self._url + asked.path,
                params=asked.query,
                data=asked.form,
                auth=asked.basic,
                headers=headers,
                timeout=_TIME_LIMITS,
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, _read(response)
        except requests.exceptions.SSLError:
            msg = "the connection is not secure: the certificate of the configured address is not valid"
            raise ApiError(msg) from None
        except requests.exceptions.Timeout:
            msg = "Hootsuite did not answer in time"
            raise ApiBusyError(msg) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError):
            msg = "the connection to Hootsuite could not be made or broke off"
            raise ApiBusyError(msg) from None


def _read(response: requests.Response) -> bytes:
    content, end = bytearray(), time.monotonic() + LONGEST_CALL - _MARGIN
    for chunk in response.iter_content(_CHUNK):
        content += chunk
        if len(content) > _LARGEST:
            msg = "the answer is larger than any that is published"
            raise ApiError(msg)
        if time.monotonic() > end:
            raise requests.exceptions.Timeout
    return bytes(content)


def _parsed(status: int, content: bytes) -> Answer:
    """Read a JSON object; an answer that is none passes, because something in between has answered."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None
    if isinstance(fields, dict):
        return Answer(status, fields)
    if status >= HTTPStatus.BAD_REQUEST:
        return Answer(status, {})
    msg = f"Hootsuite answered with {status} and something that is not JSON"
    raise ApiBusyError(msg)


def _code_and_id(error: object) -> tuple[int, str]:
    code, trace = (error.get("code"), error.get("id")) if isinstance(error, dict) else (0, "")
    known = isinstance(trace, str) and _ERROR_ID.fullmatch(trace)
    return code if type(code) is int and abs(code) < 1 << 31 else 0, str(trace) if known else "none"
