"""The schedule said back in English, as the people who sign it off will read it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.model import Period
from retention.policy.period import expires_on
from retention.policy.schedule import Rule, Schedule
from retention.policy.words import say_count, say_day, say_period, say_rule, say_schedule
from tests.unit.golden.frozen import golden, readable

AUTHORITY = "Privacy notice: people who contact us via social media"
EXAMPLE = date(2026, 11, 30)
PROMISE = (
    "Private messages from every source are kept for 3 months: one received on 30 November 2026 may be kept "
    "through 28 February 2027 and is purged from 1 March."
)

periods = st.builds(Period, months=st.integers(0, 40), days=st.integers(0, 40)).filter(lambda p: p != Period(0, 0))


def rule(keep: str, **match: str | tuple[str, ...]) -> Rule:
    accepted = {key: (value,) if isinstance(value, str) else value for key, value in match.items()}
    return Rule("one", accepted, Period.parse(keep), AUTHORITY)


SCHEDULES = {
    "the promise": [rule("P3M", visibility="private")],
    "everything": [rule("P1Y")],
    "no rule at all": [],
    "a narrow rule above a wide one": [
        rule("P1Y6M", visibility="private", message_type="complaint"),
        rule("P2W", network=("twitter", "facebook")),
        rule("P3M", visibility="private", source="hootsuite-inbox"),
    ],
    "every match key": [
        rule(
            "P1Y1M1D",
            visibility="private",
            direction="inbound",
            message_type=("question", "complaint", "thanks"),
            network="twitter",
            channel="Press Office",
            source=("hootsuite-inbox", "archive"),
        )
    ],
    "both directions and both visibilities": [
        rule("P90D", direction=("outbound", "inbound"), visibility=("public", "private")),
    ],
    "short and long": [rule("P1D", network="x"), rule("P1M", channel="A"), rule("P10Y", source="b"), rule("P2Y2M2D")],
}


def test_the_schedules_are_said_back_as_they_always_were() -> None:
    said = {
        name: {
            day.isoformat(): say_schedule(Schedule("Europe/London", tuple(rules)), day)
            for day in (EXAMPLE, date(2028, 2, 29), date(2026, 12, 31))
        }
        for name, rules in SCHEDULES.items()
    }
    text = readable(said)
    assert text == golden("sentences.json", text)


def test_the_promise_is_said_with_its_awkward_day() -> None:
    assert say_rule(rule("P3M", visibility="private"), EXAMPLE) == PROMISE


@pytest.mark.parametrize(
    ("received_on", "ending"),
    [
        ("2026-09-30", "may be kept through 30 December 2026 and is purged from 31 December."),
        ("2026-10-01", "may be kept through 1 January 2027 and is purged from 2 January."),
        ("2026-08-31", "may be kept through 30 November 2026 and is purged from 1 December."),
        ("2027-11-30", "may be kept through 29 February 2028 and is purged from 1 March."),
    ],
)
def test_the_example_names_the_day_after_the_last(received_on: str, ending: str) -> None:
    assert say_rule(rule("P3M"), date.fromisoformat(received_on)).endswith(ending)


def test_the_year_is_named_where_the_purge_falls_in_the_next_one() -> None:
    assert say_rule(rule("P1M"), EXAMPLE).endswith("through 30 December 2026 and is purged from 31 December.")
    assert say_rule(rule("P1M1D"), EXAMPLE).endswith("through 31 December 2026 and is purged from 1 January 2027.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("P3M", "3 months"),
        ("P1M", "1 month"),
        ("P90D", "90 days"),
        ("P1D", "1 day"),
        ("P2W", "14 days"),
        ("P1Y", "1 year"),
        ("P2Y", "2 years"),
        ("P12M", "1 year"),
        ("P1Y6M", "1 year and 6 months"),
        ("P1M10D", "1 month and 10 days"),
        ("P1Y6M10D", "1 year, 6 months and 10 days"),
        ("P100Y", "100 years"),
    ],
)
def test_a_period_is_said_in_its_own_units(text: str, said: str) -> None:
    assert say_period(Period.parse(text)) == said


@given(st.dates())
def test_a_day_is_said_with_an_english_month(day: date) -> None:
    number, month, year = say_day(day).split()
    assert (int(number), int(year)) == (day.day, day.year)
    assert month[:3].upper() == "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"[day.month * 3 - 3 : day.month * 3]


@given(periods, st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_the_sentence_names_the_last_day_that_the_policy_computes(keep: Period, received_on: date) -> None:
    said = say_rule(Rule("one", {}, keep, AUTHORITY), received_on)
    assert f"received on {say_day(received_on)} may be kept through {say_day(expires_on(received_on, keep))} " in said
    assert f"kept for {say_period(keep)}:" in said


def test_what_no_rule_covers_is_said_unless_a_rule_covers_everything() -> None:
    rest = "Messages that no rule covers are counted and not registered."
    narrow, wide = rule("P3M", visibility="private"), rule("P1Y")
    assert say_schedule(Schedule("UTC", (narrow,)), EXAMPLE) == [PROMISE, rest]
    assert say_schedule(Schedule("UTC", ()), EXAMPLE) == [rest]
    assert rest not in say_schedule(Schedule("UTC", (narrow, wide)), EXAMPLE)


def test_the_order_of_values_does_not_change_the_sentence() -> None:
    one = rule("P3M", network=("twitter", "facebook", "linkedin"), visibility=("public", "private"))
    two = rule("P3M", visibility=("private", "public"), network=("linkedin", "twitter", "facebook"))
    assert say_rule(one, EXAMPLE) == say_rule(two, EXAMPLE)
    assert 'Private and public messages on "facebook", "linkedin" or "twitter" from every source' in say_rule(
        one, EXAMPLE
    )


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (0, "message", "0 messages"),
        (1, "message", "1 message"),
        (2, "entry", "2 entries"),
        (1, "entry", "1 entry"),
        (0, "batch", "0 batches"),
        (3, "class", "3 classes"),
        (2, "day", "2 days"),
    ],
)
def test_one_thing_is_told_in_the_singular(number: int, noun: str, said: str) -> None:
    assert say_count(number, noun) == said
