"""The list that a person works from: safe for a spreadsheet, printable, the same bytes each time."""

from __future__ import annotations

import csv
import hashlib
from io import StringIO

import pytest

from retention.store.orders import DisposalOrder
from retention.upstream.listing import csv_lines, digest_of, html_lines

ORDER = DisposalOrder(
    3, "hootsuite-inbox", 1, 7, "ordered", 1, "2026-08-31", 2, 3, "2026-05-01", "2026-05-02", 1, None, "5a17",
    listed=3, absent=0, present=0, unknown=0,
)  # fmt: skip
ITEMS = [("2026-05-01", "m-1"), ("2026-05-01", "=cmd()"), ("2026-05-02", '<b>"x",y')]


def test_csv_names_order_source_day_and_reference_and_then_each_message() -> None:
    rows = list(csv.reader(StringIO("".join(csv_lines(ORDER, ITEMS, drill=False)))))
    assert rows == [
        ["Disposal order 3", "hootsuite-inbox", "due 2026-08-31", "reference 5a17"],
        ["received_on", "message_id"],
        ["2026-05-01", "m-1"],
        ["2026-05-01", "'=cmd()"],
        ["2026-05-02", '<b>"x",y'],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_formula_becomes_text(start: str) -> None:
    [_, lines] = csv_lines(ORDER, [("2026-05-01", f"{start}1")], drill=False)
    assert next(csv.reader(StringIO(lines, newline=""))) == ["2026-05-01", f"'{start}1"]


def test_digest_is_that_of_the_file() -> None:
    document = "".join(csv_lines(ORDER, ITEMS, drill=True)).encode()
    assert digest_of(csv_lines(ORDER, ITEMS, drill=True)) == f"sha256:{hashlib.sha256(document).hexdigest()}"


def test_page_escapes_what_it_names_and_counts_days() -> None:
    page = "".join(html_lines(ORDER, ITEMS, drill=False))
    assert "&lt;b&gt;&quot;x&quot;,y" in page
    assert page.count("<h2>") == 2
    assert "31 August 2026" in page
    assert "DRILL" not in page


@pytest.mark.parametrize("render", [csv_lines, html_lines])
def test_list_of_a_drill_says_so_and_a_forgotten_reference_too(render: object) -> None:
    assert callable(render)
    lines = "".join(render(ORDER._replace(salt=None, due_on=None), ITEMS, drill=True))
    assert "DRILL" in lines
    assert "forgotten" in lines
