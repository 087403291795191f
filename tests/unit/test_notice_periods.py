"""Periods as notices write them: found exactly, or said to be unsure; never rounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.model import Period
from retention.notice.numerals import number_of, say_number
from retention.notice.periods import periods_in, say_period_in_words
from retention.notice.reading import tidy

EXACT = {
    "for three months": "P3M",
    "for 3 months": "P3M",
    "for THREE MONTHS": "P3M",
    "for three (3) months": "P3M",
    "for 3 (three) months": "P3M",
    "for three calendar months": "P3M",
    "a three-month period": "P3M",
    "a 3-month period": "P3M",
    "for up to three months": "P3M",
    "for no longer than three months": "P3M",
    "will not be stored for longer than three months": "P3M",
    "for three months from the date we receive it": "P3M",
    "three months after you send it": "P3M",
    "for 90 days": "P90D",
    "for ninety days": "P90D",
    "for one hundred and eighty days": "P180D",
    "for a month": "P1M",
    "for a year": "P1Y",
    "for a year and a half": "P1Y6M",
    "for one and a half years": "P1Y6M",
    "for eighteen months": "P1Y6M",
    "for one year and six months": "P1Y6M",
    "for one year, two months and three days": "P1Y2M3D",
    "for half a year": "P6M",
    "for six weeks": "P42D",
    "for a fortnight": "P14D",
    "for twenty-three months": "P1Y11M",
    "for twenty three months": "P1Y11M",
}
UNSURE = [
    "for a quarter",
    "deleted quarterly",
    "for about three months",
    "for approximately 3 months",
    "for at least three months",
    "for more than three months",
    "usually for three months",
    "for three to six months",
    "for 3-6 months",
    "between three and six months",
    "for three months or longer",
    "for a few months",
    "for several weeks",
    "for 1.5 years",
    "for 1½ years",
    "for three (6) months",
    "for 24 hours",
    "for ninety working days",
    "for as long as necessary",
    "for no longer than is necessary",
    "indefinitely",
    "will not be stored for three months",
    "for three months after your case is closed",
    "for three months from your last message",
    "for three months following the end of the conversation",
    "for 0 days",
    "for 99999 years",
    "for two five months",
]


@pytest.mark.parametrize(("text", "period"), EXACT.items(), ids=EXACT)
def test_period_is_read_as_it_is_meant(text: str, period: str) -> None:
    [found] = periods_in(f"Messages are kept {text}.".replace("kept will", "will"))
    assert (str(found.period), found.doubt) == (period, "")


@pytest.mark.parametrize("text", UNSURE)
def test_wording_that_could_mean_several_things_is_unsure(text: str) -> None:
    found = periods_in(tidy(f"Messages {text}."))
    assert found
    assert all(one.doubt for one in found)


@pytest.mark.parametrize("text", ["", "daily", "in March 2026", "call 3 of us", "monthly", "day by day"])
def test_what_is_no_period_is_not_taken_for_one(text: str) -> None:
    assert periods_in(text) == []


@given(st.integers(0, 9999))
def test_every_number_is_read_as_it_is_spelled(number: int) -> None:
    assert number_of(say_number(number)) == number == number_of(str(number))


@pytest.mark.parametrize(
    "text", ["two five", "hundred three hundred", "three hundred hundred", "many", "1e3", "one thousand thousand"]
)
def test_words_that_are_no_number_are_none(text: str) -> None:
    assert number_of(text) is None


@given(st.integers(0, 600), st.integers(0, 400))
def test_every_period_is_found_as_it_is_written(months: int, days: int) -> None:
    if not months and not days:
        return
    period = Period(months, days)
    [found] = periods_in(f"It is kept for {say_period_in_words(period)}.")
    assert (found.period, found.doubt) == (period, "")


@pytest.mark.parametrize(
    ("period", "words"),
    [("P3M", "three months"), ("P90D", "90 days"), ("P1Y6M", "one year and six months"), ("P1D", "one day")],
)
def test_periods_are_written_in_plain_english(period: str, words: str) -> None:
    assert say_period_in_words(Period.parse(period)) == words


@given(st.text(max_size=300))
def test_any_text_can_be_searched(text: str) -> None:
    for found in periods_in(text):
        assert found.doubt or found.period
