"""``retention status`` on a day like any other, and with half of the register overdue.

Beside it: the same command on an empty register, which is what it costs to begin at all, and a bare count of all rows.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measure import Contender, race
from benchmarks.office import HALF_DUE_AT, INGESTED_AT
from benchmarks.table import Heading, show

if TYPE_CHECKING:
    from datetime import datetime

    from benchmarks.measure import Cost
    from benchmarks.office import Office
    from benchmarks.stock import Stock

_COUNT = "SELECT count(*) FROM message;"
_ANY_ANSWER = (0, 4, 5)  # kept, at risk, broken


def bench(stock: Stock, runs: int) -> None:
    """Measure and print, once for each of the two days."""
    registered = stock.due(HALF_DUE_AT).registered
    for day, when in (("nothing due", INGESTED_AT), ("half overdue", HALF_DUE_AT)):
        contenders = [
            Contender("retention status", partial(_ours, stock.filled, when)),
            Contender("the same, empty register", partial(_ours, stock.founded, when)),
            Contender(f"{stock.kind.tool}: bare count", lambda: stock.kind.script(stock.filled.folder, _COUNT)),
        ]
        heading = Heading(f"status, {stock.kind.title}, {day}", registered, "messages registered")
        show(heading, contenders, race(contenders, runs), runs)


def _ours(office: Office, now: datetime) -> Cost:
    return office.retention("status", now=now, accepted=_ANY_ANSWER)[0]
