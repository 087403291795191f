"""Verification of the whole log, beside the time that its hashes alone take on one core."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.hashing import limits
from benchmarks.measure import Contender, race
from benchmarks.office import ALL_DUE_AT
from benchmarks.table import Heading, show

if TYPE_CHECKING:
    from benchmarks.stock import Stock


def bench(stock: Stock, runs: int) -> None:
    """Measure and print."""
    said = stock.purged.retention("audit", "verify", "--format", "json", now=ALL_DUE_AT)[1]
    entries = json.loads(said)["size"]
    contenders = [
        Contender("retention audit verify", lambda: stock.purged.retention("audit", "verify", now=ALL_DUE_AT)[0]),
        *limits(entries),
    ]
    costs = race(contenders, runs)
    share = f"{costs[1].cpu / costs[0].cpu:.1%} of the limit is reached; reading the entries is no part of the limit"
    heading = Heading(f"audit verify, {stock.kind.title}", entries, "entries", share)
    show(heading, contenders, costs, runs)
