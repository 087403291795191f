"""Fetch the published notice from the one host that ``[notice] url`` names. The only file here that makes a connection.

Nothing else decides where it goes: no proxy, no credentials and no certificates from the environment, no redirect. An
answer is read up to a limit of size and of time.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
from urllib3 import exceptions as urllib3_errors

from retention.errors import RetentionError, UsageError
from retention.notice.reading import LONGEST

SECONDS = 30.0
"""How long the whole of an answer may take, from the name of the host to the last byte."""

_TIMEOUT = 10.0
_PIECE = 1 << 16
_OK = 200
_LATE = "the notice cannot be fetched: its host takes too long to send it"
_PORTS = {"http": 80, "https": 443}


class Page(NamedTuple):
    """The body of an answer and what the server said of it."""

    body: bytes
    kind: str
    charset: str


def fetch(url: str, allowed: str | None, *, seconds: float = SECONDS) -> Page:
    """Get a page from the host that the configuration names.

    Args:
        url: the page.
        allowed: ``url`` of ``[notice]``; only its scheme, host and port are ever connected to.
        seconds: how long the whole answer may take.

    Returns:
        The page.

    Raises:
        UsageError: the address is of another host, or none is configured.
        RetentionError: the page cannot be had.

    """
    if allowed is None or _origin(url) is None or _origin(url) != _origin(allowed):
        msg = "only the host that url in [notice] names is connected to; name the page there, or give a file"
        raise UsageError(msg)
    try:
        return _in_time(url, seconds)
    except (requests.RequestException, urllib3_errors.HTTPError, OSError) as error:
        msg = f"the notice cannot be fetched from its url ({type(error).__name__})"
        raise RetentionError(msg) from None


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or "\\" in url:
        return None
    return parts.scheme, parts.hostname.casefold(), port or _PORTS[parts.scheme]


def _in_time(url: str, seconds: float) -> Page:
    """Wait no longer than that, whatever the host does: a limit of the library's is one for each byte."""
    answer: Future[Page] = Future()

    def get() -> None:
        try:
            answer.set_result(_got(url, time.monotonic() + seconds))
        except BaseException as error:  # noqa: BLE001  # raised where the answer is waited for
            answer.set_exception(error)

    threading.Thread(target=get, name="notice", daemon=True).start()  # what is late is left to end by itself
    try:
        return answer.result(max(seconds, 0))
    except TimeoutError:
        raise RetentionError(_LATE) from None


def _got(url: str, until: float) -> Page:
    headers = {
        "Accept": "text/html, text/markdown, text/plain",
        "Accept-Encoding": "identity",
        "User-Agent": "retention",
    }
    with requests.Session() as session:
        session.trust_env = False
        with session.get(url, headers=headers, timeout=_TIMEOUT, allow_redirects=False, stream=True) as answer:
            if answer.status_code != _OK:
                moved = (
                    "; redirects are not followed, so put the page's own address into url" if answer.is_redirect else ""
                )
                msg = f"the notice cannot be fetched: its host answered HTTP {answer.status_code}{moved}"
                raise RetentionError(msg)
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                msg = "the notice cannot be fetched: its host sends it compressed although it was asked not to"
                raise RetentionError(msg)
            return Page(_body(answer, until), *_kind(answer.headers.get("Content-Type", "")))


def _body(answer: requests.Response, until: float) -> bytes:
    body = bytearray()
    while piece := answer.raw.read1(_PIECE):
        body += piece
        if len(body) > LONGEST:
            break  # whoever reads it says that it is too long
        if time.monotonic() > until:
            raise RetentionError(_LATE)
    return bytes(body)


def _kind(header: str) -> tuple[str, str]:
    """Take apart a Content-Type: how the page is read, and its encoding."""
    media, *parameters = (part.strip() for part in header.split(";"))
    kinds = {"text/html": "html", "application/xhtml+xml": "html", "text/markdown": "markdown", "text/plain": "text"}
    given = (one.partition("=")[2] for one in parameters if one.casefold().startswith("charset="))
    return kinds.get(media.casefold(), ""), next(given, "").strip("\"' ")
