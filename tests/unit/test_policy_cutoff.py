"""A rule's cutoff says exactly what the due instant of each message says, in every zone and at every hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retention.model import Period
from retention.policy.schedule import Rule, Schedule
from tests.depth import tries

ZONES = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Beirut",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Pacific/Auckland",
]
STRANGE_DAYS = [
    date(2011, 12, 30),  # skipped in Apia
    date(2010, 11, 7),  # began twice in St John's
    date(2018, 11, 4),  # began at 01:00 in Sao Paulo
    date(2026, 4, 5),  # half an hour longer on Lord Howe
    date(2028, 2, 29),
]
ONE_SECOND = timedelta(seconds=1)

periods = st.builds(Period, months=st.integers(0, 36), days=st.integers(0, 100)).filter(lambda p: p != Period(0, 0))
zones = st.sampled_from(ZONES)
moments = st.datetimes(datetime(1975, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone
strange_moments = st.builds(
    lambda day, seconds: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds),
    st.sampled_from(STRANGE_DAYS),
    st.integers(-2 * 86_400, 2 * 86_400),
)
seconds_around = st.one_of(st.integers(-2, 2), st.integers(-7200, 7200), st.integers(-200_000, 200_000))


def ruled(time_zone: str, keep: Period) -> tuple[Schedule, Rule]:
    rule = Rule("direct-messages", {"visibility": ("private",)}, keep, "Privacy notice")
    return Schedule(time_zone, (rule,)), rule


def both_agree(time_zone: str, keep: Period, received_at: datetime, now: datetime) -> bool:
    schedule, rule = ruled(time_zone, keep)
    return (received_at < schedule.cutoff(rule, now)) == (schedule.due_at(rule, received_at) <= now)


@given(zones, periods, moments, moments)
@settings(max_examples=tries(1000))
def test_the_cutoff_and_the_due_instant_agree_on_any_message_at_any_time(
    time_zone: str, keep: Period, received_at: datetime, now: datetime
) -> None:
    assert both_agree(time_zone, keep, received_at, now)


@given(zones, periods, st.one_of(moments, strange_moments), seconds_around)
@settings(max_examples=tries(1000))
def test_they_agree_around_the_moment_at_which_a_message_becomes_due(
    time_zone: str, keep: Period, received_at: datetime, seconds: int
) -> None:
    schedule, rule = ruled(time_zone, keep)
    assert both_agree(time_zone, keep, received_at, schedule.due_at(rule, received_at) + timedelta(seconds=seconds))


@given(zones, periods, st.one_of(moments, strange_moments), seconds_around)
@example("Pacific/Apia", Period(1, 0), datetime(2011, 12, 30, 10, tzinfo=UTC), -1)
@example("America/St_Johns", Period(0, 1), datetime(2010, 11, 7, 2, 30, 30, tzinfo=UTC), 0)
@settings(max_examples=tries(1000))
def test_they_agree_around_the_cutoff(time_zone: str, keep: Period, now: datetime, seconds: int) -> None:
    schedule, rule = ruled(time_zone, keep)
    assert both_agree(time_zone, keep, schedule.cutoff(rule, now) + timedelta(seconds=seconds), now)


@given(zones, periods, st.one_of(moments, strange_moments))
@settings(max_examples=tries(500))
def test_a_message_is_never_due_on_a_day_on_which_it_may_be_kept(
    time_zone: str, keep: Period, received_at: datetime
) -> None:
    schedule, rule = ruled(time_zone, keep)
    due_at, last_day = schedule.due_at(rule, received_at), schedule.expires_on(rule, received_at)
    assert schedule.today(due_at) > last_day
    assert schedule.today(due_at - ONE_SECOND) <= last_day
    assert received_at < due_at


@given(zones, periods, st.one_of(moments, strange_moments), st.integers(0, 400_000))
@settings(max_examples=tries(500))
def test_what_came_later_is_never_due_earlier(time_zone: str, keep: Period, received_at: datetime, later: int) -> None:
    schedule, rule = ruled(time_zone, keep)
    after = received_at + timedelta(seconds=later)
    assert schedule.due_at(rule, received_at) <= schedule.due_at(rule, after)
    assert schedule.cutoff(rule, received_at) <= schedule.cutoff(rule, after)


@given(zones, periods, moments, st.integers(0, 86_399))
@settings(max_examples=tries(300))
def test_the_hour_of_receipt_changes_nothing(time_zone: str, keep: Period, received_at: datetime, later: int) -> None:
    schedule, rule = ruled(time_zone, keep)
    after = received_at + timedelta(seconds=later)
    if schedule.today(after) == schedule.today(received_at):
        assert schedule.due_at(rule, after) == schedule.due_at(rule, received_at)
        assert schedule.cutoff(rule, after) == schedule.cutoff(rule, received_at)


@pytest.mark.parametrize(
    ("time_zone", "keep", "received_at", "expires_on", "due_at"),
    [
        ("Europe/London", "P3M", "2026-11-30T12:00:00Z", "2027-02-28", "2027-03-01T00:00:00Z"),
        ("Europe/London", "P3M", "2027-11-30T12:00:00Z", "2028-02-29", "2028-03-01T00:00:00Z"),
        ("Europe/London", "P3M", "2026-03-31T22:59:59Z", "2026-06-30", "2026-06-30T23:00:00Z"),
        ("Europe/London", "P3M", "2026-03-31T23:00:00Z", "2026-07-01", "2026-07-01T23:00:00Z"),
        ("Europe/London", "P3M", "2026-12-28T10:00:00Z", "2027-03-28", "2027-03-28T23:00:00Z"),
        ("Europe/London", "P1D", "2026-03-28T10:00:00Z", "2026-03-29", "2026-03-29T23:00:00Z"),
        ("Europe/London", "P1D", "2026-10-24T10:00:00Z", "2026-10-25", "2026-10-26T00:00:00Z"),
        ("America/New_York", "P1D", "2026-10-31T12:00:00Z", "2026-11-01", "2026-11-02T05:00:00Z"),
        ("Australia/Lord_Howe", "P1D", "2026-04-04T00:00:00Z", "2026-04-05", "2026-04-05T13:30:00Z"),
        ("Pacific/Apia", "P1M", "2011-11-30T00:00:00Z", "2011-12-29", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "P1M", "2011-12-01T00:00:00Z", "2011-12-30", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "P1M", "2011-12-02T00:00:00Z", "2012-01-01", "2012-01-01T10:00:00Z"),
        ("Pacific/Apia", "P1D", "2011-12-30T10:00:00Z", "2012-01-01", "2012-01-01T10:00:00Z"),
        ("America/Sao_Paulo", "P3M", "2018-08-03T12:00:00Z", "2018-11-03", "2018-11-04T03:00:00Z"),
        ("America/St_Johns", "P1D", "2010-11-05T12:00:00Z", "2010-11-06", "2010-11-07T03:30:00Z"),
        ("America/St_Johns", "P1D", "2010-11-07T02:30:30Z", "2010-11-07", "2010-11-08T03:30:00Z"),
        ("America/Havana", "P1D", "2026-10-31T12:00:00Z", "2026-11-01", "2026-11-02T05:00:00Z"),
    ],
)
def test_a_message_is_due_from_the_start_of_the_day_after_its_last(
    time_zone: str, keep: str, received_at: str, expires_on: str, due_at: str
) -> None:
    schedule, rule = ruled(time_zone, Period.parse(keep))
    moment = datetime.fromisoformat(received_at)
    assert schedule.expires_on(rule, moment) == date.fromisoformat(expires_on)
    assert schedule.due_at(rule, moment) == datetime.fromisoformat(due_at)


@pytest.mark.parametrize(
    ("time_zone", "keep", "now", "cutoff"),
    [
        ("Europe/London", "P3M", "2027-02-28T23:59:59Z", "2026-11-28T00:00:00Z"),
        ("Europe/London", "P3M", "2027-03-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("Europe/London", "P3M", "2026-06-30T22:59:59Z", "2026-03-30T00:00:00+01:00"),
        ("Europe/London", "P3M", "2026-06-30T23:00:00Z", "2026-04-01T00:00:00+01:00"),
        ("Pacific/Apia", "P1D", "2011-12-30T09:59:59Z", "2011-12-28T10:00:00Z"),
        ("Pacific/Apia", "P1D", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"),
        ("America/Sao_Paulo", "P1D", "2018-11-06T02:00:00Z", "2018-11-05T02:00:00Z"),
        ("America/Sao_Paulo", "P1D", "2018-11-06T01:59:59Z", "2018-11-04T03:00:00Z"),
    ],
)
def test_everything_before_the_cutoff_is_due(time_zone: str, keep: str, now: str, cutoff: str) -> None:
    schedule, rule = ruled(time_zone, Period.parse(keep))
    found = schedule.cutoff(rule, datetime.fromisoformat(now))
    assert found == datetime.fromisoformat(cutoff)
    assert found.utcoffset() == timedelta(0)
