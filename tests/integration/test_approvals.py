"""Where people must approve, nothing is disposed of that they have not seen, and what they saw is what is done."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from retention.acts.approving import approve_plan, list_plans, show_plan
from retention.errors import BeltClosedError, Exit, NotApprovedError, UsageError
from retention.report import plans
from retention.report.public import public_facts
from retention.report.record import gather
from retention.report.record_json import record_as_json
from retention.report.record_words import Line, checks
from tests.integration.work import AUTUMN
from tests.kit import row

if TYPE_CHECKING:
    from retention.policy.plan import Plan
    from retention.report.approvals import Standing
    from tests.integration.work import Work

DUE = [row(f"due-{n}", "2026-08-01 09:00:00", contact="ann") for n in range(4)]
LATER = [row("later", "2026-08-22 09:00:00", contact="bob")]
FRESH = [row("fresh", "2026-09-30 09:00:00", contact="bob")]
TOMORROW = AUTUMN + timedelta(days=1)


def ask_for(work: Work, people: int) -> None:
    work.reopen(("[purge]", f"[purge]\napprovals = {people}"))


@pytest.fixture
def asked(work: Work) -> Work:
    """Give an installation in which one person must approve; four of six messages are due."""
    work.take([*DUE, *LATER, *FRESH], now=datetime(2026, 10, 1, tzinfo=UTC))
    ask_for(work, 1)
    return work


@pytest.fixture
def asked_of_two(asked: Work) -> Work:
    """Give the same in which two people must approve."""
    ask_for(asked, 2)
    return asked


def waits(work: Work, now: datetime = AUTUMN, message: str = "the plan waits for approval") -> str:
    """See that a run disposes of nothing; give what it says."""
    before = work.ids()
    with pytest.raises(NotApprovedError, match=message) as refused:
        work.run(now)
    assert refused.value.exit_code == Exit.BELT_CLOSED
    assert work.ids() == before
    return str(refused.value)


def approve(work: Work, plan: Plan | str, by: str = "ann", now: datetime = AUTUMN) -> Standing:
    digest = plan if isinstance(plan, str) else plan.digest
    return approve_plan(work.context, digest, by=by, reason="counts compared", now=now)


def newest(work: Work, now: datetime = AUTUMN) -> Standing:
    return list_plans(work.context, now)[0]


def test_nothing_is_deleted_before_a_person_has_approved(asked: Work) -> None:
    said = waits(asked)
    plan = newest(asked).plan
    assert f"retention plan approve {plan.digest}" in said
    assert "It disposes of 4 of 6 messages. Nothing was deleted." in said
    assert "it has that of 0 of 1 person" in said
    assert asked.last_run() is None
    assert asked.status(AUTUMN).log["verified"] is True  # a wait does not keep the log from being read
    with pytest.raises(NotApprovedError):
        asked.purge(AUTUMN, plan)
    with pytest.raises(NotApprovedError):  # a reason passes belts, and this is none
        asked.purge(AUTUMN, plan, reason="in a hurry")
    assert len(asked.ids()) == 6


def test_unattended_run_carries_out_what_was_approved(asked: Work) -> None:
    waits(asked)
    plan = newest(asked).plan
    assert approve(asked, plan).state == "approved"
    result = asked.run(AUTUMN + timedelta(hours=1))
    assert (result.plan.digest, result.run.disposed) == (plan.digest, 4)
    assert asked.ids() == ["later", "fresh"]
    assert newest(asked).state == "used"
    assert newest(asked).used_by == result.run.id
    with pytest.raises(UsageError, match="was used by another run"):
        asked.purge(TOMORROW, plan)


def test_plain_purge_carries_out_what_was_approved_too(asked: Work) -> None:
    with pytest.raises(NotApprovedError):
        asked.purge(AUTUMN)
    approve(asked, newest(asked).plan)
    assert asked.purge(AUTUMN)[1].disposed == 4


def test_named_plan_is_carried_out_when_it_was_approved(asked: Work) -> None:
    plan = asked.plan(AUTUMN)
    approve(asked, plan.digest[7:19])
    assert asked.purge(AUTUMN, plan)[1].disposed == 4


def test_two_must_be_two_people(asked_of_two: Work) -> None:
    work = asked_of_two
    waits(work)
    plan = newest(work).plan
    assert approve(work, plan, "ann").state == "waiting"
    assert "it has that of 1 of 2 people" in waits(work)
    assert newest(work).plan == plan  # no second plan is made while the first says the same
    for name in ("ann", " ANN "):
        with pytest.raises(UsageError, match="you have approved this plan already"):
            approve(work, plan, name)
    found = approve(work, plan, "bob")
    assert (found.state, found.people, [one.by for one in found.approvals]) == ("approved", 2, ["ann", "bob"])
    assert work.run(AUTUMN).run.disposed == 4


def test_approvals_are_entries_without_a_name(asked: Work) -> None:
    plan = asked.plan(AUTUMN)
    approve(asked, plan, "ann.example@office")
    [told] = asked.entries("plan_approved")
    assert told["plan_digest"] == plan.digest
    assert told.keys() == {"at", "by", "kind", "plan_digest", "reason", "v"}
    assert "ann.example" not in json.dumps(asked.entries())
    assert asked.verify().ok


def test_what_is_due_since_waits_for_the_next_plan(asked: Work) -> None:
    waits(asked)
    approve(asked, newest(asked).plan)
    result = asked.run(TOMORROW)
    assert (result.run.disposed, result.run.due_after) == (4, 0)
    assert asked.ids() == ["later", "fresh"]
    [offered] = [one for one in list_plans(asked.context, TOMORROW) if one.state == "waiting"]
    assert offered.plan.due == 1
    status = asked.status(TOMORROW)
    assert status.plans["waiting"] == offered.plan.digest
    assert (status.promise, status.plans["unapproved"]) == ("at_risk", 1)


def test_hold_placed_or_released_lets_an_approval_expire(asked: Work) -> None:
    waits(asked)
    plan = newest(asked).plan
    approve(asked, plan)
    hold = asked.hold(contact="ann", now=AUTUMN)
    assert show_plan(asked.context, plan.digest, AUTUMN).state == "expired"
    with pytest.raises(UsageError, match="cannot be carried out, because a hold was placed or released since"):
        asked.purge(AUTUMN, plan)
    with pytest.raises(UsageError, match="cannot be approved, because a hold was placed"):
        approve(asked, plan, "bob")
    assert asked.run(AUTUMN).run.disposed == 0  # everything is held, so there is nothing to approve
    asked.release(hold, AUTUMN)
    # Nothing has changed between then and now but the log, and so the first plan is what people saw once more.
    assert asked.run(AUTUMN).run.disposed == 4


def test_expired_approval_is_told_with_the_new_plan(asked: Work) -> None:
    waits(asked)
    old = newest(asked).plan
    approve(asked, old)
    asked.hold(contact="bob", now=AUTUMN)
    said = waits(asked)
    assert f"Plan {old.digest[:15]} was approved and has expired, because a hold was placed or released since." in said
    assert len([one for one in list_plans(asked.context, AUTUMN) if one.state == "waiting"]) == 1


def test_changed_schedule_lets_an_approval_expire(asked: Work) -> None:
    plan = asked.plan(AUTUMN)
    approve(asked, plan)
    asked.reopen(("[purge]", "[purge]\napprovals = 1"), ('keep = "P3M"', 'keep = "P2M"'))
    assert show_plan(asked.context, plan.digest, AUTUMN).expired == "the schedule has changed since"
    waits(asked)


def test_approval_passes_no_belt(asked: Work) -> None:
    plan = asked.plan(AUTUMN)
    approve(asked, plan)
    asked.reopen(("[purge]", "[purge]\napprovals = 1"), ("max_share = 1.0", "max_share = 0.5"))
    with pytest.raises(BeltClosedError, match="safety belt share") as refused:
        asked.run(AUTUMN)
    assert not isinstance(refused.value, NotApprovedError)
    assert asked.purge(AUTUMN, plan, reason="the backlog")[1].disposed == 4


def test_row_that_somebody_inserts_approves_nothing(asked: Work) -> None:
    plan, other = asked.plan(AUTUMN), asked.plan(AUTUMN - timedelta(hours=1))
    approve(asked, other)
    index = next(number for number, one in enumerate(asked.entries()) if one["kind"] == "plan_approved")
    asked.tell("UPDATE plan_approval SET plan_digest = :digest", digest=plan.digest)
    asked.tell("INSERT INTO plan_approval (plan_digest, entry_index) VALUES (:digest, 0)", digest=plan.digest)
    assert show_plan(asked.context, plan.digest, AUTUMN).approvals == ()
    waits(asked)
    asked.tell("DELETE FROM plan_approval")
    asked.tell("INSERT INTO plan_approval VALUES (:index, :digest)", index=index, digest=other.digest)
    assert show_plan(asked.context, other.digest, AUTUMN).state == "approved"


def test_name_that_was_erased_or_changed_counts_no_more(asked_of_two: Work) -> None:
    plan = asked_of_two.plan(AUTUMN)
    approve(asked_of_two, plan, "ann")
    assert approve(asked_of_two, plan, "bob").people == 2
    asked_of_two.tell("UPDATE remark SET body = 'cid' WHERE body = 'ann'")
    assert show_plan(asked_of_two.context, plan.digest, AUTUMN).people == 1
    asked_of_two.tell("DELETE FROM remark WHERE body = 'bob'")
    found = show_plan(asked_of_two.context, plan.digest, AUTUMN)
    assert (found.people, [one.by for one in found.approvals]) == (0, [None, None])
    assert "a name that was erased" in "\n".join(plans.standing_as_text(found))
    waits(asked_of_two)


def test_changed_plan_is_not_the_one_that_was_approved(asked: Work) -> None:
    plan = asked.plan(AUTUMN)
    approve(asked, plan)
    asked.tell("UPDATE plan SET body = replace(body, :said, :changed)", said='"total":6', changed='"total":7')
    waits(asked)


def test_status_is_at_risk_in_time(asked: Work) -> None:
    due_from = datetime(2026, 11, 2, 1, tzinfo=UTC)
    before = asked.status(due_from - timedelta(hours=2))
    assert (before.promise, before.coming) == ("kept", [{"on": "2026-11-02", "due": 4}])
    status = asked.status(due_from)
    assert (status.promise, status.plans["unapproved"], status.plans["waiting"]) == ("at_risk", 4, None)
    assert status.reasons[0].startswith(
        "due and in no approved plan: 4 messages; approve one before 2026-11-03T00:00:00Z"
    )
    approve(asked, asked.plan(due_from), now=due_from)
    assert asked.status(due_from).promise == "kept"
    assert asked.status(due_from + timedelta(days=2)).promise == "broken"


def test_approval_that_came_late_leaves_the_promise_broken_until_the_run(asked: Work) -> None:
    due_from = datetime(2026, 11, 2, 1, tzinfo=UTC)
    approve(asked, asked.plan(due_from), now=due_from)
    late = due_from + timedelta(days=5)
    run = asked.run(late).run
    context = asked.context
    with context.database.read() as connection:
        status = asked.status(late)
        facts = public_facts(
            connection, status, context.schedule, context.installation, grace=timedelta(days=1), now=late
        )
    assert (status.promise, facts.since, facts.since_on) == ("kept", "mended", date(2026, 11, 7))
    assert run.disposed == 4


def test_disposal_record_names_who_approved(asked_of_two: Work) -> None:
    waits(asked_of_two)
    for name in ("ann", "bob"):
        approve(asked_of_two, newest(asked_of_two).plan, name)
    run = asked_of_two.run(AUTUMN).run
    context = asked_of_two.context
    with context.database.read() as connection:
        record = gather(connection, context.installation, run.id)
    first, second = record.approvals
    assert Line("Plan approved by", f"ann (entry {first.entry}) and bob (entry {second.entry})") in checks(record)
    assert [one["by"] for one in json.loads(record_as_json(record))["approvals"]] == ["ann", "bob"]


def test_without_anything_due_runs_go_on_unasked(asked: Work) -> None:
    early = datetime(2026, 10, 2, tzinfo=UTC)
    assert asked.run(early).run.disposed == 0
    with pytest.raises(UsageError, match="disposes of nothing"):
        approve(asked, asked.plan(early), now=early)
    assert list_plans(asked.context, early) == []


def test_plans_need_no_approval_where_none_is_asked(work: Work) -> None:
    work.take(DUE, now=datetime(2026, 10, 1, tzinfo=UTC))
    plan = work.plan(AUTUMN)
    with pytest.raises(UsageError, match="plans need no approval here"):
        approve(work, plan)
    assert "needs no approval" in "\n".join(plans.shown_as_text(show_plan(work.context, plan.digest, AUTUMN)))
    assert work.run(AUTUMN).run.disposed == 4


def test_dry_run_and_list_say_how_a_plan_stands(asked: Work) -> None:
    plan = asked.plan(AUTUMN)
    text = "\n".join(plans.shown_as_text(show_plan(asked.context, plan.digest, AUTUMN)))
    assert f"Approve it with: retention plan approve {plan.digest}" in text
    found = approve(asked, plan)
    assert f"Carry it out with: retention purge --plan {plan.digest}" in "\n".join(plans.shown_as_text(found))
    told = plans.standing_as_json(found)
    assert (told["state"], told["needed"], told["people"], told["due"]) == ("approved", 1, 1, 4)
    assert told["approvals"][0]["by"] == "ann"
    asked.hold(contact="bob", now=AUTUMN)
    assert "EXPIRED, because a hold" in "\n".join(plans.standing_as_text(newest(asked)))
