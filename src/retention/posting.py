"""One request to one host that the configuration names: for anchors, and for notices to people.

Nothing else decides where it goes: no proxy, no credentials and no certificates from the environment, no redirect. What
passes (no connection, a time-out, an answer that says "later") is tried again a few times; an answer is read up to a
limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import requests
import stamina
from urllib3 import exceptions as urllib3_errors

from retention.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRIES = 3
_LONGEST_ANSWER = 1 << 18
_PASSING = frozenset({429, 500, 502, 503, 504})


class Answer(NamedTuple):
    """The status and body of an answer."""

    status: int
    body: bytes


class _LaterError(Exception):
    """The host asks to be asked again, or cannot be reached at the moment."""


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float, *, heard: bool = True) -> Answer:
    """Send a body and give the answer, whatever its status; ``timeout`` is in seconds and for each byte.

    Where it is not to be ``heard``, the status counts alone, and no body of an answer is read.

    Raises:
        HostError: the host cannot be reached, is not who it should be, redirects, or answers without end.

    """

    @stamina.retry(on=_LaterError, attempts=_TRIES, timeout=_TRIES * timeout)
    def posted() -> Answer:  # without arguments, because those are logged and an address may be a secret
        return _once(url, body, headers, timeout, _LONGEST_ANSWER if heard else 0)

    try:
        return posted()
    except _LaterError as error:
        msg = f"cannot be reached ({error})"
        raise HostError(msg) from None
    except requests.RequestException as error:
        msg = f"cannot be used ({type(error).__name__})"
        raise HostError(msg) from None


def _once(url: str, body: bytes, headers: Mapping[str, str], timeout: float, longest: int) -> Answer:
    with requests.Session() as session:
        session.trust_env = False
        sent = {"Accept-Encoding": "identity", "User-Agent": "retention", **headers}
        try:
            with session.post(
                url, data=body, headers=sent, timeout=timeout, allow_redirects=False, stream=True
            ) as answer:
                data = answer.raw.read(longest + 1) if longest else b""
                status = answer.status_code
        except requests.exceptions.SSLError:
            raise
        except (requests.ConnectionError, requests.Timeout, urllib3_errors.HTTPError) as error:
            raise _LaterError(type(error).__name__) from None
    if status in _PASSING:
        msg = f"HTTP {status}"
        raise _LaterError(msg)
    if len(data) > longest:
        msg = "the answer is too long"
        raise requests.exceptions.InvalidSchema(msg)
    return Answer(status, data)
