"""How long the hashes of a tree take on one core, without anything else.

A tree of n entries has n leaf hashes and n - 1 node hashes. A disposal with its prefix has about 115 bytes, a node 65.
"""

from __future__ import annotations

import shutil
import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measure import Contender, Cost, measured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEAF = 115
_NODE = 65

_HASHLIB = """
import sys, time, hashlib
data, hashed, begun = bytes(int(sys.argv[1])), 0, time.perf_counter()
while time.perf_counter() - begun < 1:
    for _ in range(10_000):
        hashlib.sha256(data).digest()
    hashed += 10_000
print(hashed / (time.perf_counter() - begun))
"""


def limits(entries: int) -> list[Contender]:
    """Give the yardsticks for a tree of so many entries: what the processor can, and what Python's hashlib can."""
    openssl = shutil.which("openssl")
    found = [("hashlib: one call a hash, nothing else", partial(_seconds, _hashlib_rate, entries))]
    if openssl:
        found.insert(0, ("openssl: limit, single core", partial(_seconds, partial(_openssl_rate, openssl), entries)))
    return [Contender(label, run) for label, run in found]


def _seconds(rate: Callable[[int], float], entries: int) -> Cost:
    seconds = entries / rate(LEAF) + entries / rate(_NODE)
    return Cost(cpu=seconds, wall=seconds)


def _openssl_rate(openssl: str, size: int) -> float:
    """Give hashes a second; the last line says thousands of bytes a second."""
    command: list[str | Path] = [openssl, "speed", "-evp", "sha256", "-bytes", str(size), "-seconds", "1"]
    _, said = measured(command)
    return float(said.split()[-1].removesuffix("k")) * 1000 / size


def _hashlib_rate(size: int) -> float:
    return float(measured((sys.executable, "-c", _HASHLIB, str(size)))[1])
