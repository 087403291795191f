"""The form in which a column writes its times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from retention.sources.files.fields import FieldError
from retention.sources.files.times import LocalClock

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOKED_AT = 300
_MOST_WRONG = 0.1
_A_FEW = 2
_OFFSET = re.compile(r"(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})$", re.IGNORECASE)
_DAYS = tuple((f"%d{mark}%m{mark}{year}", f"%m{mark}%d{mark}{year}") for mark in "/.-" for year in ("%Y", "%y"))
_WORDY = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%a, %d %b %Y", "%Y/%m/%d", "%Y%m%d")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S %z", "%H:%M %z", "%H.%M")
_JOINTS = (" ", ", ", "T")
_WHOLE = ("%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %I:%M %p", "%a %b %d %H:%M:%S %z %Y")


@dataclass(frozen=True, slots=True)
class DateGuess:
    """``form`` is None for ISO 8601. ``other`` is a second form that fits as well: nobody but a person knows which."""

    form: str | None
    other: str | None
    has_offset: bool


def guess_dates(values: Sequence[str]) -> DateGuess | None:
    """Find the form of a column's values, or None where they are no times of day."""
    looked_at = values[:_LOOKED_AT]
    if not looked_at:
        return None
    has_offset = sum(_OFFSET.search(value) is not None for value in looked_at) > (1 - _MOST_WRONG) * len(looked_at)
    if _fits(None, looked_at):
        return DateGuess(None, None, has_offset)
    for joint in _JOINTS:
        for clock in _CLOCKS:
            for pair in _DAYS:
                forms = [f"{day}{joint}{clock}" for day in pair]
                if (found := _better(forms, looked_at)) is not None:
                    return DateGuess(*found, "%z" in clock)
    wordy = (f"{day}{joint}{clock}" for joint in _JOINTS for clock in _CLOCKS for day in _WORDY)
    for form in (*_WHOLE, *wordy):
        if _fits(form, looked_at):
            return DateGuess(form, None, "%z" in form)
    return None


def guess_epoch(values: Sequence[str]) -> DateGuess | None:
    """Find seconds or milliseconds since 1970; only the name of the column tells them from identifiers."""
    looked_at = values[:_LOOKED_AT]
    form = next((form for form in ("epoch", "epoch-ms") if looked_at and _fits(form, looked_at)), None)
    return None if form is None else DateGuess(form, None, has_offset=True)


def _better(forms: list[str], values: Sequence[str]) -> tuple[str, str | None] | None:
    """Give the form that more values fit, and the other one where as many fit that."""
    slips = {form: number for form in forms if (number := _slips(form, values)) is not None}
    if not slips:
        return None
    best = min(slips, key=lambda form: slips[form])
    return best, next((form for form in slips if form != best and slips[form] == slips[best]), None)


def _fits(form: str | None, values: Sequence[str]) -> bool:
    return _slips(form, values) is not None


def _slips(form: str | None, values: Sequence[str]) -> int | None:
    """Give how many values a form does not fit, or None where they are too many."""
    seconds_of = LocalClock(ZoneInfo("UTC"), form).reader()
    allowed = max(int(_MOST_WRONG * len(values)), len(values) > _A_FEW)  # one slip even among a few
    slips = 0
    for value in values:
        try:
            seconds_of(value)
        except FieldError:
            slips += 1
            if slips > allowed:
                return None
    return slips
