"""An office that takes webhooks: ``retention serve`` as its own process, and who sends it events over real HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.kit import Office

SECRET = "0f" * 32
SIGNATURE = "X-Hootsuite-Signature"
JSON = "application/json;charset=utf-8"
NAME = "hook"
_WAIT = 60

HOOK = """
[[source]]
name = "hook"
kind = "hootsuite-webhook"
messages_of = "hootsuite-inbox"
[serve]
listen = "127.0.0.1:0"
register_seconds = {seconds}
jobs = false
[purge]
"""


def hooked(office: Office, *, seconds: float = 3600.0, changes: tuple[tuple[str, str], ...] = ()) -> Office:
    """Give an office a webhook of its own; events are registered at the start and then every so many seconds."""
    text = HOOK.format(seconds=seconds)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    office.configure(("[purge]", text))
    office.environment["RETENTION_HOOK_SECRET"] = SECRET
    return office


def sign(body: bytes, secret: str = SECRET) -> str:
    """Sign a body as the documentation of Inbox describes."""
    return hmac.new(bytes.fromhex(secret), body, hashlib.sha256).hexdigest()


def event(message_id: str = "message-1", *, at: datetime, key: str = "", **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """Make an event of an inbound message, with everything personal that Inbox puts into one."""
    told = {
        "type": "INBOUND_MESSAGE_RECEIVED",
        "version": 1,
        "idempotencyKey": key or f"key-of-{message_id}",
        "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "conversationId": "conversation-1",
            "message": {"messageId": message_id, "text": "Where do I send the form?"},
            "conversationTopics": ["Forms"],
            "channel": {"id": "Office page", "name": "The office"},
            "contactProfile": {
                "id": "contact-1",
                "mediumContactProfileId": "bb7b0f8f",
                "primaryIdentifier": "Jane Citizen",
                "secondaryIdentifier": "+44 1632 960001",
                "pictureUrl": "https://pictures.example/jane.png",
            },
            "medium": {"id": "fb"},
        },
    }
    told.update(changes)
    return told


@dataclass
class Receiver:
    """A server that runs. ``log`` is what it wrote on stderr, once it has ended."""

    url: str
    process: subprocess.Popen[str]
    log: str = ""

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def send(self, told: dict[str, Any] | bytes, **headers: str) -> int:
        """Send an event, signed unless the headers say otherwise; give the status."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        said = {
            "Content-Type": JSON,
            SIGNATURE: sign(body),
            **{name.replace("_", "-"): v for name, v in headers.items()},
        }
        return self.call("POST", data=body, headers=said).status_code

    def call(self, method: str, url: str = "", **given: Any) -> requests.Response:  # noqa: ANN401  # handed on
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, url or self.url, timeout=_WAIT, **given)

    def raw(self) -> socket.socket:
        """Open a bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=_WAIT)


@contextmanager
def running(office: Office, *, killed: bool = False) -> Iterator[Receiver]:
    """Run ``retention serve`` in drill time; it is ended by SIGTERM, or was killed by the test."""
    where = ("--config", str(office.config), "--now", office.now.isoformat(), "--format", "json")
    with subprocess.Popen(
        [sys.executable, "-m", "retention", "serve", *where],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **office.environment},
        cwd=office.folder,
    ) as process:
        receiver = Receiver("", process)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if line:
                receiver.url = json.loads(line)["webhooks"][0]
            yield receiver
        finally:
            process.send_signal(signal.SIGTERM)
            _, receiver.log = process.communicate(timeout=_WAIT)
    if not killed:
        assert process.returncode == 0, receiver.log


def until(true: Callable[[], bool]) -> None:
    """Wait until something is so; the time-out of the test ends it where it never is."""
    while not true():
        time.sleep(0.02)
