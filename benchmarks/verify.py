"""Verification of the whole log, beside the time that its hashes alone take on one core.

A tree of n entries has n leaf hashes and n - 1 node hashes. A disposal with its prefix has about 115 bytes, a node 65.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

from benchmarks.measure import Contender, Cost, measured, race
from benchmarks.office import ALL_DUE_AT
from benchmarks.table import Heading, show

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.stock import Stock

_LEAF, _NODE = 115, 65

# One-shot hashes of Python's own, where openssl is not installed: what hashlib reaches, not what the processor could.
_HASHLIB = """
import sys, time, hashlib
data, hashed, begun = bytes(int(sys.argv[1])), 0, time.perf_counter()
while time.perf_counter() - begun < 1:
    for _ in range(10_000):
        hashlib.sha256(data).digest()
    hashed += 10_000
print(hashed / (time.perf_counter() - begun))
"""


def bench(stock: Stock, runs: int) -> None:
    """Measure and print."""
    openssl = shutil.which("openssl")
    said = stock.purged.retention("audit", "verify", "--format", "json", now=ALL_DUE_AT)[1]
    entries = json.loads(said)["size"]
    contenders = [
        Contender("retention audit verify", lambda: stock.purged.retention("audit", "verify", now=ALL_DUE_AT)[0]),
        Contender(f"{'openssl' if openssl else 'hashlib'}: limit, single core", lambda: _limit(openssl, entries)),
    ]
    costs = race(contenders, runs)
    share = f"{costs[1].cpu / costs[0].cpu:.1%} of the limit is reached; reading the entries is no part of the limit"
    heading = Heading(f"audit verify, {stock.kind.title}", entries, "entries", share)
    show(heading, contenders, costs, runs)


def _limit(openssl: str | None, entries: int) -> Cost:
    rate = _openssl_rate if openssl else _hashlib_rate
    seconds = entries / rate(openssl or "", _LEAF) + entries / rate(openssl or "", _NODE)
    return Cost(cpu=seconds, wall=seconds)


def _openssl_rate(openssl: str, size: int) -> float:
    """Give hashes a second; the last line says thousands of bytes a second."""
    command: list[str | Path] = [openssl, "speed", "-evp", "sha256", "-bytes", str(size), "-seconds", "1"]
    _, said = measured(command)
    return float(said.split()[-1].removesuffix("k")) * 1000 / size


def _hashlib_rate(_openssl: str, size: int) -> float:
    return float(measured((sys.executable, "-c", _HASHLIB, str(size)))[1])
