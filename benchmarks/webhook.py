"""Webhooks: signed events to ``retention serve`` over real HTTP, by a few senders and by many at once.

An answer means that the event is committed, so the figures are those of the disk (or the server) as much as ours. The
senders share the machine with what they measure.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.office import Office

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.databases import Kind

_EVENTS = 4_000
_SENDERS = (1, 8, 50)
_SECRET = bytes(range(32))
_GOOD = 200
_HOOK = """
[[source]]
name = "hook"
kind = "hootsuite-webhook"
[serve]
listen = "127.0.0.1:0"
register_seconds = 86400
"""


def bench(kind: Kind) -> None:
    """Measure and print."""
    print(f"\nwebhooks, {kind.title}: {_EVENTS:,} events each, committed before they are answered")
    with tempfile.TemporaryDirectory(prefix="retention-bench-") as folder:
        office = Office(Path(folder).resolve() / "office", kind).found()
        with (office.folder / "retention.toml").open("a", encoding="utf-8") as file:
            file.write(_HOOK)
        try:
            with _serving(office) as url:
                for senders in _SENDERS:
                    began = time.perf_counter()
                    with ThreadPoolExecutor(senders) as pool:
                        took = [one for many in pool.map(_send, [(url, _EVENTS // senders)] * senders) for one in many]
                    rate = len(took) / (time.perf_counter() - began)
                    cuts = statistics.quantiles(took, n=100)
                    told = f"{rate:7,.0f} events/s; p50 {1000 * cuts[49]:6.1f} ms, p99 {1000 * cuts[98]:6.1f} ms"
                    print(f"  {senders:>2} at once  {told}, longest {1000 * max(took):6.1f} ms")
        finally:
            kind.remove(office.folder)


@contextmanager
def _serving(office: Office) -> Iterator[str]:
    config = str(office.folder / "retention.toml")
    command = (sys.executable, "-m", "retention", "serve", "--no-jobs", "--config", config)
    environment = {**os.environ, "RETENTION_HOOK_SECRET": _SECRET.hex(), "RETENTION_LOG_LEVEL": "error"}
    with subprocess.Popen([*command, "--format", "json"], stdout=subprocess.PIPE, env=environment) as process:  # noqa: S603  # ours
        try:
            yield json.loads(process.stdout.readline() if process.stdout else b"")["webhooks"][0]
        finally:
            process.send_signal(signal.SIGTERM)


def _send(asked: tuple[str, int]) -> list[float]:
    url, count = asked
    parts, took = urlsplit(url), []
    with closing(HTTPConnection(parts.netloc, timeout=60)) as connection:
        for _ in range(count):
            body = _event()
            headers = {"Content-Type": "application/json", "X-Hootsuite-Signature": _signature(body)}
            began = time.perf_counter()
            connection.request("POST", parts.path, body, headers)
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - began)
            if answer.status != _GOOD:
                msg = f"the server answered {answer.status}"
                raise SystemExit(msg)
    return took


def _signature(body: bytes) -> str:
    return hmac.new(_SECRET, body, hashlib.sha256).hexdigest()


def _event() -> bytes:
    told = {
        "type": "INBOUND_MESSAGE_RECEIVED",
        "version": 1,
        "idempotencyKey": str(uuid4()),
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {
            "conversationId": str(uuid4()),
            "message": {"messageId": str(uuid4()), "text": "x" * 200},
            "channel": {"id": "0-02534c5ac04-000-261ad914", "name": "The office"},
            "contactProfile": {"id": str(uuid4()), "primaryIdentifier": "Somebody"},
            "medium": {"id": "fb"},
        },
    }
    return json.dumps(told).encode()
