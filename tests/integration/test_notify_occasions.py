"""What there is to tell, on either database: each state that a person must hear of, and nothing where all is well."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from retention.acts.approving import approve_plan
from retention.errors import BeltClosedError, LogError, NotApprovedError
from retention.notify.occasion import BROKEN
from retention.notify.words import say_when
from retention.report.facts import FAILED, REFUSED, read_facts
from retention.report.occasions import occasions, state_for
from retention.standing import status_in
from retention.store import findings, jobs
from retention.store.jobs import JobState
from tests.integration.work import AUTUMN, SUMMER
from tests.kit import row
from tests.mail_server import table

if TYPE_CHECKING:
    from retention.notify.occasion import Occasion
    from retention.report.facts import Facts
    from tests.integration.work import Work

ROWS = [row(f"m-{number}", "2026-08-01 09:00:00", contact="a-contact") for number in range(4)]
DUE_FROM = datetime(2026, 11, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHANNEL = {"name": "office", "kind": "webhook", "url": "https://chat.example.org/x"}


def telling(work: Work, *changes: tuple[str, str], **channel: object) -> Work:
    """Give an installation somebody who is told."""
    work.reopen(("[purge]", f"{table(**{**CHANNEL, **channel})}[purge]"), *changes)
    return work


@pytest.fixture
def told(work: Work) -> Work:
    return telling(work)


def facts_of(work: Work, now: datetime, *, at_end: bool = False, failed: str | None = None) -> Facts:
    context = work.context
    memory = context.remembered()
    with context.database.read() as connection:
        return read_facts(
            connection,
            status_in(connection, context, memory, now),
            context.schedule,
            now,
            grace=context.settings.purge.grace_time,
            approvals=context.settings.purge.approvals,
            at_end=at_end,
            failed=failed,
        )


def found(work: Work, now: datetime = AUTUMN, *, failed: str | None = None) -> dict[str, Occasion]:
    """Give what there is to tell beside the summary and that the promise is kept."""
    every = occasions(facts_of(work, now, failed=failed), work.context.settings.notify[0])
    return {one.key: one for one in every if one.grade and one.key != "summary"}


def test_where_all_is_well_there_is_nothing_to_tell(told: Work) -> None:
    assert found(told, SUMMER) == {}
    told.take(ROWS)
    assert found(told, SUMMER) == {}
    told.run(DUE_FROM + 3 * HOUR)
    assert found(told, DUE_FROM + 4 * HOUR) == {}


def test_somebody_is_told_before_the_promise_breaks_and_when_it_does(told: Work) -> None:
    told.take(ROWS)
    assert found(told, DUE_FROM + 11 * HOUR) == {}
    near = found(told, DUE_FROM + 13 * HOUR)
    assert [*near] == ["near"]
    assert near["near"].title == "the promise BREAKS on 3 November 2026, 00:00 (Europe/London)"
    assert near["near"].facts[0] == "4 messages past the period are still there."
    broken = found(told, DUE_FROM + 25 * HOUR)
    assert [*broken] == ["promise"]
    assert broken["promise"].title == "the promise is BROKEN: 4 messages overdue"
    assert broken["promise"].urgency == BROKEN
    told.run(DUE_FROM + 26 * HOUR)
    assert found(told, DUE_FROM + 27 * HOUR) == {}


def test_hold_that_was_just_released_breaks_nothing_and_is_no_riddle(told: Work) -> None:
    told.take(ROWS)
    number = told.hold(contact="a-contact")
    told.release(number, now=AUTUMN)
    assert found(told, AUTUMN) == {}
    near = found(told, AUTUMN + 13 * HOUR)["near"]
    assert near.title == f"the promise BREAKS on {say_when(AUTUMN + DAY, told.context.schedule.zone)}"


def test_closed_belt_is_told_with_its_figures_and_by_when(told: Work) -> None:
    telling(told, ("max_share = 1.0", "max_share = 0.1"))
    told.take(ROWS)
    with pytest.raises(BeltClosedError):
        told.run(DUE_FROM + HOUR)
    belt = found(told, DUE_FROM + HOUR)["belt"]
    assert "Share: the plan disposes of 4 of 4 messages (100.0%)" in belt.facts[0]
    assert belt.facts[1].endswith("before 3 November 2026, 00:00 (Europe/London), the promise is broken.")


def test_plan_that_waits_is_told_with_digest_counts_and_deadline_and_louder_as_it_nears(told: Work) -> None:
    telling(told, ("[purge]", '[purge]\napprovals = 1\ngrace = "P4D"'))
    told.take([*ROWS, row("later", "2026-08-03 09:00:00")])
    with pytest.raises(NotApprovedError):
        told.run(DUE_FROM + HOUR)
    plan = found(told, DUE_FROM + HOUR)["plan"]
    [digest] = [line.split()[-1] for line in plan.do if "approve" in line]
    assert plan.facts == (
        "It disposes of 4 of 5 messages; 0 due are held.",
        "It has the approval of 0 of 1 person.",
        "If what is due now is not disposed of before 6 November 2026, 00:00 (Europe/London), the promise is broken.",
        "Becomes due in the next seven days:",
        "  2026-11-04  1 message",
    )
    grades = [found(told, DUE_FROM + hours * HOUR)["plan"].grade for hours in (1, 47, 49, 71, 73)]
    assert grades == [1, 1, 2, 2, 3]
    assert found(told, DUE_FROM + 30 * HOUR)["plan"].do == ("retention purge --dry-run", "retention plan list")
    approve_plan(told.context, digest, by="ann", reason="seen", now=DUE_FROM + HOUR)
    assert "plan" not in found(told, DUE_FROM + HOUR)
    told.hold(now=DUE_FROM + HOUR, contact="somebody")
    expired = found(told, DUE_FROM + HOUR)[f"expired:{digest}"]
    assert expired.facts[0].endswith("because a hold was placed or released since.")


def test_review_of_a_hold_is_told_two_weeks_ahead_and_again_when_it_is_late(told: Work) -> None:
    number = told.hold(review_on=date(2026, 8, 30), contact="a-contact")
    key = f"hold:{number}"
    days = {day: found(told, datetime(2026, 8, day, 12, tzinfo=UTC)).get(key) for day in (15, 16, 30, 31)}
    assert days[15] is None
    assert [one.grade for one in days.values() if one] == [1, 1, 2]
    assert days[16] is not None
    assert days[31] is not None
    assert (days[16].once, days[31].once) == (True, False)
    assert days[16].title == f"the review of hold {number} (foi) is due on 30 August 2026"
    telling(told, ahead="P1D")
    assert key not in found(told, datetime(2026, 8, 28, 12, tzinfo=UTC))


def test_silent_source_is_told_by_its_name(work: Work) -> None:
    work.office.source = 'expect_every = "P2D"'
    telling(work)
    work.take(ROWS)
    assert found(work, SUMMER + DAY) == {}
    silent = found(work, SUMMER + 3 * DAY)["source:hootsuite-inbox"]
    assert silent.facts[0].startswith("Nothing was ingested from it since 10 August 2026, 13:00 (Europe/London).")


def test_overdue_order_is_told(told: Work) -> None:
    told.take(ROWS)
    told.run(DUE_FROM + HOUR)
    assert "order:1" not in found(told, DUE_FROM + 6 * DAY)
    order = found(told, DUE_FROM + 9 * DAY)["order:1"]
    assert order.facts[0] == "4 messages to be deleted at hootsuite-inbox by 2026-11-09."
    assert "once it is done: retention upstream attest 1" in order.do


def test_log_that_does_not_verify_is_told_whatever_it_says(told: Work) -> None:
    told.take(ROWS)
    [(kept,)] = told.ask("SELECT root FROM audit_head")
    told.tell("UPDATE audit_head SET root = :root", root=b"\0" * 32)
    with pytest.raises(LogError):
        told.run(AUTUMN)
    log = found(told)["log"]
    assert log.urgency == BROKEN
    told.tell("UPDATE audit_head SET root = :root", root=kept)


def test_guards_of_the_log_that_are_gone_are_told_by_their_number(sqlite_work: Work) -> None:
    told = telling(sqlite_work)
    with told.context.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_entry_no_delete")
        connection.exec_driver_sql("DROP TRIGGER audit_entry_no_update")
    triggers = found(told, SUMMER)["triggers"]
    assert triggers.title == "2 triggers that keep the audit log append-only are gone"
    assert triggers.grade == 2
    assert triggers.do == ("retention init", "retention audit verify --deep")


def test_database_that_was_restored_is_told_as_a_log_that_does_not_verify(told: Work) -> None:
    with told.context.database.write() as connection:
        findings.open_finding(connection, "restored", "a-secret-reason", at=SUMMER)
    log = found(told, SUMMER)["log"]
    assert log.do[-1] == "after a restore: retention audit new-epoch --reason TEXT"
    assert "a-secret" not in repr(log)


def test_job_that_fails_and_a_run_that_ended_badly_are_told(told: Work) -> None:
    with told.context.database.write() as connection:
        jobs.save(connection, JobState("ingest", "failed", 1, 2, 1, 4, None))
        findings.open_finding(connection, "job-failing", "x", at=SUMMER, file="ingest")
    assert found(told, SUMMER)["job:ingest"].facts == ("It failed 4 times in a row.",)
    assert found(told, SUMMER, failed="KeyFileError, exit code 1")["run"].facts == (
        "It ended with KeyFileError, exit code 1.",
    )


def test_anchors_and_other_findings_are_told_by_name_and_kind_and_never_by_their_reason(told: Work) -> None:
    with told.context.database.write() as connection:
        findings.open_finding(connection, "anchor-failed", "a-secret-reason", at=SUMMER, file="witness")
        findings.open_finding(connection, "refused-file", "a-secret-reason", at=SUMMER, file="a-secret-file.csv")
    every = found(told, SUMMER)
    assert every.keys() == {"anchor:witness", "finding:refused-file", "promise"}
    assert "a-secret" not in repr(every)


def test_what_a_channel_is_not_about_is_left_out(told: Work) -> None:
    telling(told, about=["hold-review"])
    told.hold(review_on=date(2026, 8, 30), contact="a-contact")
    told.take([row("bad", "yesterday")])
    assert {one.split(":")[0] for one in found(told, AUTUMN)} == {"hold"}


def fail(work: Work, kind: str, channel: str) -> None:
    with work.context.database.write() as connection:
        findings.open_finding(connection, kind, "x", at=SUMMER, file=channel)


@pytest.mark.parametrize("kind", [FAILED, REFUSED])
def test_that_a_channel_failed_itself_is_no_risk_to_those_whom_it_reaches(told: Work, kind: str) -> None:
    fail(told, kind, "office")
    facts = facts_of(told, SUMMER)
    assert facts.status.promise == "at_risk"
    assert (state_for(facts, "office"), state_for(facts, "other")) == ("kept", "at_risk")
    assert [*found(told, SUMMER)] == (["channel"] if kind == FAILED else [])
    fail(told, FAILED, "chat")
    assert "channel:chat" in found(told, SUMMER)


def test_summary_is_of_the_newest_monday_and_waits_for_the_morning(told: Work) -> None:
    def day(at: datetime, *, at_end: bool = False) -> date:
        [one] = [
            one
            for one in occasions(facts_of(told, at, at_end=at_end), told.context.settings.notify[0])
            if one.key == "summary"
        ]
        return date.fromordinal(one.grade)

    monday = datetime(2026, 8, 17, 0, 5, tzinfo=UTC)  # five past one in London
    assert day(monday) == date(2026, 8, 10)
    assert day(monday, at_end=True) == day(monday + 5 * HOUR) == day(monday + 6 * DAY) == date(2026, 8, 17)


def test_summary_holds_the_figures_and_the_checkpoint_as_it_is(told: Work) -> None:
    told.take([*ROWS, row("later", "2026-08-03 09:00:00")])
    told.run(DUE_FROM + HOUR)
    every = occasions(facts_of(told, DUE_FROM + 2 * HOUR), told.context.settings.notify[0])
    [summary] = [one for one in every if one.key == "summary"]
    said = "\n".join(summary.facts)
    for line in ("1 message, since 2026-08-03", "4 in the last seven days", "4 in open disposal orders", "2026-11-04"):
        assert line in said
    [(note,)] = told.ask("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
    assert summary.attachment == note
