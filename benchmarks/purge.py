"""The purge of about half of the register, and of one day of it, beside a bare DELETE of the same rows.

Ours plans, tests holds, batches, writes an entry and its hashes for each message, counts anew, erases, looks for what
is left and signs. The bare DELETE is one statement on the same table, and on SQLite also on a conventional one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.databases import SQLITE
from benchmarks.measure import Contender, race
from benchmarks.office import DAY_DUE_AT, HALF_DUE_AT
from benchmarks.table import Heading, show

if TYPE_CHECKING:
    from datetime import datetime

    from benchmarks.measure import Cost
    from benchmarks.office import Office
    from benchmarks.stock import Stock

_DELETE = "DELETE FROM message WHERE received_at < :cutoff;"


def bench(stock: Stock, runs: int) -> None:
    """Measure and print, once for each share of the register."""
    for share, when in (("half", HALF_DUE_AT), ("one day", DAY_DUE_AT)):
        tool, due = stock.kind.tool, stock.due(when)
        contenders = [
            Contender("retention purge", partial(_ours, stock, when)),
            Contender(f"{tool}: bare DELETE, our table", partial(_delete, stock, stock.filled, due.cutoff)),
        ]
        if stock.kind.name == SQLITE:
            conventional = partial(_delete, stock, stock.conventional, due.cutoff)
            contenders.append(Contender(f"{tool}: bare DELETE, conventional", conventional))
        things = f"messages due of {due.registered:,} registered"
        heading = Heading(f"purge of {share}, {stock.kind.title}", due.due, things)
        show(heading, contenders, race(contenders, runs), runs)


def _ours(stock: Stock, now: datetime) -> Cost:
    with stock.filled.copied() as office:
        return office.retention("purge", now=now)[0]


def _delete(stock: Stock, original: Office, cutoff: int) -> Cost:
    with original.copied() as office:
        return stock.kind.script(office.folder, _DELETE.replace(":cutoff", str(cutoff)))
