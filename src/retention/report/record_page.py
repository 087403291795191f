"""The page of a disposal record, ready to be set: every text, the table, and the two drawings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.report import record_words as words
from retention.report.qr import qr_svg
from retention.report.record_chart import chart_svg
from retention.report.record_counts import OTHER, networks_of, spans

if TYPE_CHECKING:
    from retention.report.record import Record
    from retention.report.record_words import Figure, Line, RuleWords

MAX_ROWS, MAX_BARS, MAX_NETWORKS = 8, 62, 7


@dataclass(frozen=True, slots=True)
class Table:
    """Counts by period and network; every cell is text, the first of a row its label, the last its total."""

    caption: str
    head: list[str]
    rows: list[list[str]]
    foot: list[str]


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on the page, from top to bottom. ``date`` is the run's local day as year, month and day."""

    title: str
    drill: str
    headline: str
    standfirst: str
    warnings: list[str]
    figures: list[Figure]
    rules: list[RuleWords]
    idle_rules: str
    chart_caption: str
    chart: str
    chart_alt: str
    table: Table | None
    checks: list[Line]
    belts: list[Line]
    evidence: list[Line]
    beyond_reach: list[tuple[str, str, str]]
    proof: list[Line]
    steps: list[Line]
    qr: str
    qr_alt: str
    date: tuple[int, int, int]


def page_of(record: Record) -> Page:
    """Set out a record as a page."""
    bars = spans(record.counts, MAX_BARS)
    day = words.local_time(record, record.run.started_at)
    caption = f"Messages disposed of, by {bars.unit} of receipt"
    return Page(
        title=f"Disposal record of run {record.run.id}",
        drill=words.drill_banner(record),
        headline=words.headline(record),
        standfirst=words.standfirst(record),
        warnings=words.warnings(record),
        figures=words.figures(record),
        rules=words.rules(record),
        idle_rules=words.idle_rules(record),
        chart_caption=caption if bars.spans else "",
        chart=chart_svg(bars.spans) if bars.spans else "",
        chart_alt=_alt(caption, [(span.label, span.disposed) for span in bars.spans]),
        table=_table(record) if record.counts else None,
        checks=words.checks(record),
        belts=words.belts(record.belts),
        evidence=words.evidence(record),
        beyond_reach=words.beyond_reach(record),
        proof=words.proof(record),
        steps=words.steps_of(record),
        qr=qr_svg(record.checkpoint.note),
        qr_alt=f"QR code of the signed checkpoint at {words.number(record.checkpoint.size)} entries",
        date=(day.year, day.month, day.day),
    )


def _alt(caption: str, bars: list[tuple[str, int]]) -> str:
    if not bars:
        return ""
    label, most = max(bars, key=lambda bar: bar[1])
    return f"Bar chart. {caption}: {len(bars)} bars from {bars[0][0]} to {bars[-1][0]}; the highest is {most}, {label}."


def _table(record: Record) -> Table:
    rows = spans(record.counts, MAX_ROWS)
    names = networks_of(record.counts, MAX_NETWORKS)
    named = set(names) - {OTHER}
    made: list[list[int]] = []
    for span in rows.spans:
        cells = [span.networks.get(name, 0) for name in names]
        if OTHER in names:
            cells[-1] = sum(count for name, count in span.networks.items() if name not in named)
        made.append([*cells, span.disposed])
    sums = [sum(column) for column in zip(*made, strict=True)]
    return Table(
        caption=f"By {rows.unit} of receipt and network",
        head=[rows.unit.capitalize(), *names, "total"],
        rows=[[span.label, *map(words.number, cells)] for span, cells in zip(rows.spans, made, strict=True)],
        foot=["Total", *map(words.number, sums)],
    )
