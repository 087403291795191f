"""Proofs out of the stored tiles: how long one takes does not depend on the size of the log.

python -m benchmarks.proofs CONFIG  makes many proofs and prints the median and the worst of each kind, in seconds
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.measure import measured
from retention.audit.prove import Prover
from retention.audit.tiles import DatabaseTiles
from retention.context import open_context
from retention.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.stock import Stock

_PROOFS = 300
_MILLISECONDS = 1000


def bench(stock: Stock, _runs: int) -> None:
    """Measure and print; the many proofs of one run are the repetitions."""
    config = stock.purged.folder / "retention.toml"
    _, said = measured((sys.executable, "-m", "benchmarks.proofs", config))
    size, *seconds = said.split()
    print(f"\nproofs, {stock.kind.title}: {int(size):,} entries; {_PROOFS} of each kind at random, nothing kept")
    for kind, middle, worst in zip(("inclusion", "consistency"), seconds[::2], seconds[1::2], strict=True):
        spelled = (f"{float(value) * _MILLISECONDS:.2f} ms" for value in (middle, worst))
        print(f"  {kind:12} median {', worst '.join(spelled)}")


def main() -> None:
    """Make proofs about the log of the installation whose configuration the argument names."""
    context = open_context(load_settings(Path(sys.argv[1])))
    chance = random.Random(7)  # noqa: S311 - which entries, not secrets
    with context.database.read() as connection:
        size, reader = context.log.head(connection).size, DatabaseTiles(connection)
        kinds: tuple[Callable[[int], object], ...] = (
            lambda n: Prover(reader, size).inclusion(n),
            lambda n: Prover(reader, size).consistency(n),
        )
        told = [str(size)]
        for prove in kinds:
            taken = [_seconds(prove, chance.randrange(1, size)) for _ in range(_PROOFS)]
            told += [str(median(taken)), str(max(taken))]
    context.database.close()
    print(*told)


def _seconds(prove: Callable[[int], object], which: int) -> float:
    begun = time.perf_counter()
    prove(which)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
