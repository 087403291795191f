"""What a channel tells: everything new, everything worse, what lasts again after a while, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.model import to_epoch
from retention.notify.occasion import BROKEN, NOTE, Occasion, Told, after, decide
from retention.notify.words import write
from retention.store.notifications import Remembered

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LONDON = ZoneInfo("Europe/London")


def occasion(grade: int = 1, key: str = "belt", **more: object) -> Occasion:
    return Occasion(key, "belt-closed", "a belt", grade=grade, **more)  # type: ignore[arg-type]  # one field or another


class Channel:
    """A channel that remembers in a dictionary."""

    def __init__(self) -> None:
        self.known: dict[str, Remembered] = {}

    def tell(
        self,
        *found: Occasion,
        at: datetime = NOW,
        arrives: bool = True,
        unseen: tuple[str, ...] | None = (),
    ) -> list[str]:
        decision = decide(self.known, found, repeat=DAY, now=at, unseen=unseen)
        rows = after(decision, at, arrived=arrives) if decision.tell else decision.rows
        self.known = {row.occasion: row for row in rows}
        return [one.occasion.key for one in decision.tell]


def test_what_lasts_is_told_again_after_a_day_and_since_when_it_lasts_is_kept() -> None:
    channel = Channel()
    told = [channel.tell(occasion(), at=NOW + hours * DAY / 24) for hours in range(49)]
    assert [hour for hour, keys in enumerate(told) if keys] == [0, 23, 46]
    assert channel.known["belt"].since == to_epoch(NOW)


def test_what_got_worse_is_told_at_once_and_what_got_better_may_get_worse_again() -> None:
    channel = Channel()
    said = [bool(channel.tell(occasion(grade))) for grade in (1, 1, 2, 2, 1, 1, 2, 2)]
    assert said == [True, False, True, False, False, False, True, False]


def test_another_state_lasts_from_when_it_came_and_what_only_got_worse_from_its_beginning() -> None:
    channel = Channel()
    for hours, grade in enumerate((1, 1, 2, 2, 0)):
        found = occasion(grade), occasion(grade, "promise", anew=True)
        channel.tell(*found, at=NOW + timedelta(hours=hours), arrives=grade > 0)
    assert channel.known["belt"].since == to_epoch(NOW)
    assert channel.known["promise"].since == to_epoch(NOW + timedelta(hours=2))


def test_message_about_a_new_state_does_not_say_that_it_lasts_since_the_one_before() -> None:
    broken, at = occasion(2, "promise", anew=True), to_epoch(NOW)
    told = [Told(broken, since, at) for since in (at, at + 3600)]
    texts = [
        write((one,), channel="office", origin="o", promise="broken", drill=False, now=NOW, sent_at=NOW, zone=LONDON)
        for one in told
    ]
    assert ["Since" in one.text for one in texts] == [True, False]


def test_what_did_not_arrive_is_told_until_it_does() -> None:
    channel = Channel()
    assert [channel.tell(occasion(), arrives=arrives) for arrives in (False, False, True, True)] == [["belt"]] * 3 + [
        []
    ]


def test_failures_are_counted_until_one_arrives() -> None:
    channel = Channel()
    channel.tell(occasion(), arrives=False)
    channel.tell(occasion(), arrives=False)
    assert channel.known["belt"].failures == 2
    channel.tell(occasion())
    assert channel.known["belt"].failures == 0


def test_that_it_is_over_is_told_once_to_those_who_were_told_of_it() -> None:
    channel = Channel()
    assert channel.tell(occasion(0)) == []
    channel.tell(occasion(2))
    assert channel.tell(occasion(0), arrives=False) == ["belt"]
    assert channel.tell(occasion(0)) == ["belt"]
    assert channel.tell(occasion(0)) == []
    assert channel.known == {}


def test_what_is_gone_is_forgotten_in_silence_but_not_where_nobody_could_look() -> None:
    channel = Channel()
    channel.tell(occasion(), occasion(key="run"))
    assert channel.tell(unseen=("run",)) == []
    assert [*channel.known] == ["run"]
    assert channel.tell(occasion(key="other"), unseen=None) == ["other"]
    assert sorted(channel.known) == ["other", "run"]


def test_the_worst_comes_first_and_a_clock_that_was_put_back_keeps_nothing_silent() -> None:
    channel = Channel()
    assert channel.tell(occasion(urgency=NOTE), occasion(key="promise", urgency=BROKEN)) == ["promise", "belt"]
    assert channel.tell(occasion(), at=NOW - 30 * DAY) == ["belt"]


def test_what_is_told_once_comes_again_with_its_next_grade_only() -> None:
    channel = Channel()
    weeks = [700, 700, 700, 707, 707]
    told = [channel.tell(occasion(week, once=True), at=NOW + 3 * DAY * n) for n, week in enumerate(weeks)]
    assert [bool(one) for one in told] == [True, False, False, True, False]


def test_week_that_was_told_is_not_told_again_by_who_thinks_it_is_still_the_week_before() -> None:
    channel = Channel()
    told = [bool(channel.tell(occasion(week, once=True))) for week in (700, 707, 700, 707, 700, 714)]
    assert told == [True, True, False, False, False, True]


def test_what_a_clock_told_that_was_years_ahead_is_told_again_when_it_is_right() -> None:
    channel = Channel()
    told = [
        channel.tell(occasion(day, once=True), at=NOW + days * DAY)
        for day, days in ((1, 0), (9000, 9000), (8, 7), (8, 8), (15, 14))
    ]
    assert [bool(keys) for keys in told] == [True, True, True, False, True]
    assert not channel.tell(occasion(15, once=True), at=NOW + 14 * DAY - DAY / 48)  # another host, half an hour behind


class Step(NamedTuple):
    """A pass: how bad it is then (None: nothing is said of it), whether the message arrives, hours since the last."""

    grade: int | None
    arrives: bool
    hours: int


@given(st.lists(st.builds(Step, st.sampled_from([None, 0, 1, 2]), st.booleans(), st.integers(0, 60)), max_size=30))
def test_any_course_of_things_is_told_as_the_rules_say(steps: list[Step]) -> None:
    channel, at = Channel(), NOW
    reached: datetime | None = None  # when the channel was told last of what lasts
    low = 0  # how bad it was at best since then
    for step in steps:
        at += timedelta(hours=step.hours)
        found = [] if step.grade is None else [occasion(step.grade)]
        told = bool(channel.tell(*found, at=at, arrives=step.arrives))
        if step.grade is None:
            assert not told
            reached = None
        elif step.grade == 0:
            assert told == (reached is not None)
            reached = None if step.arrives else reached
        else:
            low = min(low, step.grade)
            wanted = reached is None or step.grade > low or at - reached >= timedelta(hours=23)
            assert told == wanted
            if told and step.arrives:
                reached, low = at, step.grade


@pytest.mark.parametrize("arrived", [True, False])
def test_nothing_else_is_touched_by_what_became_of_a_message(*, arrived: bool) -> None:
    other = Remembered("other", 1, 5, to_epoch(NOW), 1, 0)
    decision = decide({"other": other}, [occasion(key="other"), occasion()], repeat=DAY, now=NOW)
    assert [one.occasion.key for one in decision.tell] == ["belt"]
    assert other in after(decision, NOW, arrived=arrived)
