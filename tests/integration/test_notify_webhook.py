"""A webhook, posted to a real server: signed, to one address, and taken only where that says so."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import stamina

from retention.errors import NoticeError
from retention.notify.occasion import Occasion, Told
from retention.notify.webhook import ID, SIGNATURE, TIMESTAMP, WebhookChannel
from retention.notify.words import write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.notify.interface import Message

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "a secret that both know"  # noqa: S105  # opens nothing
DOCS = Path(__file__).resolve().parents[2] / "docs" / "notices.md"


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted and answers as it is told; ``drip`` never ends its answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.drip = False
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks/secret-path"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # the name that http.server calls
        server = self.server
        assert isinstance(server, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((self.path, dict(self.headers), body))
        self.send_response(server.status)
        for name, value in {"Content-Length": "1000" if server.drip else "0", **server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        while server.drip and not server.over.wait(0.02):
            try:
                self.wfile.write(b"x")
            except OSError:
                return

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server, stamina.set_testing(True, attempts=2):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def message() -> Message:
    told = Told(Occasion("belt", "belt-closed", "a belt", ("a fact",), ("retention run",)), 1_795_000_000, None)
    return write(
        (told,),
        channel="chat",
        origin="retention/DRILL-0",
        promise="at_risk",
        drill=True,
        now=NOW,
        sent_at=NOW,
        zone=ZoneInfo("UTC"),
    )


def channel(url: str, secret: str | None = SECRET, timeout: float = 30.0) -> WebhookChannel:
    return WebhookChannel("chat", url, secret, timeout=timeout)


def test_post_says_everything_that_a_mail_says(receiver: Receiver, message: Message) -> None:
    assert channel(receiver.url).send(message) is None
    [(path, headers, body)] = receiver.got
    said = json.loads(body)
    assert path == "/hooks/secret-path"
    assert headers["Content-Type"] == "application/json"
    assert headers[ID] == said["id"] == message.ident
    assert said["drill"] is True
    assert said["subject"].startswith("DRILL: ")
    assert said["text"].startswith("DRILL: ")
    assert (said["promise"], said["log"], said["at"]) == ("at_risk", "retention/DRILL-0", "2026-11-22T12:00:00Z")
    assert said["occasions"] == [
        {
            "key": "belt",
            "kind": "belt-closed",
            "over": False,
            "urgency": 1,
            "since": "2026-11-18T11:06:40Z",
            "told_before": None,
            "title": "a belt",
            "facts": ["a fact"],
            "do": ["retention run"],
            "checkpoint": None,
        }
    ]


def test_signature_is_over_the_instant_and_the_body(receiver: Receiver, message: Message) -> None:
    channel(receiver.url).send(message)
    [(_, headers, body)] = receiver.got
    signed = headers[TIMESTAMP].encode() + b"." + body
    assert headers[SIGNATURE] == "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()


def test_check_that_the_documentation_shows_takes_what_is_ours_and_nothing_else(
    receiver: Receiver, message: Message
) -> None:
    channel(receiver.url).send(message)
    [(_, headers, body)] = receiver.got
    [shown] = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    room: dict[str, Any] = {}
    exec(shown, room)  # noqa: S102  # the lines that the documentation shows
    check = room["is_ours"]
    at = float(headers[TIMESTAMP])
    assert check(SECRET, headers, body, at + 10)
    assert not check("another", headers, body, at)
    assert not check(SECRET, headers, body + b" ", at)
    assert not check(SECRET, headers, body, at + 3600)
    assert not check(SECRET, {**headers, TIMESTAMP: str(int(at) + 1)}, body, at)


def test_post_without_a_secret_is_not_signed(receiver: Receiver, message: Message) -> None:
    channel(receiver.url, None).send(message)
    [(_, headers, _body)] = receiver.got
    assert SIGNATURE not in headers
    assert channel(receiver.url, "").problem() == "its secret is empty"
    assert channel(receiver.url, None).problem() is None


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (302, {"Location": "http://127.0.0.1:1/other"}, "HTTP 302; redirects are not followed"),
        (404, {}, "HTTP 404"),
        (500, {}, "HTTP 500"),
    ],
)
def test_post_that_is_not_taken_says_why_and_not_the_address(
    receiver: Receiver, message: Message, status: int, headers: dict[str, str], said: str
) -> None:
    receiver.status, receiver.headers = status, headers
    with pytest.raises(NoticeError, match=said) as failed:
        channel(receiver.url).send(message)
    assert "secret-path" not in str(failed.value)
    assert "secret-path" not in channel(receiver.url).place


def test_what_was_taken_has_arrived_however_long_the_answer_is(receiver: Receiver, message: Message) -> None:
    receiver.drip, receiver.headers = True, {"Content-Length": str(1 << 40)}
    assert channel(receiver.url).send(message) is None
    assert len(receiver.got) == 1


def test_host_that_drips_or_never_answers_costs_no_more_than_the_time_out(receiver: Receiver, message: Message) -> None:
    receiver.drip, receiver.status = True, 100  # which is to be followed by another answer
    with pytest.raises(NoticeError, match=r"takes too long|cannot be reached"):
        channel(receiver.url, timeout=0.5).send(message)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(NoticeError, match=r"takes too long|cannot be reached"):
            channel(url, timeout=0.2).send(message)


def test_no_proxy_of_the_environment_gets_it(
    receiver: Receiver, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert channel(receiver.url).send(message) is None
