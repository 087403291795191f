"""Print what a race found: our job first, then each yardstick with how much of it our job is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measure import Contender, Cost

_MIB = 1024 * 1024
_HEAD = ("", "CPU s", "wall s", "peak MiB", "written MiB", "per s", "CPU ratio", "wall ratio")
_LEAST = 0.0005  # seconds; less is not measured


@dataclass(frozen=True, slots=True)
class Heading:
    """What a table is about: the job, how many things one run of it deals with, and what it is good to know."""

    job: str
    count: int
    things: str
    note: str = ""


def show(heading: Heading, contenders: Sequence[Contender], costs: Sequence[Cost], runs: int) -> None:
    """Print one table."""
    ours = costs[0]
    rows = [_HEAD, _row(contenders[0].label, ours, heading.count, ours, "")]
    rows += [
        _row(contender.label, cost, heading.count, ours, "x")
        for contender, cost in zip(contenders[1:], costs[1:], strict=True)
    ]
    what = f"{heading.count:,} {heading.things}" if heading.count else heading.things
    print(f"\n{heading.job}: {what}; median of {runs} interleaved runs")
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print(f"  {'  '.join(cells)}".rstrip())
    if heading.note:
        print(f"  {heading.note}")


def _row(label: str, cost: Cost, count: int, ours: Cost, sign: str) -> tuple[str, ...]:
    return (
        label,
        _seconds(cost.cpu),
        _seconds(cost.wall),
        "-" if cost.peak is None else f"{cost.peak / _MIB:,.0f}",
        "-" if not cost.written else f"{cost.written / _MIB:,.1f}",
        f"{count / cost.wall:,.0f}" if count and cost.wall > _LEAST else "",
        _ratio(ours.cpu, cost.cpu) if sign else "",
        _ratio(ours.wall, cost.wall) if sign else "",
    )


def _seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def _ratio(ours: float, other: float) -> str:
    return f"{ours / other:.2f}x" if other > _LEAST else "-"
