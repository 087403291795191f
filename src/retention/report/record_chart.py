"""A small bar chart as SVG: one bar a period, two lines to read it by, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from retention.report.record_words import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retention.report.record_counts import Span

_WIDTH, _HEIGHT = 680, 110
_LEFT, _RIGHT, _TOP, _BASE = 0, 44, 10, 90
_TEXT = 'font-family="Libertinus Serif" font-size="11.5" fill="#57606a"'
_GAP, _WIDEST = 0.28, 46
_LABEL_ALL = 12
_LEAST = 1.2  # the smallest count still shows


def chart_svg(spans: Sequence[Span]) -> str:
    """Draw the spans, which are not none, from left to right."""
    top = _nice(max(span.disposed for span in spans))
    step = (_WIDTH - _LEFT - _RIGHT) / len(spans)
    width = min(step * (1 - _GAP), _WIDEST)
    bars = [_bar(_LEFT + step * (index + 0.5), width, span.disposed / top) for index, span in enumerate(spans)]
    labels = [_label(index, step, spans) for index in _labelled(len(spans))]
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_TEXT}>',
            *(_line(share, top) for share in ((1.0, 0.5) if top > 1 else (1.0,))),
            f'<path d="{"".join(bars)}" fill="#14595f"/>',
            f'<path d="M{_LEFT} {_BASE}H{_WIDTH - _RIGHT}" stroke="#57606a" stroke-width="0.8"/>',
            *labels,
            "</svg>",
        ]
    )


def _nice(most: int) -> int:
    """Round up to a figure that halves well: 2, 4, 6, 8 or 10 times a power of ten; 1 stays."""
    if most == 1:
        return 1
    power = int("1".ljust(len(str(most - 1)), "0"))
    return next(power * factor for factor in (2, 4, 6, 8, 10) if power * factor >= most)


def _line(share: float, top: int) -> str:
    height = _BASE - (_BASE - _TOP) * share
    return (
        f'<path d="M{_LEFT} {height:g}H{_WIDTH - _RIGHT}" stroke="#d0d7de" stroke-width="0.8"/>'
        f'<text x="{_WIDTH - _RIGHT + 6}" y="{height + 4:g}">{number(top * share)}</text>'
    )


def _bar(middle: float, width: float, share: float) -> str:
    height = max((_BASE - _TOP) * share, _LEAST) if share else 0.0
    return f"M{middle - width / 2:.2f} {_BASE}v{-height:.2f}h{width:.2f}v{height:.2f}z" if height else ""


def _labelled(bars: int) -> list[int]:
    """Choose the bars that bear a label: every one of few, else the first, the last and some between."""
    if bars <= _LABEL_ALL:
        return list(range(bars))
    return sorted({round(part * (bars - 1) / 6) for part in range(7)})


def _label(index: int, step: float, spans: Sequence[Span]) -> str:
    """Write a bar's label under its middle; where bars are thin, the outermost labels would leave the drawing."""
    at, anchor = _LEFT + step * (index + 0.5), "middle"
    if len(spans) > _LABEL_ALL and index == 0:
        at, anchor = _LEFT, "start"
    elif len(spans) > _LABEL_ALL and index == len(spans) - 1:
        at, anchor = _WIDTH - _RIGHT, "end"
    return f'<text x="{at:.1f}" y="{_BASE + 16}" text-anchor="{anchor}">{escape(spans[index].short)}</text>'
