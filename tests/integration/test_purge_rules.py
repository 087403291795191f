"""Several rules, other zones, and schedules that change: each message goes when its own rule says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from retention.errors import BeltClosedError
from retention.model import from_epoch
from tests.integration.work import AUTUMN, SUMMER, at
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work

OURS = """[[schedule.rule]]
name = "our-answers"
match = { visibility = "private", direction = "outbound" }
keep = "P10D"
authority = "Our own words"
[[schedule.rule]]
name = "instagram"
match = { visibility = "private", network = ["IG", "ig-business"] }
keep = "P6M"
authority = "=A promise of its own"
[[schedule.rule]]"""
THREE_RULES = ("[[schedule.rule]]", OURS)
NO_RULE = ('match = { visibility = "private" }', 'match = { network = "ig" }')


def parts(work: Work, now: str) -> dict[str, tuple[int, str]]:
    """Give, for each rule, how much is due at an instant and the cutoff."""
    plan = work.plan(from_epoch(at(now)))
    return {part.rule: (part.due, from_epoch(part.cutoff).isoformat()) for part in plan.rules}


def test_each_rule_has_its_own_cutoff_and_the_first_that_fits_decides(work: Work) -> None:
    work.reopen(THREE_RULES)
    received = "2026-08-05 09:00:00"
    work.take(
        [
            row("answer", received, direction="outbound", network="ig"),
            row("instagram", received, network="ig"),
            row("facebook", received, network="fb"),
        ]
    )
    assert parts(work, "2026-11-06T12:00:00+00:00") == {
        "our-answers": (1, "2026-10-27T00:00:00+00:00"),
        "instagram": (0, "2026-05-05T23:00:00+00:00"),
        "direct-messages": (1, "2026-08-05T23:00:00+00:00"),
    }
    for now, left in [
        ("2026-08-15T22:59:59+00:00", ["answer", "facebook", "instagram"]),
        ("2026-08-15T23:00:00+00:00", ["facebook", "instagram"]),
        ("2026-11-06T00:00:00+00:00", ["instagram"]),
        ("2027-02-05T23:59:59+00:00", ["instagram"]),
        ("2027-02-06T00:00:00+00:00", []),
    ]:
        _, run = work.purge(from_epoch(at(now)))
        assert sorted(work.ids()) == left
        assert run.due_after == 0
    assert [entry["rule"] for entry in work.entries("batch")] == ["our-answers", "direct-messages", "instagram"]


def test_rules_of_one_purge_each_close_their_own_batches(work: Work) -> None:
    work.reopen(THREE_RULES)
    rows = [row(f"ours-{n}", "2026-08-01 09:00:00", direction="outbound") for n in range(12)]
    rows += [row(f"theirs-{n}", "2026-08-01 09:00:00") for n in range(12)]
    work.take(rows)
    plan, run = work.purge(AUTUMN)
    assert [(part.rule, part.due) for part in plan.rules if part.due] == [("our-answers", 12), ("direct-messages", 12)]
    assert (run.disposed, run.due_after) == (24, 0)
    closed = [(entry["rule"], entry["count"]) for entry in work.entries("batch")]
    assert sorted(closed) == [("direct-messages", 2), ("direct-messages", 10), ("our-answers", 2), ("our-answers", 10)]


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Europe/London", "2026-11-02T00:00:00+00:00"),
        ("Asia/Kathmandu", "2026-11-02T00:00:00+05:45"),
        ("Pacific/Kiritimati", "2026-11-02T00:00:00+14:00"),
        ("America/St_Johns", "2026-11-02T00:00:00-03:30"),
        ("Australia/Lord_Howe", "2026-11-02T00:00:00+11:00"),
    ],
)
def test_days_are_counted_in_the_zone_of_the_schedule(work: Work, zone: str, midnight: str) -> None:
    work.reopen(('[schedule]\ntime_zone = "Europe/London"', f'[schedule]\ntime_zone = "{zone}"'))
    # Both ends of 1 August and of its neighbours, as that zone counts them.
    offset = {"Australia/Lord_Howe": "+10:30", "America/St_Johns": "-02:30", "Europe/London": "+01:00"}.get(
        zone, midnight[-6:]
    )
    times = {
        "last of July": f"2026-07-31T23:59:59{offset}",
        "first of August": f"2026-08-01T00:00:00{offset}",
        "end of the first": f"2026-08-01T23:59:59{offset}",
        "second of August": f"2026-08-02T00:00:00{offset}",
    }
    work.take([row(name, received) for name, received in times.items()])
    before, after = from_epoch(at(midnight) - 1), from_epoch(at(midnight))
    _, run = work.purge(before)
    assert (work.ids(), run.due_after) == (list(times)[1:], 0)
    _, run = work.purge(after)
    assert (work.ids(), run.due_after) == (list(times)[3:], 0)
    assert {entry["received_on"] for entry in work.entries("disposal")} == {"2026-07-31", "2026-08-01"}


def test_messages_whose_rule_is_gone_are_due_and_need_a_word(work: Work) -> None:
    rows = [row("fb-1", "2026-08-01 09:00:00"), row("fb-2", "2026-08-09 09:00:00")]
    work.take([*rows, row("ig-1", "2026-08-01 09:00:00", network="ig")])
    work.purge(SUMMER)
    work.reopen(NO_RULE)
    plan = work.plan(SUMMER + timedelta(hours=1))
    found = [(part.rule, part.due, part.keep) for part in plan.rules]
    assert found == [("direct-messages", 0, "P3M"), ("(no rule)", 2, "")]
    with pytest.raises(
        BeltClosedError,
        match=r"safety belt schedule: the schedule was shortened .*1 class of messages that were under ",
    ):
        work.purge(SUMMER + timedelta(hours=1), plan)
    assert len(work.ids()) == 3
    _, run = work.purge(SUMMER + timedelta(hours=1), plan, "facebook was given up")
    assert (run.disposed, run.due_after) == (2, 0)
    assert work.ids() == ["ig-1"]
    [entry] = work.entries("batch")
    assert (entry["rule"], entry["authority"]) == ("(no rule)", "no rule of the schedule covers these messages")
    assert [entry["belt"] for entry in work.entries("belt_passed")] == ["schedule"]
    assert "(no rule)" not in {part.rule for part in work.plan(SUMMER + timedelta(hours=2)).rules}


def test_hold_keeps_messages_whose_rule_is_gone(work: Work) -> None:
    work.take([row("fb-1", "2026-08-01 09:00:00", contact="ann"), row("fb-2", "2026-08-01 09:00:00", contact="bob")])
    work.hold(contact="ann")
    work.reopen(NO_RULE)
    plan, run = work.purge(SUMMER)
    assert (plan.held, run.disposed, run.due_after) == (1, 1, 0)
    assert work.ids() == ["fb-1"]


@pytest.mark.parametrize(
    "change",
    [
        ('keep = "P3M"', 'keep = "P4M"'),
        ('name = "direct-messages"', 'name = "messages"'),
        ('authority = "Privacy notice:', 'authority = "Notice:'),
    ],
    ids=["longer", "another name", "another authority"],
)
def test_schedule_that_keeps_as_long_or_longer_closes_no_belt(work: Work, change: tuple[str, str]) -> None:
    work.take([row("due", "2026-08-01 09:00:00"), row("fresh", "2026-08-09 09:00:00")])
    work.purge(SUMMER)
    work.reopen(change)
    work.purge(from_epoch(at("2026-12-02T12:00:00+00:00")))
    assert work.ids() == ([] if "P4M" not in change[1] else ["fresh"])
    changed = work.entries("schedule_changed")
    assert len(changed) == 2
    assert changed[1]["previous_digest"] == changed[0]["schedule_digest"]
    assert changed[1]["schedule_digest"] == work.context.schedule.digest


def test_schedule_that_stays_is_written_once(work: Work) -> None:
    for hours in range(3):
        work.run(SUMMER + timedelta(hours=hours))
    assert len(work.entries("schedule_changed")) == 1


def test_longer_period_gives_back_what_was_due(work: Work) -> None:
    work.take([row("due", "2026-08-01 09:00:00")])
    assert work.plan(AUTUMN).due == 1
    work.reopen(('keep = "P3M"', 'keep = "P1Y"'))
    _, run = work.purge(AUTUMN)
    assert (run.disposed, run.due_after) == (0, 0)
    assert work.ids() == ["due"]
