"""Local days are a partition of time, in the zones whose clocks do the strangest things at midnight.

What walks through years takes 2003 to 2023, in which clocks did all that they ever did; ``DEPTH=full`` takes 1975 to
2040.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.policy.days import local_day, start_of_day
from tests.depth import deep, tries

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
YEARS = deep((1975, 2040), (2003, 2023))
ONE_DAY, ONE_MINUTE, ONE_SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
LONGEST_LEAD = timedelta(hours=38)  # past this, no zone shows the day before any more

zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(1975, 1, 1), date(2105, 12, 31))
moments = st.datetimes(datetime(1975, 1, 1), datetime(2105, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone


def scanned_start(day: date, zone: ZoneInfo) -> datetime:
    """Walk back, minute by minute, to the first instant from which the wall clock never shows an earlier day."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + LONGEST_LEAD
    while (moment - ONE_MINUTE).astimezone(zone).date() >= day:
        moment -= ONE_MINUTE
    return moment


def midnight_changes(zone: ZoneInfo) -> list[date]:
    """List the days of these years beside which the zone changed its offset."""
    first, last = date(YEARS[0], 1, 1), date(YEARS[1], 12, 31)
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    offsets = [datetime(d.year, d.month, d.day, 12, tzinfo=UTC).astimezone(zone).utcoffset() for d in every]
    return [day for before, day, after in zip(offsets, every[1:], offsets[2:], strict=False) if before != after]


@given(moments, zones)
@settings(max_examples=tries(1000))
def test_every_instant_lies_in_exactly_one_local_day(moment: datetime, zone: ZoneInfo) -> None:
    day = local_day(moment, zone)
    assert start_of_day(day, zone) <= moment < start_of_day(day + ONE_DAY, zone)


@given(days, zones, st.integers(-5400, 5400))
@settings(max_examples=tries(1000))
def test_instants_around_midnight_lie_in_exactly_one_local_day(day: date, zone: ZoneInfo, seconds: int) -> None:
    moment = start_of_day(day, zone) + timedelta(seconds=seconds)
    found = local_day(moment, zone)
    assert start_of_day(found, zone) <= moment < start_of_day(found + ONE_DAY, zone)


@given(days, zones)
@settings(max_examples=tries(300))
def test_a_day_starts_where_the_wall_clock_stops_showing_earlier_days(day: date, zone: ZoneInfo) -> None:
    assert start_of_day(day, zone) == scanned_start(day, zone)


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", ZONES)
def test_beside_every_change_of_the_clocks_days_start_where_a_scan_finds_it(name: str) -> None:
    zone = ZoneInfo(name)
    for day in midnight_changes(zone):
        assert start_of_day(day, zone) == scanned_start(day, zone)


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", ZONES)
def test_days_follow_each_other_without_gap_or_overlap(name: str) -> None:
    zone, day = ZoneInfo(name), date(YEARS[0], 1, 1)
    start = start_of_day(day, zone)
    while day.year <= YEARS[1]:
        following = start_of_day(day + ONE_DAY, zone)
        if start < following:
            assert local_day(start, zone) == local_day(following - ONE_SECOND, zone) == day
        else:
            assert (start, day) == (following, date(2011, 12, 30))  # the day that Apia skipped
        start, day = following, day + ONE_DAY


@given(moments, zones)
@settings(max_examples=tries(300))
def test_no_message_is_given_a_later_day_than_its_wall_clock_showed(moment: datetime, zone: ZoneInfo) -> None:
    assert local_day(moment, zone) <= moment.astimezone(zone).date()


@given(moments, zones, zones)
def test_the_day_of_an_instant_does_not_depend_on_how_the_instant_is_written(
    moment: datetime, zone: ZoneInfo, other: ZoneInfo
) -> None:
    assert local_day(moment.astimezone(other), zone) == local_day(moment, zone)


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/London", "2026-03-29", 23),
        ("Europe/London", "2026-10-25", 25),
        ("Europe/London", "2026-06-01", 24),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Pacific/Auckland", "2026-04-05", 25),
        ("Pacific/Auckland", "2026-09-27", 23),
        ("Pacific/Apia", "2011-12-29", 24),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Pacific/Apia", "2011-12-31", 24),
        ("America/Sao_Paulo", "2018-02-17", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/St_Johns", "2010-11-06", 25),
        ("America/St_Johns", "2010-03-14", 23),
        ("America/Havana", "2026-03-08", 23),
        ("America/Havana", "2026-11-01", 25),
        ("Asia/Beirut", "2022-03-27", 23),
        ("Asia/Beirut", "2022-10-29", 25),
        ("Africa/Cairo", "2024-04-26", 23),
        ("Africa/Cairo", "2024-10-31", 25),
        ("Asia/Kathmandu", "2026-03-29", 24),
    ],
)
def test_a_local_day_is_as_long_as_its_clocks_made_it(name: str, day: str, hours: float) -> None:
    zone, this = ZoneInfo(name), date.fromisoformat(day)
    assert start_of_day(this + ONE_DAY, zone) - start_of_day(this, zone) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("name", "day", "starts_at"),
    [
        ("UTC", "2026-11-22", "2026-11-22T00:00:00Z"),
        ("Europe/London", "2026-06-30", "2026-06-29T23:00:00Z"),
        ("Asia/Kathmandu", "2026-06-30", "2026-06-29T18:15:00Z"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2012-01-01", "2011-12-31T10:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),  # 00:00 is missing: the day starts at 01:00
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),  # 23:00 to 24:00 was shown twice before it
        ("America/St_Johns", "2010-11-07", "2010-11-07T03:30:00Z"),  # the second of two midnights
        ("America/St_Johns", "2010-03-14", "2010-03-14T03:30:00Z"),  # 00:01 to 01:01 is missing, 00:00 is not
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),  # the first of two midnights
        ("America/Havana", "2026-03-08", "2026-03-08T05:00:00Z"),  # 00:00 is missing
    ],
)
def test_a_local_day_starts_at_its_first_lasting_instant(name: str, day: str, starts_at: str) -> None:
    start = start_of_day(date.fromisoformat(day), ZoneInfo(name))
    assert start == datetime.fromisoformat(starts_at)
    assert start.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("name", "moment", "day"),
    [
        ("Europe/London", "2026-06-29T22:59:59Z", "2026-06-29"),
        ("Europe/London", "2026-06-29T23:00:00Z", "2026-06-30"),
        ("Europe/London", "2026-10-25T01:30:00Z", "2026-10-25"),
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
        ("America/St_Johns", "2010-11-07T02:29:59Z", "2010-11-06"),
        ("America/St_Johns", "2010-11-07T02:30:30Z", "2010-11-06"),  # the wall clock shows 00:00:30 of the 7th
        ("America/St_Johns", "2010-11-07T02:31:00Z", "2010-11-06"),  # set back to 23:01 of the 6th
        ("America/St_Johns", "2010-11-07T03:30:00Z", "2010-11-07"),
        ("America/Sao_Paulo", "2018-11-04T02:59:59Z", "2018-11-03"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-04"),
        ("Australia/Lord_Howe", "2026-04-04T13:00:00Z", "2026-04-05"),
    ],
)
def test_an_instant_lies_in_the_day_that_its_clocks_settle_on(name: str, moment: str, day: str) -> None:
    assert local_day(datetime.fromisoformat(moment), ZoneInfo(name)) == date.fromisoformat(day)
