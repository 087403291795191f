"""Which days were seen, which were not, and what a file without a window in its name can prove."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.policy.coverage import (
    Days,
    Window,
    gaps,
    is_silent,
    matters,
    merged,
    named_window,
    touched_days,
    whole_days,
)
from retention.policy.days import local_day, start_of_day

LONDON = ZoneInfo("Europe/London")
_BASE = datetime(2026, 3, 20, tzinfo=UTC)


def _at(text: str, zone: ZoneInfo = LONDON) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def _window(first: str, last: str) -> Window:
    return Window(_at(first), _at(last))


def test_windows_that_overlap_or_touch_are_one() -> None:
    joined = merged(
        [
            _window("2026-05-08", "2026-05-16"),
            _window("2026-05-01", "2026-05-09"),
            _window("2026-05-02", "2026-05-03"),
            _window("2026-05-16", "2026-05-17"),
        ]
    )
    assert joined == [_window("2026-05-01", "2026-05-17")]
    assert gaps(joined, LONDON) == []


def test_second_that_a_name_ends_with_belongs_to_its_window() -> None:
    windows = [
        named_window(_at("2026-05-01"), _at("2026-05-07T23:59:59")),
        named_window(_at("2026-05-08"), _at("2026-05-14T23:59:59")),
    ]
    assert len(merged(windows)) == 1


def test_gap_is_told_in_local_days() -> None:
    covered = merged([_window("2026-05-01", "2026-05-03"), _window("2026-05-06", "2026-05-09")])
    assert gaps(covered, LONDON) == [Days(date(2026, 5, 3), date(2026, 5, 5))]
    kiritimati = ZoneInfo("Pacific/Kiritimati")
    assert gaps(covered, kiritimati) == [Days(date(2026, 5, 3), date(2026, 5, 6))]


def test_hole_within_a_day_is_a_gap_of_that_day() -> None:
    covered = merged([_window("2026-05-01", "2026-05-03T12:00"), _window("2026-05-03T14:00", "2026-05-09")])
    assert gaps(covered, LONDON) == [Days(date(2026, 5, 3), date(2026, 5, 3))]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_day_on_which_clocks_change_is_whole_with_its_own_hours(day: str, hours: int) -> None:
    start = _at(day)
    on = date.fromisoformat(day)
    assert whole_days(Window(start, start + timedelta(hours=hours)), LONDON) == Days(on, on)
    assert whole_days(Window(start, start + timedelta(hours=hours, seconds=-1)), LONDON) is None
    assert whole_days(Window(start + timedelta(seconds=1), start + timedelta(hours=hours)), LONDON) is None


def test_contents_touch_days_for_gaps_and_prove_only_what_lies_between() -> None:
    first, last = _at("2026-05-01T22:00"), _at("2026-05-04T07:00")
    assert touched_days(first, last, LONDON) == _window("2026-05-01", "2026-05-05")
    assert whole_days(Window(first, last), LONDON) == Days(date(2026, 5, 2), date(2026, 5, 3))


def test_gap_matters_while_a_message_of_it_could_be_kept() -> None:
    gap = Days(date(2026, 5, 3), date(2026, 5, 5))
    assert matters(gap, _at("2026-05-05T23:59:59"), LONDON)
    assert not matters(gap, _at("2026-05-06"), LONDON)


def test_silence_begins_after_what_was_expected() -> None:
    last = _at("2026-05-01T06:00")
    assert not is_silent(last, timedelta(days=1), last + timedelta(days=1))
    assert is_silent(last, timedelta(days=1), last + timedelta(days=1, seconds=1))


_spans = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), min_size=1, max_size=8)


@given(_spans, st.sampled_from(["Europe/London", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia"]))
def test_every_hour_is_covered_or_lies_in_a_gap_or_outside(spans: list[tuple[int, int]], name: str) -> None:
    zone = ZoneInfo(name)
    windows = [
        Window(_BASE + timedelta(hours=start), _BASE + timedelta(hours=start + length)) for start, length in spans
    ]
    covered = merged(windows)
    found = gaps(covered, zone)
    hour = min(window.start for window in windows)
    while hour < max(window.end for window in windows):
        seen = any(window.start <= hour < window.end for window in windows)
        assert seen == any(window.start <= hour < window.end for window in covered)
        if not seen:
            assert any(gap.first <= local_day(hour, zone) <= gap.last for gap in found)
        hour += timedelta(hours=1)
    for window in windows:
        days = whole_days(window, zone)
        if days is not None:
            assert start_of_day(days.first, zone) >= window.start
            assert start_of_day(days.last + timedelta(days=1), zone) <= window.end
