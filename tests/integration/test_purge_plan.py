"""The dry run is the same code; a plan is used once; between planning and purging everything may only shrink."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from retention.errors import UsageError
from retention.model import from_epoch
from retention.policy.plan import Plan, Tally
from retention.store import runs
from tests.integration.work import AUTUMN, SUMMER, at
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work

DUE = [row(f"due-{n}", f"2026-07-{1 + n:02} 09:00:00", contact=f"c{n % 3}") for n in range(12)]
FRESH = [row(f"fresh-{n}", f"2026-08-2{n} 09:00:00") for n in range(2, 8)]
LATER = AUTUMN + timedelta(minutes=10)


@pytest.fixture
def filled(work: Work) -> Work:
    """Give an installation with twelve messages that are due in autumn and six that are not."""
    work.take([*DUE, *FRESH], now=SUMMER + timedelta(days=20))
    return work


def _found(work: Work, digest: str) -> Plan:
    with work.context.database.read() as connection:
        return runs.find_plan(connection, digest)


def test_dry_run_changes_nothing_but_the_list_of_plans(filled: Work) -> None:
    before = filled.dump()
    plan = filled.plan(AUTUMN)
    after = filled.dump()
    assert (plan.total, plan.due, plan.held, plan.released) == (18, 12, 0, 0)
    assert after.pop("plan") != before.pop("plan")
    assert after == before


def test_dry_run_and_purge_make_the_same_plan(filled: Work) -> None:
    planned = filled.plan(AUTUMN)
    again = filled.plan(AUTUMN)
    assert again == planned
    assert again.digest == planned.digest
    assert _found(filled, planned.digest) == planned
    made, run = filled.purge(AUTUMN, planned)
    assert made == planned
    assert (run.plan_digest, run.disposed, run.batches) == (planned.digest, 12, 2)
    assert filled.ids() == [f"fresh-{n}" for n in range(2, 8)]


def test_plan_counts_by_rule_network_and_local_day(work: Work) -> None:
    work.take(
        [
            row("a", "2026-07-01 00:00:00"),
            row("b", "2026-07-01 23:59:59", network="ig"),
            row("c", "2026-07-02 00:00:00"),
            row("d", "2026-07-02 00:30:00"),
        ]
    )
    work.hold(message="d")
    [part] = work.plan(AUTUMN).rules
    assert (part.rule, part.keep, part.cutoff) == ("direct-messages", "P3M", at("2026-08-22T00:00:00+01:00"))
    assert part.tallies == (
        Tally("fb", "2026-07-01", 1, 0, 0),
        Tally("ig", "2026-07-01", 1, 0, 0),
        Tally("fb", "2026-07-02", 1, 1, 0),
    )


@pytest.mark.parametrize("length", [8, 16, 71])
def test_plan_is_found_by_the_beginning_of_its_digest(filled: Work, length: int) -> None:
    plan = filled.plan(AUTUMN)
    assert _found(filled, plan.digest.removeprefix("sha256:")[:length]) == plan
    assert _found(filled, plan.digest[: 7 + length]) == plan


@pytest.mark.parametrize("length", [0, 1, 7])
def test_plan_is_not_found_by_next_to_nothing(filled: Work, length: int) -> None:
    plan = filled.plan(AUTUMN)
    for digest in (plan.digest[: 7 + length], plan.digest.removeprefix("sha256:")[:length]):
        with pytest.raises(UsageError, match="8 digits"):
            _found(filled, digest)


def test_plan_that_nobody_made_is_not_found(filled: Work) -> None:
    filled.plan(AUTUMN)
    with pytest.raises(UsageError, match="no plan has this digest; make one with: retention purge --dry-run"):
        _found(filled, "sha256:" + "0" * 64)


def test_plan_is_used_once(filled: Work) -> None:
    chosen = filled.plan(AUTUMN)
    filled.purge(AUTUMN, chosen)
    before = filled.dump("message", "run")
    with pytest.raises(UsageError, match="was used by run 1; make a new one with: retention purge --dry-run"):
        _found(filled, chosen.digest)
    with pytest.raises(UsageError, match="was used by another run"):
        filled.purge(LATER, chosen)
    assert filled.dump("message", "run") == before


def test_plan_of_another_schedule_is_refused(filled: Work) -> None:
    chosen = filled.plan(AUTUMN)
    filled.reopen(('keep = "P3M"', 'keep = "P4M"'))
    with pytest.raises(UsageError, match="the schedule has changed since this plan was made"):
        filled.purge(AUTUMN, chosen)
    assert len(filled.ids()) == 18
    assert filled.last_run() is None


def test_hold_placed_after_planning_wins(filled: Work) -> None:
    chosen = filled.plan(AUTUMN)
    filled.hold(contact="c1", now=AUTUMN)
    plan, run = filled.purge(LATER, chosen)
    assert (plan.due, run.disposed, run.skipped_held, run.skipped_gone, run.due_after) == (12, 8, 4, 0, 0)
    assert [name for name in filled.ids() if name.startswith("due")] == ["due-1", "due-4", "due-7", "due-10"]


def test_hold_placed_and_released_after_planning_leaves_the_plan_as_it_was(filled: Work) -> None:
    chosen = filled.plan(AUTUMN)
    filled.release(filled.hold(contact="c1", now=AUTUMN), AUTUMN)
    _, run = filled.purge(LATER, chosen)
    assert (run.disposed, run.skipped_held) == (12, 0)


def test_hold_released_after_planning_does_not_widen_the_plan(filled: Work) -> None:
    number = filled.hold(contact="c1")
    chosen = filled.plan(AUTUMN)
    filled.release(number, AUTUMN)
    plan, run = filled.purge(LATER, chosen)
    assert (plan.due, plan.held, run.disposed, run.skipped_held, run.due_after) == (8, 4, 8, 0, 0)
    assert [name for name in filled.ids() if name.startswith("due")] == ["due-1", "due-4", "due-7", "due-10"]


def test_message_that_is_gone_is_counted_as_gone(filled: Work) -> None:
    first, second = filled.plan(AUTUMN), filled.plan(AUTUMN + timedelta(seconds=1))
    filled.purge(AUTUMN, first)
    _, run = filled.purge(LATER, second)
    assert (run.disposed, run.skipped_gone, run.skipped_held, run.batches) == (0, 12, 0, 0)


def test_message_that_comes_due_after_planning_is_not_in_the_plan(filled: Work) -> None:
    chosen = filled.plan(AUTUMN)
    _, run = filled.purge(AUTUMN + timedelta(days=3), chosen)
    assert (run.disposed, run.due_after) == (12, 0)
    assert filled.ids() == [f"fresh-{n}" for n in range(2, 8)]
    assert filled.plan(AUTUMN + timedelta(days=3)).due == 3


def test_message_that_arrives_after_planning_is_not_disposed_of_early(filled: Work) -> None:
    chosen = filled.plan(AUTUMN)
    filled.take([row("arrived", "2026-08-22 00:00:00"), row("expired", "2026-08-21 23:59:59")], "b.csv", now=AUTUMN)
    _, run = filled.purge(LATER, chosen)
    assert run.disposed == 12
    assert "arrived" in filled.ids()
    assert "expired" not in filled.ids()


def test_plan_made_under_a_clock_that_ran_ahead_disposes_of_nothing_early(filled: Work) -> None:
    ahead = filled.plan(AUTUMN + timedelta(days=5))
    assert ahead.due == 17
    _, run = filled.purge(AUTUMN, ahead)
    assert run.disposed == 12
    assert filled.ids() == [f"fresh-{n}" for n in range(2, 8)]
    # What is not due yet does not break the promise.
    assert run.due_after == 0


def test_two_plans_of_one_instant_differ_once_one_was_carried_out(filled: Work) -> None:
    first, _ = filled.purge(AUTUMN)
    second, run = filled.purge(AUTUMN)
    assert first.digest != second.digest
    assert (run.disposed, second.due) == (0, 0)


@pytest.mark.parametrize(
    ("now", "due"),
    [("2026-11-30T23:59:59+00:00", 12 + 6), ("2026-10-01T22:59:59+00:00", 0), ("2026-10-01T23:00:00+00:00", 1)],
    ids=["end of November", "the last second of the last day", "the first second after it"],
)
def test_message_is_due_from_midnight_of_the_office(filled: Work, now: str, due: int) -> None:
    moment = from_epoch(at(now))
    plan, run = filled.purge(moment)
    assert (plan.due, run.disposed, run.due_after) == (due, due, 0)


def test_month_that_is_too_short_takes_its_last_day(work: Work) -> None:
    days = ["2026-11-28", "2026-11-29", "2026-11-30"]
    work.take([row(f"of-{day}", f"{day} 12:00:00") for day in days], now=from_epoch(at("2026-12-01T12:00:00+00:00")))
    work.purge(from_epoch(at("2027-02-28T23:59:59+00:00")))
    assert len(work.ids()) == 3
    work.purge(from_epoch(at("2027-03-01T00:00:00+00:00")))
    assert work.ids() == []
