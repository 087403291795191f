"""``python -m benchmarks``: measure, and print tables."""

from __future__ import annotations

import argparse
import re
import resource
import signal
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import dry_run, ingest, proofs, purge, start_up, status, tree, verify, webhook
from benchmarks.machine import describe
from benchmarks.sqlite import Sqlite
from benchmarks.stock import Stock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from benchmarks.databases import Kind

_START_UP, _WEBHOOK = "start-up", "webhook"
_BENCHES = {
    "ingest": ingest.bench,
    "dry-run": dry_run.bench,
    "purge": purge.bench,
    "verify": verify.bench,
    "tree": tree.bench,
    "proofs": proofs.bench,
    "status": status.bench,
}
_MANY = 1_000_000
_RUNS, _RUNS_OF_MANY = 5, 3
_KIB_A_MIB = 1024 if sys.platform.startswith("linux") else 1024 * 1024


def main() -> None:
    """Measure what the arguments ask for."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, _leave)  # so that temporary folders are removed
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a table shows when it is ready, also in a file
    print(describe())
    if _START_UP in asked.only:
        start_up.bench(asked.runs or _RUNS)
    with _kind(postgres=asked.postgres) as kind:
        if _WEBHOOK in asked.only:
            webhook.bench(kind)
        for rows in asked.rows:
            runs = asked.runs or (_RUNS_OF_MANY if rows >= _MANY else _RUNS)
            with tempfile.TemporaryDirectory(prefix="retention-bench-") as folder:
                stock = Stock(kind, Path(folder).resolve(), rows)
                for name, bench in _BENCHES.items():
                    if name in asked.only:
                        bench(stock, runs)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_A_MIB
    print("\nA ratio is our job's figure divided by the line's. Seconds are of whole processes, start-up included.")
    print(f"Peaks below {own:,.0f} MiB cannot be told apart: the system counts the size of the process that measures.")


def _arguments() -> argparse.Namespace:
    names = [*_BENCHES, _START_UP, _WEBHOOK]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=_counts, default="100k,1m", metavar="N,…", help="sizes [default: 100k,1m]")
    parser.add_argument("--runs", type=_positive, metavar="N", help="runs of each [default: 5, from a million on 3]")
    parser.add_argument("--only", type=_names, default=",".join(names), metavar="…", help=f"some of {','.join(names)}")
    parser.add_argument("--postgres", action="store_true", help="on a private PostgreSQL instead of SQLite")
    return parser.parse_args()


def _counts(text: str) -> list[int]:
    found = [re.fullmatch(r"([1-9][0-9]*)([km]?)", part) for part in text.lower().split(",")]
    if not all(found):
        msg = "write counts such as 100k,1m"
        raise argparse.ArgumentTypeError(msg)
    return [int(match[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2]] for match in found if match]


def _names(text: str) -> set[str]:
    names = set(text.split(","))
    if unknown := names - {*_BENCHES, _START_UP, _WEBHOOK}:
        msg = f"there is no benchmark {', '.join(sorted(unknown))}"
        raise argparse.ArgumentTypeError(msg)
    return names


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        msg = "write a whole number above zero"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


@contextmanager
def _kind(*, postgres: bool) -> Iterator[Kind]:
    with ExitStack() as stack:
        if not postgres:
            yield Sqlite()
            return
        from benchmarks.postgres import postgres as server  # noqa: PLC0415  # its driver is optional

        yield stack.enter_context(server())


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
