"""``python -m benchmarks.rest_api``: list outbound messages of the simulator; rate, peak and memory.

With ``--limited`` the published limit of 20 calls a second holds on both sides, several processes share it, and what
counts is what the simulator saw. Without it the limits are lifted, so that many messages can be listed to see whether
the memory grows with them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from retention.sources.hootsuite_api.account import Account
from retention.sources.hootsuite_api.client import Client
from retention.sources.hootsuite_api.limiter import Limiter
from retention.sources.hootsuite_api.listing import FOUR_WEEKS, MessageListing
from retention.sources.hootsuite_api.source import PageSets
from retention.sources.interface import Window

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_UNLIMITED = 1_000_000
_PROCESSES = 2


def main() -> None:
    """Start a simulator, list, and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rest_api", description="List messages.")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--limited", action="store_true", help="keep to 20 calls a second")
    parser.add_argument("--calls", type=int, default=400, help="with --limited: how many calls each process makes")
    given = parser.parse_args()
    command = [sys.executable, "-m", "retention", "simulate", "--listen", "127.0.0.1:0", "--format", "json"]
    command += ["--now", NOW.isoformat(), "--messages", str(given.messages), "--frozen"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert simulator.stdout is not None  # noqa: S101  # asked for above
        told = json.loads(simulator.stdout.readline())
        os.environ["RETENTION_BENCH_CLIENT_SECRET"] = told["client_secret"]
        account = Account(
            "bench", told["url"], told["client_id"], "organization_app", Path(folder), None, told["organization_id"]
        )
        try:
            (_limited if given.limited else _unlimited)(account, given.calls)
        finally:
            simulator.terminate()


def _limited(account: Account, calls: int) -> None:
    children = []
    begin = time.monotonic()
    for _ in range(_PROCESSES):
        child = os.fork()
        if child == 0:
            client = Client(account)
            for _ in range(calls):
                client.ask("GET", "/v1/me")
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    rate = calls * _PROCESSES / (time.monotonic() - begin)
    seen = _control(account, "/simulator/counters")
    refused = seen["by_status"].get("429", 0)
    print(f"{_PROCESSES} processes: {rate:.2f} calls a second ({rate / 20:.1%} of 20), refused by the limit: {refused}")


def _unlimited(account: Account, _calls: int) -> None:
    _control(account, "/simulator/settings", requests_per_second=_UNLIMITED, requests_per_day=10 * _UNLIMITED)
    limiter = Limiter(account.usage_file, per_second=1000, per_day=_UNLIMITED)
    folder = account.state / "landing"
    folder.mkdir()
    listing = MessageListing(Client(account, limiter=limiter), folder, look_back=timedelta(0))
    source = PageSets("bench", folder)
    listed, begin, window = 0, time.monotonic(), Window(NOW - FOUR_WEEKS, NOW)
    while True:
        item = source.open_item(listing.fetch(window, lambda: None))
        found = sum(1 for _ in source.read(item))
        item.path.unlink()
        listed += found
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        seconds = time.monotonic() - begin
        print(
            f"{window.start:%Y-%m-%d}: {found} messages; {listed} in all, {seconds:.0f} s, peak {peak} MiB", flush=True
        )
        if not found:
            return
        window = Window(window.start - FOUR_WEEKS, window.start)


def _control(account: Account, path: str, **fields: Any) -> Any:  # noqa: ANN401  # JSON
    import urllib.request  # noqa: PLC0415  # only to steer the simulator

    body = json.dumps(fields).encode() if fields else None
    request = urllib.request.Request(account.url + path, data=body, headers={"Content-Type": "application/json"})  # noqa: S310  # this machine
    with urllib.request.urlopen(request) as answer:  # noqa: S310  # as above
        return json.load(answer)


if __name__ == "__main__":
    main()
