from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.model import Period
from retention.policy.period import expires_on
from retention.report.record_counts import OTHER, DayCount, days_past_due, lateness, networks_of, spans
from tests.unit.record_kit import counts

DAYS = st.dates(date(1995, 1, 1), date(2090, 12, 31))
COUNTS = st.lists(
    st.builds(DayCount, DAYS, st.sampled_from(["facebook", "instagram", "x"]), st.integers(1, 10**6)), max_size=30
)


def test_a_message_disposed_of_on_its_first_due_day_is_no_day_late() -> None:
    assert days_past_due(date(2026, 8, 22), Period.parse("P3M"), date(2026, 11, 23)) == 0
    assert days_past_due(date(2026, 8, 31), Period.parse("P3M"), date(2026, 12, 1)) == 0
    assert days_past_due(date(2026, 8, 16), Period.parse("P3M"), date(2026, 11, 23)) == 6


@given(DAYS, st.integers(1, 60), st.integers(1, 400))
def test_days_past_due_count_on_from_the_last_permitted_day(received_on: date, months: int, days: int) -> None:
    keep = Period(months, 0)
    assert days_past_due(received_on, keep, expires_on(received_on, keep) + timedelta(days=days)) == days - 1


@given(st.dictionaries(st.integers(0, 400), st.integers(1, 40), min_size=1, max_size=20))
def test_lateness_of_counts_is_that_of_the_messages_one_by_one(days: dict[int, int]) -> None:
    one_by_one = list(Counter(days).elements())
    assert lateness(days) == (min(one_by_one), median(one_by_one), max(one_by_one), len(one_by_one))


def test_nothing_has_no_lateness() -> None:
    assert lateness({}) is None


@given(COUNTS, st.integers(1, 70))
def test_periods_are_few_follow_each_other_and_lose_no_message(found: list[DayCount], limit: int) -> None:
    gathered = spans(found, limit)
    assert len(gathered.spans) <= limit
    assert sum(span.disposed for span in gathered.spans) == sum(count.disposed for count in found)
    assert len({span.label for span in gathered.spans}) == len(gathered.spans)


@pytest.mark.parametrize(
    ("days", "limit", "told"),
    [
        (7, 8, "7 day: 16 August 2026 to 22 August 2026"),
        (20, 8, "3 week: 3 \N{EN DASH} 9 Aug 2026 to 17 \N{EN DASH} 23 Aug 2026"),
        (200, 8, "7 month: February 2026 to August 2026"),
        (300, 8, "4 quarter: Oct \N{EN DASH} Dec 2025 to Jul \N{EN DASH} Sep 2026"),
        (300, 62, "43 week: 27 Oct \N{EN DASH} 2 Nov 2025 to 17 \N{EN DASH} 23 Aug 2026"),
        (2000, 8, "6 year: 2021 to 2026"),
        (4000, 8, "8 year: 2015 \N{EN DASH} 2019 to 2026"),
    ],
)
def test_the_shortest_period_is_taken_that_fits(days: int, limit: int, told: str) -> None:
    unit, found = spans(counts(days), limit)
    assert f"{len(found)} {unit}: {found[0].label} to {found[-1].label}" == told


def test_a_week_over_new_year_names_both_years() -> None:
    ends = [DayCount(date(2025, 12, 1), "x", 1), DayCount(date(2025, 12, 31), "x", 1)]
    assert spans(ends, 8).spans[-1].label == "29 Dec 2025 \N{EN DASH} 4 Jan 2026"


def test_an_empty_day_between_others_has_its_place() -> None:
    ends = [DayCount(date(2026, 8, 1), "x", 2), DayCount(date(2026, 8, 3), "x", 3)]
    assert [span.disposed for span in spans(ends, 8).spans] == [2, 0, 3]


def test_the_busiest_networks_are_named_and_the_rest_is_one() -> None:
    day = date(2026, 8, 1)
    found = [DayCount(day, name, number) for name, number in (("a", 1), ("b", 5), ("c", 3), ("d", 3))]
    assert networks_of(found, 4) == ["b", "c", "d", "a"]
    assert networks_of(found, 3) == ["b", "c", OTHER]
