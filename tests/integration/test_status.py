"""Status answers one question: is the promise kept, at risk or broken, and why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from retention.acts.resolving import resolve_finding
from retention.errors import DatabaseError, Exit, LogError, NotApprovedError, UsageError
from retention.model import from_epoch
from retention.policy.words import say_count
from retention.report.view import status_as_text
from retention.store import jobs
from tests.guards import pass_guards
from tests.integration.work import AUTUMN, SUMMER, at
from tests.kit import row

if TYPE_CHECKING:
    from datetime import datetime

    from tests.integration.work import Work

ROWS = [
    row("m-1", "2026-08-01 09:00:00", contact="ann"),
    row("m-2", "2026-08-01 10:00:00", contact="bob"),
    row("m-3", "2026-08-09 09:00:00", contact="bob"),
]
DUE_FROM = from_epoch(at("2026-11-02T00:00:00+00:00"))


def figures(work: Work, now: datetime = SUMMER, **wanted: object) -> None:
    status = work.status(now).as_json()
    assert {name: status[name] for name in wanted} == wanted


def test_fresh_register_keeps_its_promise(work: Work) -> None:
    figures(
        work,
        promise="kept",
        reasons=[],
        drill=True,
        registered=0,
        due=0,
        overdue=0,
        oldest_overdue_days=0,
        held=0,
        oldest_received_on=None,
        next_due_on=None,
        last_run=None,
        upstream={"ordered": 0, "overdue": 0, "present": 0},
        findings={"open": 0, "by_kind": {}},
        holds={"active": 0, "reviews_overdue": 0},
    )
    log = work.status().log
    assert (log["size"], log["in_order"], log["verified"]) == (1, True, False)
    assert log["standing"] == "head in order, never verified in full"


def test_log_was_verified_in_full_only_when_somebody_did_and_nothing_was_found_since(work: Work) -> None:
    work.run()
    log = work.status().log
    size = log["verified_entries"]
    assert (log["verified"], log["verified_at"]) == (True, "2026-08-10T12:00:00Z")
    assert log["standing"] == f"head in order, last verified in full 2026-08-10T12:00:00Z ({size} entries)"
    [(body,)] = work.ask("SELECT body FROM audit_entry WHERE seq = 1")
    work.tell("UPDATE audit_entry SET body = body || ' ' WHERE seq = 1")
    with pytest.raises(LogError, match="from entry 1 on: entry 1 does not have the hash"):
        work.plan()
    log = work.status().log
    assert (log["verified"], log["first_bad_index"], log["verified_at"]) == (False, 1, None)
    work.tell("UPDATE audit_entry SET body = :body WHERE seq = 1", body=body)
    assert "BROKEN from entry 1 on: when it was last looked at" in work.status().log["standing"]
    for finding in work.findings("log-not-verified"):
        resolve_finding(work.context, finding.id, "put back from the bundle", SUMMER)
    status = work.status()
    assert (status.promise, status.log["in_order"], status.log["verified"]) == ("broken", False, False)
    found = "BROKEN from entry 1 on: found broken 2026-08-10T12:00:00Z and not verified in full since: entry 1 does not"
    assert status.log["standing"].startswith(found)
    work.purge()  # a person took it on themselves that work goes on
    assert work.status().promise == "broken"
    work.run()
    assert (work.status().promise, work.status().log["verified"]) == ("kept", True)


def test_what_is_stored_of_a_verification_must_be_numbers(sqlite_work: Work) -> None:
    sqlite_work.run()
    sqlite_work.tell("UPDATE verification SET at = 'soon'")
    with pytest.raises(DatabaseError, match="last verification is no number; run: retention audit verify"):
        sqlite_work.status()
    sqlite_work.run()
    assert sqlite_work.status().promise == "kept"


def test_missing_triggers_put_the_promise_at_risk(sqlite_work: Work) -> None:
    with sqlite_work.context.database.write() as connection:
        pass_guards(connection)
    status = sqlite_work.status()
    assert (status.promise, status.log["in_order"], status.log["missing_triggers"]) == ("at_risk", False, 16)
    assert "16 of the triggers" in status.reasons[0]
    assert status.log["standing"].startswith("NOT IN ORDER: 16 of the triggers")


def test_entry_removed_further_back_is_counted_by_the_status(work: Work) -> None:
    work.take([row(f"m-{n}", "2026-08-01 09:00:00") for n in range(300)])
    work.purge(AUTUMN)
    [(body,)] = work.ask("SELECT body FROM audit_entry WHERE seq = 5")
    work.tell("DELETE FROM audit_entry WHERE seq = 5")
    status = work.status(AUTUMN)
    assert status.promise == "broken"
    assert status.log["entries"] == status.log["size"] - 1
    work.tell("INSERT INTO audit_entry (seq, body) VALUES (5, :body)", body=body)


def test_status_of_a_drill_that_was_none_says_so(work: Work) -> None:
    work.tell("UPDATE installation SET drill = :no", no=False)
    work.reopen()
    assert work.status().drill is False


def test_status_tells_when_something_is_due_next(work: Work) -> None:
    work.take(ROWS)
    figures(work, promise="kept", registered=3, due=0, oldest_received_on="2026-08-01", next_due_on="2026-11-02")
    figures(work, now=DUE_FROM, due=2, overdue=0, next_due_on="2026-11-10")
    figures(work, now=AUTUMN, due=3, next_due_on=None)


@pytest.mark.parametrize(
    ("after", "promise", "overdue", "days"),
    [
        (timedelta(seconds=-1), "kept", 0, 0),
        (timedelta(), "kept", 0, 0),
        (timedelta(days=1, seconds=-1), "kept", 0, 0),
        (timedelta(days=1), "broken", 2, 1),
        (timedelta(days=6), "broken", 2, 6),
        (timedelta(days=20), "broken", 3, 20),
    ],
)
def test_promise_is_broken_when_the_grace_of_one_run_is_over(
    work: Work, after: timedelta, promise: str, overdue: int, days: int
) -> None:
    work.take(ROWS)
    figures(work, now=DUE_FROM + after, promise=promise, overdue=overdue, oldest_overdue_days=days)
    reasons = work.status(DUE_FROM + after).reasons
    assert reasons == (
        [f"overdue and not held: {say_count(overdue, 'message')}; run: retention purge"] if overdue else []
    )


def test_grace_is_as_long_as_it_was_configured(work: Work) -> None:
    work.reopen(("[purge]", '[purge]\ngrace = "P5D"'))
    work.take(ROWS)
    assert work.status(DUE_FROM + timedelta(days=4)).promise == "kept"
    assert work.status(DUE_FROM + timedelta(days=5)).promise == "broken"


def test_held_messages_are_not_overdue(work: Work) -> None:
    work.take(ROWS)
    work.hold(contact="bob")
    figures(work, now=AUTUMN, due=1, held=2, overdue=1, holds={"active": 1, "reviews_overdue": 0})
    work.purge(AUTUMN)
    figures(work, now=AUTUMN, promise="kept", due=0, held=2, overdue=0, oldest_received_on="2026-08-01")


def test_purge_mends_a_broken_promise(work: Work) -> None:
    work.take(ROWS)
    assert work.status(AUTUMN).promise == "broken"
    _, run = work.purge(AUTUMN)
    figures(work, now=AUTUMN, promise="kept", registered=0, due=0)
    last = work.status(AUTUMN).last_run
    assert last is not None
    assert (last["id"], last["state"], last["disposed"]) == (run.id, "done", 3)
    assert (last["started_at"], last["finished_at"]) == ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z")


def test_open_finding_puts_the_promise_at_risk_until_a_person_resolves_it(work: Work) -> None:
    work.take([*ROWS, row("", "2026-08-01 09:00:00"), row("x", "y")])
    figures(work, promise="at_risk", findings={"open": 2, "by_kind": {"rejected-row": 2}})
    assert work.status().reasons == ["findings are open (2 rejected-row); see: retention findings list"]
    for finding in work.findings():
        resolve_finding(work.context, finding.id, "asked for another export", SUMMER)
    figures(work, promise="kept", findings={"open": 0, "by_kind": {}})
    assert all(one.resolved_at == int(SUMMER.timestamp()) for one in work.findings(open_only=False))
    bodies = [body for (body,) in work.ask("SELECT body FROM remark")]
    assert bodies == ["asked for another export"] * 2


def test_finding_is_resolved_once_and_only_where_it_is(work: Work) -> None:
    work.take([row("", "2026-08-01 09:00:00")])
    [finding] = work.findings()
    resolve_finding(work.context, finding.id, "seen", SUMMER)
    for number in (finding.id, finding.id + 1):
        with pytest.raises(UsageError, match=f"there is no open finding {number}"):
            resolve_finding(work.context, number, "seen", SUMMER)
    assert len(work.dump("remark")["remark"]) == 1


def test_upstream_copy_past_its_time_is_counted(work: Work) -> None:
    work.take([row("expired", "2026-05-09 09:00:00"), row("m-1", "2026-08-10 09:00:00")])
    figures(work, promise="at_risk", upstream={"ordered": 0, "overdue": 0, "present": 1})


def test_broken_promise_outweighs_a_risk_and_names_both(work: Work) -> None:
    work.take([*ROWS, row("", "2026-08-01 09:00:00")])
    status = work.status(AUTUMN)
    assert status.promise == "broken"
    assert len(status.reasons) == 2


def test_head_that_is_wrong_breaks_the_promise(work: Work) -> None:
    work.take(ROWS)
    work.tell("UPDATE audit_head SET size = size - 1")
    status = work.status()
    assert (status.promise, status.log["verified"]) == ("broken", False)
    assert any("the audit log does not verify" in reason for reason in status.reasons)
    work.tell("UPDATE audit_head SET size = size + 1")
    assert work.status().promise == "kept"


def test_status_that_cannot_be_read_is_an_error_and_no_promise(work: Work) -> None:
    work.tell("ALTER TABLE hold RENAME TO lost")
    with pytest.raises(DatabaseError, match="hold"):
        work.status()
    work.tell("ALTER TABLE lost RENAME TO hold")


def test_whole_job_that_finds_the_log_wrong_leaves_an_alarm(work: Work) -> None:
    work.take(ROWS)
    [(body,)] = work.ask("SELECT body FROM audit_entry WHERE seq = 2")
    work.tell("UPDATE audit_entry SET body = :body WHERE seq = 2", body=body.replace("2026", "2025", 1))
    signed = work.dump("audit_checkpoint")
    with pytest.raises(LogError, match="entry 2") as raised:
        work.run()
    assert raised.value.exit_code == Exit.LOG_NOT_VERIFIED
    assert work.dump("audit_checkpoint") == signed
    assert work.status().promise == "broken"
    work.tell("UPDATE audit_entry SET body = :body WHERE seq = 2", body=body)
    assert work.run(SUMMER.replace(hour=13)).verification.ok
    assert work.status(SUMMER.replace(hour=13)).promise == "kept"


def test_message_without_a_rule_is_due_at_once(work: Work) -> None:
    work.take(ROWS)
    work.reopen(('match = { visibility = "private" }', 'match = { network = "ig" }'))
    figures(work, due=3, next_due_on=None)


def test_day_of_a_review_is_counted_in_the_zone_of_the_schedule(work: Work) -> None:
    work.hold(review_on=date(2026, 8, 11))
    assert work.status(from_epoch(at("2026-08-11T23:59:59+01:00"))).promise == "kept"
    assert work.status(from_epoch(at("2026-08-12T00:00:00+01:00"))).promise == "at_risk"


def job(work: Work, name: str, *, failures: int = 0, next_due_at: datetime | None = None) -> None:
    """Write down a job that ended in summer."""
    ended, due = int(SUMMER.timestamp()), None if next_due_at is None else int(next_due_at.timestamp())
    outcome, code = ("failed", 1) if failures else ("done", 0)
    with work.context.database.write() as connection:
        jobs.save(connection, jobs.JobState(name, outcome, ended - 9, ended, code, failures, due))


def stuck(work: Work, now: datetime) -> dict[str, str | None]:
    return {one["job"]: one["stuck"] for one in work.status(now).jobs}


def test_jobs_of_the_service_are_told_where_it_was_ever_used(work: Work) -> None:
    figures(work, jobs=[])
    job(work, "run", next_due_at=SUMMER + timedelta(hours=15))
    figures(
        work,
        promise="kept",
        jobs=[
            {
                "job": "run",
                "outcome": "done",
                "started_at": "2026-08-10T11:59:51Z",
                "ended_at": "2026-08-10T12:00:00Z",
                "exit_code": 0,
                "failures": 0,
                "next_due_at": "2026-08-11T03:00:00Z",
                "stuck": None,
            }
        ],
    )
    assert "  job run             done 2026-08-10T12:00:00Z, next 2026-08-11T03:00:00Z" in status_as_text(work.status())


def test_job_that_fails_again_and_again_is_a_risk_until_a_run_was_complete(work: Work) -> None:
    job(work, "verify", failures=2)
    assert work.status().promise == "kept"
    job(work, "verify", failures=3)
    status = work.status()
    assert status.promise == "at_risk"
    failed = "the job verify of the service failed 3 times in a row, the last one 2026-08-10T12:00:00Z; see its log"
    assert status.reasons == [failed]
    assert status_as_text(status)[-2].endswith("failed 2026-08-10T12:00:00Z, 3 failures in a row, STUCK")
    work.run(SUMMER + timedelta(hours=1))
    assert work.status(SUMMER + timedelta(hours=1)).promise == "kept"


def test_job_that_was_due_for_longer_than_the_grace_and_did_not_run_is_a_risk(work: Work) -> None:
    work.run()
    due = SUMMER + timedelta(hours=15)
    job(work, "run", next_due_at=due)
    assert stuck(work, due + timedelta(days=1)) == {"run": None}
    assert stuck(work, due + timedelta(days=1, seconds=1)) == {"run": "late"}
    [late] = work.status(due + timedelta(days=2)).reasons
    assert late.startswith(
        "the job run of the service was due 2026-08-11T03:00:00Z, and no run has done its work since"
    )


def test_row_that_the_service_left_behind_is_no_risk_where_cron_keeps_the_promise(work: Work) -> None:
    job(work, "run", next_due_at=SUMMER)
    later = SUMMER + timedelta(days=30)
    assert stuck(work, later) == {"run": "late"}
    work.run(SUMMER + timedelta(hours=1))
    figures(work, later, promise="kept", reasons=[])


def test_job_that_is_switched_off_is_no_risk_however_long_ago_it_was_due(work: Work) -> None:
    job(work, "run", next_due_at=SUMMER)
    job(work, "verify", failures=9)
    work.reopen(("[purge]", "[serve]\njobs = false\n\n[purge]"))
    figures(work, SUMMER + timedelta(days=30), promise="kept", reasons=[])


def test_run_that_waits_for_approval_has_done_its_work(work: Work) -> None:
    work.reopen(("[purge]", "[purge]\napprovals = 1"))
    job(work, "run", next_due_at=SUMMER)
    work.take(ROWS)
    with pytest.raises(NotApprovedError):
        work.run(DUE_FROM)
    assert stuck(work, DUE_FROM + timedelta(hours=1)) == {"run": None}


def test_clock_that_went_back_puts_the_promise_at_risk_before_any_run_says_so(work: Work) -> None:
    work.take([row("fresh", "2026-11-20 09:00:00")], now=AUTUMN)
    assert work.status(AUTUMN - timedelta(minutes=4)).promise == "kept"
    back = work.status(AUTUMN - timedelta(days=60))
    assert (back.promise, back.due) == ("at_risk", 0)
    assert back.reasons == [
        "the clock says 2026-09-23T12:00:00Z, but something was done here at 2026-11-22T12:00:00Z: set it right"
    ]
