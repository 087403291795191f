"""The only place where the simulator opens a connection: for webhooks, to this machine unless allowed otherwise."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from retention.simulate.answers import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

_MOST_READ = 1 << 20


@dataclass(frozen=True)
class Heard:
    """What came back; status 0 means that nothing did, and ``problem`` says why."""

    status: int
    body: bytes = b""
    problem: str = ""


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its address or as ``localhost``; no name is looked up."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_url(url: str, *, allow_remote: bool) -> str:
    """Give back an address that may be called.

    Raises:
        RefusedError: it is no address of the web, or of another machine.

    """
    parts = _split(url)
    if parts is None:
        msg = "the address is not one of http or https"
        raise invalid(msg)
    if not allow_remote and not is_loopback(parts.hostname or ""):
        msg = "the address is of another machine; start the simulator with --allow-remote to call it"
        raise invalid(msg)
    return url


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Heard:
    """Send one POST, follow nowhere, and tell what came back."""
    parts = _split(url)
    if parts is None or parts.hostname is None:
        return Heard(0, problem="no address")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=timeout)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body, dict(headers))
        answer = connection.getresponse()
        return Heard(answer.status, answer.read(_MOST_READ))
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Heard(0, problem=type(error).__name__)
    finally:
        connection.close()


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None
