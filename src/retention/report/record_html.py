"""A disposal record as one HTML file: no script, nothing loaded, and it prints on one page."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from retention.report.record_page import page_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retention.report.record import Record
    from retention.report.record_page import Page, Table

_STYLE = Path(__file__).with_name("record.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def record_as_html(record: Record) -> bytes:
    """Write a record as HTML in UTF-8, the same bytes each time."""
    page = page_of(record)
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(page.title)}{' (DRILL)' if page.drill else ''}</title>",
        f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style>",
        "</head>",
        "<body>",
        f'<p class="drill" role="note">{escape(page.drill)}</p>' if page.drill else "",
        "<main>",
        *_head(page),
        *_rules(page),
        *_counts(page),
        *_findings(page),
        *_proof(page),
        "</main>",
        "</body>",
        "</html>",
    ]
    return ("\n".join(part for part in parts if part) + "\n").encode()


def _head(page: Page) -> Iterable[str]:
    yield "<header>"
    yield '<p class="kicker">Disposal record</p>'
    yield f"<h1>{escape(page.headline)}</h1>"
    yield f'<p class="standfirst">{escape(page.standfirst)}</p>'
    for warning in page.warnings:
        yield f'<p class="warning">{escape(warning)}</p>'
    yield "</header>"
    yield '<dl class="figures">'
    for value, label, note in page.figures:
        yield (
            f"<div><dt>{escape(label)}</dt>"
            f'<dd class="value">{escape(value)}</dd><dd class="note">{escape(note)}</dd></div>'
        )
    yield "</dl>"


def _rules(page: Page) -> Iterable[str]:
    yield "<section>\n<h2>Rule and authority</h2>"
    for name, keep, authority, cutoff, disposed in page.rules:
        yield f"<p><strong>{escape(name)}</strong>, {escape(keep)}: {escape(disposed)}, {escape(cutoff)}.<br>"
        yield f"<em>{escape(authority)}</em></p>"
    if page.idle_rules:
        yield f'<p class="quiet">{escape(page.idle_rules)}</p>'
    yield "</section>"


def _counts(page: Page) -> Iterable[str]:
    if page.chart:
        yield f"<section>\n<h2>{escape(page.chart_caption)}</h2>"
        yield f'<div class="chart" role="img" aria-label="{escape(page.chart_alt)}">{page.chart}</div>\n</section>'
    if page.table is not None:
        yield from _table(page.table)


def _table(table: Table) -> Iterable[str]:
    yield f'<section>\n<h2 id="counts">{escape(table.caption)}</h2>'
    yield '<table aria-labelledby="counts">\n<thead>'
    yield _row(table.head, 'th scope="col"', 'th scope="col"')
    yield "</thead>\n<tbody>"
    yield from (_row(row, 'th scope="row"', "td") for row in table.rows)
    yield "</tbody>\n<tfoot>"
    yield _row(table.foot, 'th scope="row"', "td")
    yield "</tfoot>\n</table>\n</section>"


def _row(cells: list[str], first: str, other: str) -> str:
    tags = [first, *[other] * (len(cells) - 1)]
    spelled = (f"<{tag}>{escape(cell)}</{tag[:2]}>" for tag, cell in zip(tags, cells, strict=True))
    return f"<tr>{''.join(spelled)}</tr>"


def _findings(page: Page) -> Iterable[str]:
    yield '<div class="columns">\n<section>\n<h2>Holds and checks</h2>'
    yield _lines(page.checks, "")
    yield "</section>\n<section>\n<h2>Evidence</h2>"
    yield _lines(page.evidence, "")
    yield "</section>\n</div>"
    if page.belts:
        yield f"<section>\n<h2>Safety belts</h2>\n{_lines(page.belts, '')}\n</section>"
    yield '<section>\n<h2 id="reach">Not yet beyond reach, and until when</h2>'
    yield '<table class="reach" aria-labelledby="reach">\n<tbody>'
    yield from (_row(list(row), 'th scope="row"', "td") for row in page.beyond_reach)
    yield "</tbody>\n</table>\n</section>"


def _proof(page: Page) -> Iterable[str]:
    yield '<div class="proof">'
    yield f'<div class="qr" role="img" aria-label="{escape(page.qr_alt)}">{page.qr}</div>\n<div>'
    yield "<section>\n<h2>Proof: the signed checkpoint that covers this run</h2>"
    yield _lines(page.proof, ' class="mono"')
    yield "</section>\n<section>\n<h2>How to verify</h2>\n<ol>"
    for command, shows in page.steps:
        yield f'<li><code>{escape(command)}</code><br><span class="quiet">{escape(shows)}</span></li>'
    yield "</ol>\n</section>\n</div>\n</div>"


def _lines(rows: Iterable[tuple[str, str]], kind: str) -> str:
    spelled = (f"<dt>{escape(label)}</dt><dd{kind}>{escape(text)}</dd>" for label, text in rows)
    return f'<dl class="lines">{"".join(spelled)}</dl>'
