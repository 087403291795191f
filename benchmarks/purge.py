"""The purge of about half of the register, beside a bare DELETE of the same rows.

Ours plans, tests holds, batches, writes an entry and its hashes for each message, counts anew, erases, looks for what
is left and signs. The bare DELETE is one statement on the same table, and on SQLite also on a conventional one.
"""

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

_DELETE = "DELETE FROM message WHERE received_at < :cutoff;"


def bench(stock: Stock, runs: int) -> None:
    """Measure and print."""
    tool, half = stock.kind.tool, stock.half
    contenders = [
        Contender("retention purge", lambda: _ours(stock)),
        Contender(f"{tool}: bare DELETE, our table", lambda: _delete(stock, stock.filled)),
    ]
    if stock.kind.name == SQLITE:
        conventional = Contender(f"{tool}: bare DELETE, conventional", lambda: _delete(stock, stock.conventional))
        contenders.append(conventional)
    things = f"messages due of {half.registered:,} registered"
    show(Heading(f"purge, {stock.kind.title}", half.due, things), contenders, race(contenders, runs), runs)


def _ours(stock: Stock) -> Cost:
    with stock.filled.copied() as office:
        return office.retention("purge", now=HALF_DUE_AT)[0]


def _delete(stock: Stock, original: Office) -> Cost:
    with original.copied() as office:
        return stock.kind.script(office.folder, _DELETE.replace(":cutoff", str(stock.half.cutoff)))
