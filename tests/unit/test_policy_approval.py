"""When an approved plan is still what people saw, and when two names are one person's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from retention.model import Period
from retention.policy.approval import count_people, same_person, why_expired
from retention.policy.plan import Plan, RulePlan, Tally
from retention.policy.schedule import Rule, Schedule

MADE = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCHEDULE = Schedule("Europe/London", (Rule("all", {}, Period.parse("P3M"), "the notice"),))
PLAN = Plan(
    now=int(MADE.timestamp()),
    schedule_digest=SCHEDULE.digest,
    log_size=7,
    total=10,
    holds=(1, 4),
    rules=(RulePlan("all", "P3M", "the notice", 0, (1,), (Tally("fb", "2026-08-01", 5, 1, 0),)),),
)


def test_plan_is_bound_while_nothing_has_changed_and_less_is_due() -> None:
    for due in (5, 4, 0):
        for later in (timedelta(), timedelta(days=30)):
            assert why_expired(PLAN, SCHEDULE, holds=(1, 4), due=due, now=MADE + later) is None


@pytest.mark.parametrize(
    ("plan", "holds", "due", "now", "why"),
    [
        (replace(PLAN, schedule_digest="sha256:other"), (1, 4), 5, MADE, "the schedule has changed since"),
        (PLAN, (1,), 5, MADE, "a hold was placed or released since"),
        (PLAN, (1, 4, 5), 5, MADE, "a hold was placed or released since"),
        (PLAN, (1, 4), 5, MADE - timedelta(seconds=1), "it was made at a later time than it is now"),
        (PLAN, (1, 4), 6, MADE, "more messages are due under its cutoffs than it says"),
    ],
)
def test_plan_expires_with_what_it_was_made_of(
    plan: Plan, holds: tuple[int, ...], due: int, now: datetime, why: str
) -> None:
    assert why_expired(plan, SCHEDULE, holds=holds, due=due, now=now) == why


def test_one_person_typed_in_two_ways_is_one_person() -> None:
    assert same_person("Ann  Example", " ann example ")
    assert same_person("ANN", "\uff21nn")
    assert not same_person("ann", "anna")
    assert count_people(["ann", "ANN", "bob"]) == 2
    assert count_people([]) == 0
