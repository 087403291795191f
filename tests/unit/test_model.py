"""Periods parse and print themselves; instants are whole seconds, rounded down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.model import Period, from_epoch, iso, to_epoch

YEAR_1 = -62_135_596_800
YEAR_10000 = 253_402_300_800

periods = st.builds(Period, months=st.integers(0, 600), days=st.integers(0, 18_000)).filter(lambda p: p != Period(0, 0))
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=offsets)  # noqa: DTZ001  # hypothesis adds the zone


@pytest.mark.parametrize(
    ("text", "months", "days"),
    [
        ("P3M", 3, 0),
        ("P90D", 0, 90),
        ("P2W", 0, 14),
        ("P1Y", 12, 0),
        ("P1Y6M", 18, 0),
        ("P1M10D", 1, 10),
        ("P1Y2M3W4D", 14, 25),
        ("P0Y3M", 3, 0),
        ("P003M", 3, 0),
        ("P1200M", 1200, 0),
        ("P100Y", 1200, 0),
        ("P36500D", 0, 36_500),
        ("P99Y365D", 1188, 365),
    ],
)
def test_period_is_read_as_months_and_days(text: str, months: int, days: int) -> None:
    assert Period.parse(text) == Period(months, days)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "P", "3M", "P3", "3", "PM", "P3m", "p3M", "P 3M", " P3M", "P3M ", "P3M\n", "P3M\0"),
        *("-P3M", "+P3M", "P-3M", "P+3M", "P3.5M", "P3,5M", "P1e1D", "P0x3M", "P1_0D"),
        *("PT3M", "P3MT", "P1DT12H", "PT36H", "P3MT0S", "P3M/P4M"),
        *("P6M1Y", "P1D1M", "P1M1W1M", "P1D1W", "P3M3M"),
        *("P12345M", "P12345Y", "P123456D", "3 months", "P3MONTHS", "INF", "None"),
    ],
)
def test_what_is_not_a_period_of_calendar_units_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="for example P3M, P90D or P1Y6M"):
        Period.parse(text)


@pytest.mark.parametrize("text", ["P٣M", "P３M", "P३M", "P𝟛M", "P³M", "P1Y٦M", "P٩٠D"])  # noqa: RUF001  # the point of the test
def test_digits_of_other_scripts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="for example P3M"):
        Period.parse(text)


@pytest.mark.parametrize("text", ["P0M", "P0D", "P0Y", "P0W", "P0Y0M0W0D", "P0000M"])
def test_a_period_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="longer than zero"):
        Period.parse(text)


@pytest.mark.parametrize("text", ["P101Y", "P1201M", "P36501D", "P100Y1D", "P9999W", "P99999D", "P99Y366D", "P9999Y"])
def test_a_period_beyond_a_hundred_years_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="longer than 100 years"):
        Period.parse(text)


@given(st.text(alphabet="PTYMWD0123456789 -.", max_size=12))
def test_whatever_is_accepted_is_positive_and_bounded(text: str) -> None:
    try:
        period = Period.parse(text)
    except ValueError:
        return
    assert period.months >= 0
    assert period.days >= 0
    assert 0 < period.months * 365 + period.days * 12 <= 100 * 12 * 365


@given(periods)
def test_every_period_reads_back_from_its_spelling(period: Period) -> None:
    assert Period.parse(str(period)) == period


@pytest.mark.parametrize(
    ("text", "spelled"),
    [("P3M", "P3M"), ("P12M", "P1Y"), ("P18M", "P1Y6M"), ("P2W", "P14D"), ("P1M1W", "P1M7D"), ("P0Y90D", "P90D")],
)
def test_one_length_has_one_spelling(text: str, spelled: str) -> None:
    assert str(Period.parse(text)) == spelled


def test_three_months_are_not_ninety_days() -> None:
    assert Period.parse("P3M") != Period.parse("P90D")


@given(st.integers(YEAR_1, YEAR_10000 - 1))
def test_every_whole_second_reads_back(seconds: int) -> None:
    moment = from_epoch(seconds)
    assert moment.utcoffset() == timedelta(0)
    assert to_epoch(moment) == seconds


@given(moments)
def test_fractions_of_a_second_are_rounded_down(moment: datetime) -> None:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert to_epoch(moment) == since // timedelta(seconds=1)
    assert from_epoch(to_epoch(moment)) == moment.astimezone(UTC).replace(microsecond=0)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC),
        datetime(2100, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_the_last_microsecond_of_a_day_belongs_to_that_day(moment: datetime) -> None:
    assert from_epoch(to_epoch(moment)).date() == moment.date()


@given(moments)
def test_the_spelling_of_an_instant_is_utc_with_a_fixed_width_and_reads_back(moment: datetime) -> None:
    text = iso(moment)
    assert len(text) == len("2026-11-22T18:16:31Z")
    assert datetime.fromisoformat(text) == moment.astimezone(UTC).replace(microsecond=0)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 22, 18, 16, 31, tzinfo=UTC), "2026-11-22T18:16:31Z"),
        (datetime(2026, 6, 30, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-06-29T23:30:00Z"),
        (datetime(2026, 6, 29, 23, 59, 59, 999_999, tzinfo=UTC), "2026-06-29T23:59:59Z"),
        (datetime(1601, 1, 1, tzinfo=UTC), "1601-01-01T00:00:00Z"),
        (datetime(202, 11, 22, tzinfo=UTC), "0202-11-22T00:00:00Z"),
    ],
)
def test_an_instant_is_spelled_as_entries_spell_it(moment: datetime, text: str) -> None:
    assert iso(moment) == text
