"""The key of a month lives as long as anything may need it, and not longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.model import Period
from retention.policy.key_life import judge_key, month_bounds
from retention.policy.schedule import Rule, Schedule

DISPUTE = timedelta(days=90)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(*keeps: str, zone: str = "UTC") -> Schedule:
    rules = tuple(Rule(f"rule-{number}", {}, Period.parse(keep), "law") for number, keep in enumerate(keeps))
    return Schedule(zone, rules)


@pytest.mark.parametrize(
    ("month", "start", "end"),
    [
        ("2026-08", "2026-08-01", "2026-09-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2028-02", "2028-02-01", "2028-03-01"),
    ],
)
def test_month_goes_from_its_first_instant_to_that_of_the_next(month: str, start: str, end: str) -> None:
    assert month_bounds(month) == (day(start), day(end))


@pytest.mark.parametrize(
    ("keeps", "empty_since", "now", "because", "destroys_at"),
    [
        (["P7D"], "2026-08-20", "2026-08-31", "the month has not ended", "2026-11-30"),
        (["P3M"], None, "2026-11-15", "messages of the month are registered", "2027-03-01"),
        (["P3M"], None, "2027-11-15", "messages of the month are registered", "2028-02-13"),
        (["P3M", "P1Y"], "2026-12-01", "2027-03-15", "a rule keeps messages of the month for longer", "2027-09-01"),
        (["P3M"], "2026-12-01", "2027-02-28", "disposals of the month can still be disputed", "2027-03-01"),
        (["P7D"], "2026-08-20", "2026-11-29", "disposals of the month can still be disputed", "2026-11-30"),
    ],
)
def test_key_lives_while_anything_may_need_it(
    keeps: list[str], empty_since: str | None, now: str, because: str, destroys_at: str
) -> None:
    emptied = day(empty_since) if empty_since else None
    verdict = judge_key(schedule(*keeps), DISPUTE, "2026-08", empty_since=emptied, now=day(now))
    assert (verdict.may_go, verdict.because) == (False, because)
    assert verdict.destroys_at == day(destroys_at)


@pytest.mark.parametrize(
    ("keep", "empty_since", "at"), [("P3M", "2026-12-01", "2027-03-01"), ("P7D", "2026-08-20", "2026-11-30")]
)
def test_key_goes_at_the_instant_that_was_foretold_and_not_a_second_before(
    keep: str, empty_since: str, at: str
) -> None:
    for seconds, may_go in ((-1, False), (0, True)):
        now = day(at) + timedelta(seconds=seconds)
        verdict = judge_key(schedule(keep), DISPUTE, "2026-08", empty_since=day(empty_since), now=now)
        assert (verdict.may_go, verdict.destroys_at) == (may_go, day(at))


periods = st.sampled_from(["P1D", "P7D", "P1M", "P3M", "P6M", "P1Y1D", "P5Y"])
months = st.builds("{}-{:02}".format, st.integers(1990, 2100), st.integers(1, 12))


@given(
    keeps=st.lists(periods, min_size=1, max_size=3),
    zone=st.sampled_from(["UTC", "Europe/London", "Pacific/Kiritimati", "America/Los_Angeles"]),
    month=months,
    dispute=st.timedeltas(timedelta(), timedelta(days=200)),
    emptied=st.timedeltas(timedelta(), timedelta(days=4000)),
    place=st.floats(0, 1, exclude_max=True),
    later=st.timedeltas(timedelta(), timedelta(days=4000)),
)
def test_message_of_a_month_without_key_is_due_on_arrival_under_every_rule(
    *,
    keeps: list[str],
    zone: str,
    month: str,
    dispute: timedelta,
    emptied: timedelta,
    place: float,
    later: timedelta,
) -> None:
    rules = schedule(*keeps, zone=zone)
    start, end = month_bounds(month)
    foretold = judge_key(rules, dispute, month, empty_since=start + emptied, now=start).destroys_at
    verdict = judge_key(rules, dispute, month, empty_since=start + emptied, now=foretold)
    assert verdict.may_go
    received_at = (start + (end - start) * place).replace(microsecond=0)
    for rule in rules.rules:
        assert received_at < rules.cutoff(rule, foretold + later)
