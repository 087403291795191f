"""The list that a person works from: one line a message, by day of receipt, as CSV or as a page to print.

The CSV has no clock in it: as long as nothing of an order is settled it is the same bytes each time, and their digest
is the one that the order's entry in the log carries. A random reference in its first line keeps the digest from being
guessed from an identifier; it is forgotten with the identifiers.
"""

from __future__ import annotations

import csv
import hashlib
from datetime import date
from html import escape
from io import StringIO
from itertools import groupby, islice
from typing import TYPE_CHECKING

from retention.policy.words import say_count, say_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from retention.store.orders import DisposalOrder

_FORMULA = frozenset("=+-@\t\r\n")  # a spreadsheet would take these for the start of a formula
_AT_ONCE = 5_000
_STYLE = (
    "body{font:11pt/1.4 sans-serif;margin:2cm}table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;"
    "padding:2pt 6pt;text-align:left}td:first-child{width:1.5em}h2{font-size:12pt;page-break-after:avoid}"
    "tr{page-break-inside:avoid}.drill{font-weight:bold}"
)


def csv_lines(order: DisposalOrder, items: Iterable[tuple[str, str]], *, drill: bool) -> Iterator[str]:
    """Spell an order as CSV, many lines at a time: its title, the names of the columns, one line a message."""
    title = [_title(order, drill=drill), order.source, f"due {order.due_on}", f"reference {order.salt or 'forgotten'}"]
    yield _lines([title, ["received_on", "message_id"]])
    rest = iter(items)
    while some := list(islice(rest, _AT_ONCE)):
        yield _lines((day, f"'{name}" if name[:1] in _FORMULA else name) for day, name in some)


def digest_of(lines: Iterable[str]) -> str:
    """Give ``sha256:`` and the hex digest of lines in UTF-8."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
    return f"sha256:{digest.hexdigest()}"


def html_lines(order: DisposalOrder, items: Iterable[tuple[str, str]], *, drill: bool) -> Iterator[str]:
    """Spell an order as a page to print, with a box to tick for each message and a place to sign."""
    title = _title(order, drill=drill)
    due = say_day(date.fromisoformat(order.due_on)) if order.due_on else ""
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    yield f"<style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n"
    yield (
        f"<p>These messages are past their retention period. Their copies at <b>{escape(order.source)}</b> are to be "
        f"deleted by the end of <b>{due}</b>. {say_count(order.left, 'message')}. "
        "Destroy this list when it is done.</p>\n"
    )
    for received_on, of_day in groupby(items, key=lambda item: item[0]):
        yield f"<h2>received on {say_day(date.fromisoformat(received_on))}</h2>\n<table>\n"
        for _, message_id in of_day:
            yield f"<tr><td>☐</td><td>{escape(message_id)}</td></tr>\n"
        yield "</table>\n"
    yield "<p>Carried out by: ______________________ &nbsp; on: ______________ &nbsp; reference: ______________</p>\n"
    yield f"<p>Then: retention upstream attest {order.id} --by NAME --reference TEXT</p>\n"
    yield f"<p>Reference of this list: {order.salt or 'forgotten'}</p>\n</body></html>\n"


def _title(order: DisposalOrder, *, drill: bool) -> str:
    return f"{'DRILL: ' if drill else ''}Disposal order {order.id}"


def _lines(rows: Iterable[Sequence[str]]) -> str:
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
