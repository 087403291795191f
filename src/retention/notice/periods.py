"""Periods in English: written as a notice writes them, and found in a sentence.

Where a wording could mean several things, the period found is *unsure*: a person must read the sentence. Nothing is
rounded: ninety days are not three months.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from retention.model import Period
from retention.notice.numerals import SPELLED, number_of, say_number

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS, _LONGEST = 12, 36_500
_FEW = 20
_NEAR = 120
_NUMBER = rf"(?:[0-9]{{1,5}}|{SPELLED}|an?)"
_UNIT = r"(?:years?|yrs?|months?|mths?|weeks?|wks?|fortnights?|days?)"
_ADJECTIVE = r"(?:(?:calendar|full|whole|consecutive|complete)[\s-]+)?"
_PART = rf"(?<![\w.,])({_NUMBER})(?:\s*\(\s*({_NUMBER})\s*\))?[\s-]+{_ADJECTIVE}({_UNIT})\b(\s+and\s+a\s+half\b)?"
_ONE = re.compile(_PART, re.IGNORECASE)
_JOINT = re.compile(r"\s*(?:,\s*(?:and\s+)?|and\s+|plus\s+|\s)", re.IGNORECASE)
_HALF_YEAR = re.compile(r"\bhalf[\s-]+(?:a[\s-]+|an[\s-]+)?year\b|\bsix[\s-]+monthly\b", re.IGNORECASE)
_AND_A_HALF = re.compile(rf"\b({_NUMBER})\s+and\s+a\s+half\s+years?\b", re.IGNORECASE)
_UNCLEAR = re.compile(
    rf"\b(?:a|one|the|per|each|every)\s+quarter\b|\bquarterly\b|\bquarter\s+of\s+a\s+year\b"
    rf"|\b(?:a\s+)?(?:few|several|couple\s+of|some|number\s+of)\s+{_ADJECTIVE}{_UNIT}\b"
    rf"|\b{_NUMBER}[\s-]+(?:working|business)\s+days?\b|\b{_NUMBER}[\s-]+(?:hours?|minutes?|decades?|terms?)\b"
    rf"|\b[0-9]+[.,\u2044][0-9]+[\s-]+{_UNIT}\b"
    rf"|\b(?:half|quarter)[\s-]+(?:a[\s-]+)?(?:month|week|day)\b"
    r"|\bas\s+long\s+as\s+(?:is\s+|it\s+is\s+|we\s+|necessary|needed|required|you\s+)"
    r"|\b(?:no|any)\s+longer\s+than\s+(?:is\s+|we\s+|necessary|needed)"
    r"|\b(?:indefinitely|permanently|for\s?ever|without\s+(?:a\s+)?(?:time\s+)?limit)\b",
    re.IGNORECASE,
)
_RANGE_BEFORE = re.compile(
    rf"(?:\bbetween\s+)?\b({_NUMBER})(?:[\s-]+{_UNIT})?(?:\s+(?:to|or|and)\s+|\s*-\s*)$", re.IGNORECASE
)
_ROUGHLY = re.compile(
    r"\b(?:about|around|approximately|approx\.?|roughly|circa|nearly|almost|some|(?:at\s+)?least|(?:a\s+)?minimum(?:\s+period)?"
    r"(?:\s+of)?|more\s+than|over|longer\s+than|(?:less|fewer|shorter|greater|sooner|earlier)\s+than|upwards\s+of|in\s+excess\s+of|typically|normally|usually|generally)\s+(?:for\s+|a\s+period\s+of\s+)?$",
    re.IGNORECASE,
)
_AT_MOST = re.compile(
    r"\b(?:no|not|never|n't)\b[^.;]{0,80}\b(?:longer|more|later|further)\s+than\s+(?:a\s+period\s+of\s+)?$"
    r"|\b(?:no|not)\s+(?:longer|more|later)\s+than\s+$|\b(?:not|never)\b[^.;]{0,60}\b(?:beyond|after|over|past)\s+$",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:\b(?:not|never)|n't)\s+(?:be\s+|being\s+)?(?:stored?|kept|keep|held|hold|retain(?:ed)?|saved?)\b[^.;]{0,60}$",
    re.IGNORECASE,
)
_OR_MORE = re.compile(r"\s+(?:or|to)\s+(?:more|longer|so)\b|\s+at\s+least\b|\s+minimum\b", re.IGNORECASE)
_PROLONGED = re.compile(
    r"\b(?:renew\w*|exten(?:d(?:s|ed|ing|able)?|sions?|sible)|prolong\w*|roll(?:s|ed|ing)?\s+over|twice|double[ds]?|"
    r"(?<!no\s)(?<!not\s)(?<!any\s)longer(?!\s+than))\b",
    re.IGNORECASE,
)
_SECOND = re.compile(
    rf"\b(?:[0-9]{{1,5}}|{SPELLED})\s+(?:for|if|when|where|otherwise|in\s+(?:the|other|any|all)\s)", re.IGNORECASE
)
_OTHER_START = re.compile(
    r"^\W{0,3}(?:after|from|following|since|once|of)\s+(?:(?:the|your|our|a|an|it|you|we|has|have|is|was|its|last|end|of|date|"
    r"day|when)\s+){0,7}(?:clos\w*|end\w*|conversation|case|enquiry|inquiry|query|account|resol\w*|complet\w*|year|"
    r"last|final\w*|answer\w*|repl\w*|respon\w*)\b",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """A period in a sentence: where it stands, what it is (None: no period can be made of it), and why unsure."""

    start: int
    end: int
    period: Period | None
    doubt: str


def say_period_in_words(period: Period) -> str:
    """Spell a period as a notice does: ``three months``, ``90 days``, ``one year and six months``."""
    years, months = divmod(period.months, _MONTHS)
    parts = [(years, "year"), (months, "month"), (period.days, "day")]
    said = [f"{_few(count)} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def periods_in(sentence: str) -> list[Found]:
    """Find every period of a sentence, in order."""
    found: list[Found] = []
    for one in sorted([*_special(sentence), *_plain(sentence)], key=lambda one: (one.start, -one.end)):
        if not found or one.start >= found[-1].end:
            found.append(one)
    return [_qualified(sentence, one) for one in found]


def _few(count: int) -> str:
    return say_number(count) if count <= _FEW else str(count)


def _special(sentence: str) -> Iterator[Found]:
    for match in _UNCLEAR.finditer(sentence):
        yield Found(match.start(), match.end(), None, "it gives no exact period")
    for match in _HALF_YEAR.finditer(sentence):
        yield Found(match.start(), match.end(), Period(6, 0), "")
    for match in _AND_A_HALF.finditer(sentence):
        years = number_of(match[1])
        months = Period(_MONTHS * years + 6, 0) if years is not None and years < _LONGEST else None
        yield Found(match.start(), match.end(), months, "" if months else "the number cannot be read")


def _plain(sentence: str) -> Iterator[Found]:
    """Give runs of parts such as ``one year and six months``; a part of the same or a larger unit begins anew."""
    place = 0
    while (match := _ONE.search(sentence, place)) is not None:
        start, end, months, days, doubt, rank = match.start(), match.end(), 0, 0, "", 9
        while match is not None and (present := _rank(match[3])) < rank:
            rank, end = present, match.end()
            more, extra, why = _length(match)
            months, days, doubt = months + more, days + extra, doubt or why
            joint = _JOINT.match(sentence, end)
            match = _ONE.match(sentence, joint.end()) if joint else None
        place = end
        sound = 0 < months + days <= _LONGEST
        yield Found(
            start, end, Period(months, days) if sound and not doubt else None, doubt if sound else "it is no period"
        )


def _rank(unit: str) -> int:
    return "dwfmy".index(unit[0].casefold())


def _length(match: re.Match[str]) -> tuple[int, int, str]:
    """Give months and days of one part, and why it cannot be read."""
    count, again = number_of(match[1]), number_of(match[2]) if match[2] else None
    if count is None or count > _LONGEST:
        return 0, 1, "the number cannot be read"
    if match[2] and again != count:
        return 0, 1, "the number in brackets is another one"
    unit = match[3][0].casefold()
    if match[4] and unit != "y":
        return 0, 1, "it gives no exact period"
    months = {"y": _MONTHS, "m": 1}.get(unit, 0) * count + (6 if match[4] else 0)
    return months, {"w": 7, "f": 14, "d": 1}.get(unit, 0) * count, ""


def _qualified(sentence: str, one: Found) -> Found:
    """Add the doubt that the words around a period cast on it."""
    if one.doubt:
        return one
    before, after = sentence[max(0, one.start - _NEAR) : one.start], sentence[one.end : one.end + _NEAR]
    at_most = _AT_MOST.search(before)
    doubts = (
        (_RANGE_BEFORE.search(before), "it gives a range"),
        (not at_most and _ROUGHLY.search(before), "it does not give the period exactly"),
        (not at_most and _DENIED.search(before), "it denies a period"),
        (_OR_MORE.match(after), "it does not give the period exactly"),
        (_PROLONGED.search(sentence), "it says that the period may be longer"),
        (_SECOND.search(before) or _SECOND.search(after), "it gives a second number"),
        (_OTHER_START.search(after), "it counts from another day than that of receipt"),
    )
    return one._replace(doubt=next((why for there, why in doubts if there), ""))
