"""Calendar months, proved day by day against an oracle that this project did not write.

``DEPTH=full`` takes every day of 1990 to 2100; else the days of 19 of these 111 years are taken, those around the leap
years 2000 and 2024 to 2028, and around 2100, which is none.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from itertools import pairwise

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from retention.model import Period
from retention.policy.period import expires_on, last_due_day
from tests.depth import deep

SPANS = deep([(1990, 2100)], [(1997, 2002), (2023, 2031), (2097, 2100)])
ONE_DAY = timedelta(days=1)
SPREAD = ["P1D", "P2W", "P90D", "P1M", "P1M10D", "P3M", "P6M", "P1Y", "P1Y6M", "P11M30D", "P3Y"]

dates = st.dates(date(1900, 1, 1), date(2500, 12, 31))
periods = st.builds(Period, months=st.integers(0, 120), days=st.integers(0, 400)).filter(lambda p: p != Period(0, 0))


@cache
def every_day() -> list[date]:
    spans = [(date(first, 1, 1), date(last, 12, 31)) for first, last in SPANS]
    return [first + timedelta(days=n) for first, last in spans for n in range((last - first).days + 1)]


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "months", [range(first, first + 6) for first in range(1, 37, 6)], ids=lambda r: f"{r[0]}-{r[-1]}"
)
def test_months_counted_forward_agree_with_an_independent_calendar(months: range) -> None:
    days = every_day()
    for count in months:
        keep, step = Period(count, 0), relativedelta(months=count)
        assert [expires_on(day, keep) for day in days] == [day + step for day in days]


@pytest.mark.unmeasured
@pytest.mark.parametrize("text", SPREAD)
def test_years_weeks_and_days_agree_with_it_too_and_expiry_never_decreases(text: str) -> None:
    keep = Period.parse(text)
    step = relativedelta(months=keep.months, days=keep.days)
    expiries = [expires_on(day, keep) for day in every_day()]
    assert expiries == [day + step for day in every_day()]
    assert all(earlier <= later for earlier, later in pairwise(expiries))


@pytest.mark.unmeasured
@pytest.mark.parametrize("text", SPREAD)
def test_the_cutoff_of_every_day_is_the_latest_day_whose_forward_expiry_has_passed(text: str) -> None:
    keep = Period.parse(text)
    for today in every_day():
        latest = last_due_day(today, keep)
        assert expires_on(latest, keep) < today <= expires_on(latest + ONE_DAY, keep)


@given(dates, dates, periods)
def test_the_cutoff_test_and_the_forward_test_agree_on_any_two_days(
    received_on: date, today: date, keep: Period
) -> None:
    assert (received_on <= last_due_day(today, keep)) == (expires_on(received_on, keep) < today)


@given(dates, periods, st.integers(-3, 3))
def test_the_two_tests_agree_around_the_edge(received_on: date, keep: Period, nudge: int) -> None:
    today = expires_on(received_on, keep) + timedelta(days=nudge)
    assert (received_on <= last_due_day(today, keep)) == (nudge > 0)


@given(dates, periods)
def test_the_cutoff_never_moves_back(today: date, keep: Period) -> None:
    assert last_due_day(today, keep) <= last_due_day(today + ONE_DAY, keep) < today


@pytest.mark.parametrize(
    ("received_on", "text", "kept_through"),
    [
        ("2026-11-30", "P3M", "2027-02-28"),
        ("2026-11-29", "P3M", "2027-02-28"),
        ("2026-11-28", "P3M", "2027-02-28"),
        ("2026-11-27", "P3M", "2027-02-27"),
        ("2026-12-01", "P3M", "2027-03-01"),
        ("2027-11-30", "P3M", "2028-02-29"),
        ("2027-11-29", "P3M", "2028-02-29"),
        ("2028-02-29", "P1Y", "2029-02-28"),
        ("2028-02-29", "P3M", "2028-05-29"),
        ("2028-02-29", "P4Y", "2032-02-29"),
        ("2027-02-28", "P1Y", "2028-02-28"),
        ("2099-11-30", "P3M", "2100-02-28"),
        ("1999-11-30", "P3M", "2000-02-29"),
        ("2026-01-31", "P1M", "2026-02-28"),
        ("2026-03-31", "P3M", "2026-06-30"),
        ("2026-05-31", "P6M", "2026-11-30"),
        ("2026-12-31", "P1D", "2027-01-01"),
        ("2026-01-31", "P1M1D", "2026-03-01"),
        ("2026-01-31", "P1M10D", "2026-03-10"),
        ("2026-08-31", "P1Y6M", "2028-02-29"),
        ("2026-11-30", "P90D", "2027-02-28"),
        ("2026-12-01", "P90D", "2027-03-01"),
        ("2026-06-01", "P90D", "2026-08-30"),
        ("2026-06-01", "P3M", "2026-09-01"),
    ],
)
def test_the_corresponding_date_or_the_last_day_of_its_month(received_on: str, text: str, kept_through: str) -> None:
    assert expires_on(date.fromisoformat(received_on), Period.parse(text)) == date.fromisoformat(kept_through)


@pytest.mark.parametrize(
    ("today", "text", "latest"),
    [
        ("2027-02-28", "P3M", "2026-11-27"),
        ("2027-03-01", "P3M", "2026-11-30"),
        ("2027-03-02", "P3M", "2026-12-01"),
        ("2028-02-29", "P3M", "2027-11-28"),
        ("2028-03-01", "P3M", "2027-11-30"),
        ("2026-05-31", "P3M", "2026-02-28"),
        ("2026-06-01", "P3M", "2026-02-28"),
        ("2026-06-02", "P3M", "2026-03-01"),
        ("2026-06-30", "P3M", "2026-03-29"),
        ("2026-07-01", "P3M", "2026-03-31"),
        ("2029-02-28", "P1Y", "2028-02-27"),
        ("2029-03-01", "P1Y", "2028-02-29"),
        ("2026-01-02", "P1D", "2025-12-31"),
    ],
)
def test_the_latest_due_day_is_found_where_counting_backward_has_no_answer(today: str, text: str, latest: str) -> None:
    assert last_due_day(date.fromisoformat(today), Period.parse(text)) == date.fromisoformat(latest)


@pytest.mark.parametrize(
    ("day", "keep"), [(date.max, Period(0, 1)), (date.max, Period(1, 0)), (date.max, Period(1200, 0))]
)
def test_a_period_that_leads_past_the_calendar_is_refused(day: date, keep: Period) -> None:
    with pytest.raises(OverflowError):
        expires_on(day, keep)


@pytest.mark.parametrize("keep", [Period(0, 1), Period(1, 0), Period(1200, 0)])
def test_a_cutoff_before_the_calendar_is_refused(keep: Period) -> None:
    with pytest.raises(OverflowError):
        last_due_day(date.min, keep)
