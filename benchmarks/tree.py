"""The Merkle tree by itself: appending in batches, beside the time that its hashes alone take on one core.

python -m benchmarks.tree ROWS      grows one tree and prints seconds of processor and by the clock
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from benchmarks.hashing import LEAF, limits
from benchmarks.measure import Contender, Cost, measured, race
from benchmarks.table import Heading, show
from retention.audit.merkle import Frontier, leaf_hashes

if TYPE_CHECKING:
    from benchmarks.stock import Stock

_BATCH = 10_000  # as a purge appends by default


def bench(stock: Stock, runs: int) -> None:
    """Measure and print."""
    contenders = [Contender("leaves and right edge", lambda: _grown(stock.rows)), *limits(stock.rows)]
    costs = race(contenders, runs)
    share = f"{costs[1].cpu / costs[0].cpu:.1%} of the limit is reached"
    show(Heading("tree", stock.rows, f"entries in batches of {_BATCH:,}", share), contenders, costs, runs)


def _grown(rows: int) -> Cost:
    cost, said = measured((sys.executable, "-m", "benchmarks.tree", str(rows)))
    cpu, wall = (float(part) for part in said.split())
    return Cost(cpu=cpu, wall=wall, peak=cost.peak)


def main() -> None:
    """Grow a tree of as many entries as the argument says; a batch is made before the clocks run."""
    rows, frontier, cpu, wall = int(sys.argv[1]), Frontier(), 0.0, 0.0
    for first in range(0, rows, _BATCH):
        entries = [str(n).zfill(LEAF - 1).encode() for n in range(first, min(first + _BATCH, rows))]
        cpu_before, wall_before = time.process_time(), time.perf_counter()
        frontier.append(leaf_hashes(entries))
        cpu, wall = cpu + time.process_time() - cpu_before, wall + time.perf_counter() - wall_before
    print(cpu, wall)


if __name__ == "__main__":
    main()
