"""Local times of a file become instants by one stated rule, and what is no time is refused without being repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.model import from_epoch, iso
from retention.sources.files import times
from retention.sources.files.fields import FieldError
from retention.sources.files.times import LocalClock, date_format_problem, zone_problem

ZONES = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "UTC"]


def read(text: str, zone: str = "Europe/London", date_format: str | None = None) -> str:
    return iso(from_epoch(LocalClock(ZoneInfo(zone), date_format).reader()(text)))


def why_not(text: str, date_format: str | None = None) -> str:
    with pytest.raises(FieldError) as caught:
        LocalClock(ZoneInfo("Europe/London"), date_format).reader()(text)
    assert caught.value.field == "received_at"
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-01 10:20:30", "2026-07-01T09:20:30Z"),
        ("2026-07-01T10:20:30", "2026-07-01T09:20:30Z"),
        ("2026-07-01 10:20", "2026-07-01T09:20:00Z"),
        ("2026-07-01 10:20:30.999999", "2026-07-01T09:20:30Z"),
        ("2026-07-01 10:20:30,5", "2026-07-01T09:20:30Z"),
        ("  2026-07-01 10:20:30 ", "2026-07-01T09:20:30Z"),
        ("2026-07-01T10:20:30Z", "2026-07-01T10:20:30Z"),
        ("2026-07-01t10:20:30z", "2026-07-01T10:20:30Z"),
        ("2026-07-01 10:20:30 UTC", "2026-07-01T10:20:30Z"),
        ("2026-07-01T10:20:30.123+05:45", "2026-07-01T04:35:30Z"),
        ("2026-07-01T10:20:30-0400", "2026-07-01T14:20:30Z"),
        ("2026-07-01 10:20:30 +01", "2026-07-01T09:20:30Z"),
    ],
)
def test_iso_times_are_read_in_the_usual_spellings(text: str, instant: str) -> None:
    assert read(text) == instant


@pytest.mark.parametrize(
    ("zone", "text", "instant"),
    [
        # Occurs twice: the earlier instant.
        ("Europe/London", "2026-10-25 01:30:00", "2026-10-25T00:30:00Z"),
        ("America/New_York", "2026-11-01 01:30:00", "2026-11-01T05:30:00Z"),
        ("Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T14:45:00Z"),
        # Does not occur: the offset before the change.
        ("Europe/London", "2026-03-29 01:30:00", "2026-03-29T01:30:00Z"),
        ("America/New_York", "2026-03-08 02:30:00", "2026-03-08T07:30:00Z"),
        ("Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03T15:45:00Z"),
        # Samoa went without 30 December 2011, so that day is read with the offset of the 29th.
        ("Pacific/Apia", "2011-12-29 23:59:59", "2011-12-30T09:59:59Z"),
        ("Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30T22:00:00Z"),
        ("Pacific/Apia", "2011-12-31 00:00:00", "2011-12-30T10:00:00Z"),
    ],
)
def test_a_time_that_occurs_twice_is_the_earlier_and_one_that_does_not_has_the_offset_before(
    zone: str, text: str, instant: str
) -> None:
    assert read(text, zone) == instant


def test_the_minutes_around_a_change_are_right_whichever_comes_first() -> None:
    texts = [
        f"2026-10-{day} {hour:02}:{minute:02}:00" for day in (24, 25) for hour in range(4) for minute in (0, 29, 59)
    ]
    forward, backward = (LocalClock(ZoneInfo("Europe/London")).reader() for _ in range(2))
    assert [forward(text) for text in texts] == [backward(text) for text in reversed(texts)][::-1]


def test_an_hour_in_which_the_clocks_change_is_worked_out_time_by_time() -> None:
    read_text = LocalClock(ZoneInfo("Australia/Lord_Howe")).reader()
    for minute in range(60):
        read_text(f"2026-01-01 05:{minute:02}")  # so that every minute of an hour is known
    expected = {"02:15": 15, "02:29": 29, "02:30": 0, "02:45": 15, "02:00": 0, "03:00": 30}
    start = datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    for clock, minutes in expected.items():
        assert from_epoch(read_text(f"2026-10-04 {clock}")) == start + timedelta(minutes=minutes)


@given(
    st.lists(
        st.one_of(
            st.datetimes(datetime(1990, 1, 1), datetime(2200, 12, 31)),  # noqa: DTZ001 - local times
            st.datetimes(datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 4)),  # noqa: DTZ001
            st.datetimes(datetime(2026, 3, 28, 22), datetime(2026, 3, 29, 4)),  # noqa: DTZ001
            st.datetimes(datetime(2026, 4, 4, 22), datetime(2026, 4, 5, 4)),  # noqa: DTZ001
            st.datetimes(datetime(2026, 10, 4, 1), datetime(2026, 10, 4, 4)),  # noqa: DTZ001
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(ZONES),
)
def test_what_is_remembered_of_an_hour_never_changes_a_reading(moments: list[datetime], zone: str) -> None:
    read_text = LocalClock(ZoneInfo(zone)).reader()
    for moment in moments:
        aware = moment.replace(microsecond=0, fold=0, tzinfo=ZoneInfo(zone))
        for text in (moment.isoformat(" ", "seconds"), moment.isoformat("T", "seconds")):
            assert from_epoch(read_text(text)) == aware.astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("2026-07-01", "has no time of day"),
        ("01/07/2026", "has no time of day"),
        ("2026-02-30 10:00:00", "is not a possible date and time"),
        ("2026-07-01 24:00:00", "is not a possible date and time"),
        ("2026-07-01 10:00:60", "is not a possible date and time"),
        ("2026-07-01 10:00:00+25:00", "is not a possible date and time"),
        ("1989-12-31 23:59:59", "has a year outside 1990 to 2200"),
        ("2201-01-01 00:00:00", "has a year outside 1990 to 2200"),
        ("0001-01-01T00:00:00+23:59", "has a year outside 1990 to 2200"),
    ],
)
def test_what_is_no_instant_is_refused_with_a_reason(text: str, reason: str) -> None:
    assert why_not(text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "01/07/2026 10:00",
        "20260701T100000",
        "2026-W27-3",
        "1751364030",
        "2026-07-01 10",
        "2026-07-01x10:00",
        "\u0662\u0660\u0662\u0666-07-01 10:00",
        "2026-07-01 10:00 BST",
        "2026-07-01 10:00:00 AM",
    ],
)
def test_other_spellings_are_refused_with_the_way_out(text: str) -> None:
    assert "set date_format" in why_not(text)
    assert text not in why_not(text)


def test_a_configured_format_is_read_in_the_zone_unless_it_carries_an_offset() -> None:
    assert read("01/07/2026 10:20", date_format="%d/%m/%Y %H:%M") == "2026-07-01T09:20:00Z"
    assert read("01/07/2026 10:20", "America/New_York", "%m/%d/%Y %H:%M") == "2026-01-07T15:20:00Z"
    assert read("Jul 1, 2026 01:20 PM", date_format="%b %d, %Y %I:%M %p") == "2026-07-01T12:20:00Z"
    assert read("2026-07-01 10:20:30 -0400", date_format="%Y-%m-%d %H:%M:%S %z") == "2026-07-01T14:20:30Z"
    assert read("2026.10.25 01.30", date_format="%Y.%m.%d %H.%M") == "2026-10-25T00:30:00Z"


def test_a_configured_format_is_as_strict_about_what_is_no_instant() -> None:
    form = "%d/%m/%Y %H:%M"
    assert why_not("", form) == "is empty"
    assert why_not("32/01/2026 10:00", form) == "does not have the form that date_format gives"
    assert why_not("2026-07-01 10:00", form) == "does not have the form that date_format gives"
    assert why_not("01/07/1926 10:00", form) == "has a year outside 1990 to 2200"


def test_the_same_text_is_read_the_same_way_a_second_time() -> None:
    reader = LocalClock(ZoneInfo("Europe/London"), "%d/%m/%Y %H:%M").reader()
    assert reader("01/07/2026 10:20") == reader("01/07/2026 10:20")


@pytest.mark.parametrize(
    "form", ["%d/%m/%Y %H:%M", "%Y-%m-%dT%H:%M:%S.%f%z", "%b %d, %Y %I:%M %p", "%j %Y %H", "%d%%%m%%%y %H:%M:%S"]
)
def test_formats_that_give_one_certain_instant_are_accepted(form: str) -> None:
    assert date_format_problem(form) is None


@pytest.mark.parametrize(
    "form",
    ["", "%d/%m/%Y", "%H:%M", "%d/%m %H:%M", "%d/%m/%Y %I:%M", "%c", "%x %X", "%d/%m/%Y %H:%M %Z", "%d/%m/%Y %H:%M %Q",
     "%d/%m/%Y %H:%M %", "%d/%m/%Y %%H:%M", "%d/%m/%Y %H %H", "%G-W%V-%u %H:%M"],
)  # fmt: skip
def test_formats_that_cannot_give_one_are_refused_when_they_are_configured(form: str) -> None:
    assert date_format_problem(form) is not None


@given(st.text(max_size=12).map(lambda text: f"%d/%m/%Y %H:%M{text}"))
def test_no_format_passes_the_check_and_fails_later_otherwise_than_by_refusing(form: str) -> None:
    if date_format_problem(form) is None:
        reader = LocalClock(ZoneInfo("Europe/London"), form).reader()
        for text in ("01/07/2026 10:20", "nonsense"):
            try:
                reader(text)
            except FieldError as refusal:
                assert text not in refusal.reason  # noqa: PT017 - refusing is one of two good ends


def test_zones_are_names_of_the_time_zone_database() -> None:
    assert zone_problem("Europe/London") is None
    for name in ("", "Europe", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "a\0b"):
        assert zone_problem(name) is not None


@pytest.mark.parametrize("form", [None, "%Y-%m-%d %H:%M:%S"])
def test_a_long_file_does_not_fill_the_memory_with_times(monkeypatch: pytest.MonkeyPatch, form: str | None) -> None:
    monkeypatch.setattr(times, "MAX_REMEMBERED", 10)
    clock = LocalClock(ZoneInfo("Europe/London"), form)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for hours in range(100):
        moment = start + timedelta(hours=hours)
        assert from_epoch(clock.reader()(moment.strftime("%Y-%m-%d %H:%M:%S"))) == moment
    assert 1 <= clock.remembered <= 10


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("epoch", "1782901230"),
        ("epoch", " 1782901230.75 "),
        ("epoch-ms", "1782901230999"),
        ("epoch-ms", "1782901230000"),
    ],
)
def test_times_since_1970_are_in_utc_whatever_the_zone(form: str, text: str) -> None:
    assert date_format_problem(form) is None
    assert read(text, date_format=form) == "2026-07-01T10:20:30Z"


@pytest.mark.parametrize(
    ("form", "text", "reason"),
    [
        ("epoch", "", "is empty"),
        ("epoch", "1.78E+09", 'is not seconds since 1970, as date_format = "epoch" says'),
        ("epoch-ms", "2026-07-01 10:20", 'is not milliseconds since 1970, as date_format = "epoch-ms" says'),
        ("epoch", "1782901230999", "has a year outside 1990 to 2200 when read as seconds since 1970"),
        ("epoch-ms", "1782901230", "has a year outside 1990 to 2200 when read as milliseconds since 1970"),
        ("epoch", "-1782901230", 'is not seconds since 1970, as date_format = "epoch" says'),
        ("epoch", "\u0661782901230", 'is not seconds since 1970, as date_format = "epoch" says'),
    ],
)
def test_what_is_no_time_since_1970_is_refused(form: str, text: str, reason: str) -> None:
    assert why_not(text, form) == reason


@pytest.mark.parametrize(("text", "last"), [("631152000", "631151999"), ("7289654399", "7289654400")])
def test_times_since_1970_have_the_same_bounds_as_others(text: str, last: str) -> None:
    assert read(text, date_format="epoch")
    assert "outside 1990 to 2200" in why_not(last, "epoch")


def test_a_bare_number_is_pointed_to_the_formats_since_1970() -> None:
    assert 'date_format = "epoch", for milliseconds "epoch-ms"' in why_not("1782901230")
