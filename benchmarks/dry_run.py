"""The dry run of a purge with about half of the register due, beside a bare count of the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.databases import SQLITE
from benchmarks.measure import Contender, race
from benchmarks.office import HALF_DUE_AT
from benchmarks.table import Heading, show

if TYPE_CHECKING:
    from benchmarks.measure import Cost
    from benchmarks.office import Office
    from benchmarks.stock import Stock

_COUNT = "SELECT count(*) FROM message WHERE received_at < :cutoff;"


def bench(stock: Stock, runs: int) -> None:
    """Measure and print."""
    tool, half = stock.kind.tool, stock.due(HALF_DUE_AT)
    contenders = [
        Contender("retention purge --dry-run", lambda: _ours(stock)),
        Contender(f"{tool}: bare count, our table", lambda: _count(stock, stock.filled)),
    ]
    if stock.kind.name == SQLITE:
        conventional = Contender(f"{tool}: bare count, index on time only", lambda: _count(stock, stock.conventional))
        contenders.append(conventional)
    things = f"messages due of {half.registered:,} registered"
    show(Heading(f"dry run, {stock.kind.title}", half.due, things), contenders, race(contenders, runs), runs)


def _ours(stock: Stock) -> Cost:
    with stock.filled.copied() as office:
        return office.retention("purge", "--dry-run", now=HALF_DUE_AT)[0]


def _count(stock: Stock, office: Office) -> Cost:
    return stock.kind.script(office.folder, _COUNT.replace(":cutoff", str(stock.due(HALF_DUE_AT).cutoff)))
