"""Safety belts: each stops the purge before it deletes anything, and only a plan and a reason pass it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from retention.errors import BeltClosedError, Exit
from tests.integration.work import AUTUMN, SUMMER
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work

DUE = [row(f"due-{n}", "2026-07-01 09:00:00") for n in range(6)]
FRESH = [row(f"fresh-{n}", "2026-08-30 09:00:00") for n in range(4)]
COMING_IN = SUMMER + timedelta(days=25)


@pytest.fixture
def filled(work: Work) -> Work:
    """Give an installation in which six messages of ten are due in autumn."""
    work.take([*DUE, *FRESH], now=COMING_IN)
    return work


def close_share(work: Work) -> tuple[str, str, datetime]:
    work.reopen(("max_share = 1.0", "max_share = 0.5"))
    return "share", r"the plan disposes of 6 of 10 messages \(60\.0%\), more than max_share = 50\.0%", AUTUMN


def close_count(work: Work) -> tuple[str, str, datetime]:
    work.reopen(("[purge]", "[purge]\nmax_count = 5"))
    return "count", r"the plan disposes of 6 messages, more than max_count = 5", AUTUMN


def close_clock_back(work: Work) -> tuple[str, str, datetime]:
    work.take([row("later", "2027-01-01 09:00:00")], "late.csv", now=AUTUMN + timedelta(days=60))
    return "clock", r"the clock says 2026-11-22T12:00:00Z, but something was done here at 2027-01-21T12:00:00Z", AUTUMN


def close_clock_ahead(work: Work) -> tuple[str, str, datetime]:
    work.reopen(('max_clock_jump = "P3650D"', 'max_clock_jump = "P7D"'))
    return (
        "clock",
        r"the newest message, import or run is of 2026-09-04T12:00:00Z, more than max_clock_jump = P7D",
        AUTUMN,
    )


def close_schedule(work: Work) -> tuple[str, str, datetime]:
    work.purge(COMING_IN)
    work.reopen(('keep = "P3M"', 'keep = "P2M"'))
    return (
        "schedule",
        r"the schedule was shortened since the last run, for 1 class of messages that were under direct-messages",
        AUTUMN,
    )


CLOSING = [close_share, close_count, close_clock_back, close_clock_ahead, close_schedule]


@pytest.mark.parametrize("close", CLOSING, ids=[one.__name__.removeprefix("close_") for one in CLOSING])
def test_closed_belt_stops_the_purge_and_is_passed_by_plan_and_reason(filled: Work, close: object) -> None:
    assert callable(close)
    belt, figures, now = close(filled)
    last, messages = filled.last_run(), filled.dump("message")
    # A plain purge stops, and so does a plan without a reason.
    chosen = filled.plan(now)
    for plan in (None, chosen):
        with pytest.raises(BeltClosedError, match=f"safety belt {belt}: .*{figures}") as raised:
            filled.purge(now, plan)
        assert raised.value.exit_code == Exit.BELT_CLOSED
        assert "Nothing was deleted" in str(raised.value)
        assert "retention purge --plan sha256:" in str(raised.value)
        assert "--reason" in str(raised.value)
    assert filled.dump("message") == messages
    assert filled.last_run() == last
    assert filled.entries("belt_passed") == []
    # Until somebody passes it, it is an alarm.
    [finding] = filled.findings("belt-closed")
    assert finding.reason.startswith(f"{belt}: ")
    assert filled.status(now).promise in {"at_risk", "broken"}
    assert any("1 belt-closed" in reason for reason in filled.status(now).reasons)
    # The plan itself is not used up by having been stopped.
    plan, run = filled.purge(now, chosen, "looked at by the officer")
    assert (plan, run.disposed, run.due_after) == (chosen, chosen.due, 0)
    [passed] = filled.entries("belt_passed")
    assert (passed["belt"], passed["plan_digest"], passed["run"]) == (belt, chosen.digest, run.id)
    assert filled.ask("SELECT body FROM remark WHERE commitment = :it", it=passed["reason"]) == [
        ("looked at by the officer",)
    ]
    assert filled.ask("SELECT belts_passed, reason_commitment FROM run WHERE id = :it", it=run.id) == [
        (belt, passed["reason"])
    ]
    assert filled.findings("belt-closed") == []
    # What was passed once does not stop the run after it.
    if belt != "clock":
        filled.purge(now + timedelta(hours=1))


def test_schedule_that_was_lengthened_closes_no_belt(filled: Work) -> None:
    filled.purge(COMING_IN)
    filled.reopen(('keep = "P3M"', 'keep = "P4M"'))
    assert filled.purge(AUTUMN)[1].disposed == 6


def test_schedule_that_is_not_known_any_more_counts_as_shortened(filled: Work) -> None:
    filled.purge(COMING_IN)
    filled.tell("DELETE FROM schedule_version")
    filled.reopen(('keep = "P3M"', 'keep = "P4M"'))
    with pytest.raises(BeltClosedError, match=r"safety belt schedule: .* is not known any more"):
        filled.purge(AUTUMN)


def test_dry_run_works_while_a_belt_is_closed(filled: Work) -> None:
    close_share(filled)
    assert filled.plan(AUTUMN).due == 6
    assert filled.findings("belt-closed") == []


def test_every_closed_belt_is_named_and_passed_by_one_reason(filled: Work) -> None:
    filled.reopen(
        ("max_share = 1.0", "max_share = 0.1\nmax_count = 2"), ('max_clock_jump = "P3650D"', 'max_clock_jump = "P1D"')
    )
    with pytest.raises(BeltClosedError) as raised:
        filled.purge(AUTUMN)
    told = [line.split(":")[0] for line in str(raised.value).splitlines() if line.startswith("safety belt")]
    assert told == ["safety belt share", "safety belt count", "safety belt clock"]
    filled.purge(AUTUMN, filled.plan(AUTUMN), "a backlog")
    assert [entry["belt"] for entry in filled.entries("belt_passed")] == ["share", "count", "clock"]
    assert len({entry["reason"] for entry in filled.entries("belt_passed")}) == 1


def test_reason_that_passes_nothing_is_no_entry(filled: Work) -> None:
    _, run = filled.purge(AUTUMN, filled.plan(AUTUMN), "to be sure")
    assert run.disposed == 6
    assert filled.entries("belt_passed") == []


@pytest.mark.parametrize(
    ("share", "closed"), [("0.6", False), ("0.59999", True), ("1.0", False)], ids=["just", "a little less", "all"]
)
def test_share_may_be_reached_and_not_exceeded(filled: Work, share: str, closed: bool) -> None:  # noqa: FBT001 - a column of the table above
    filled.reopen(("max_share = 1.0", f"max_share = {share}"))
    if closed:
        with pytest.raises(BeltClosedError, match="safety belt share"):
            filled.purge(AUTUMN)
    else:
        assert filled.purge(AUTUMN)[1].disposed == 6


def test_held_messages_do_not_count_for_the_share(filled: Work) -> None:
    filled.reopen(("max_share = 1.0", "max_share = 0.5"))
    filled.hold(message="due-0")
    assert filled.purge(AUTUMN)[1].disposed == 5


def test_count_may_be_reached(filled: Work) -> None:
    filled.reopen(("[purge]", "[purge]\nmax_count = 6"))
    assert filled.purge(AUTUMN)[1].disposed == 6


@pytest.mark.parametrize(("minutes", "closed"), [(5, False), (6, True)])
def test_clock_may_go_back_by_five_minutes(filled: Work, minutes: int, closed: bool) -> None:  # noqa: FBT001 - a column of the table above
    filled.purge(AUTUMN)
    now = AUTUMN - timedelta(minutes=minutes)
    if closed:
        with pytest.raises(BeltClosedError, match="safety belt clock"):
            filled.purge(now)
    else:
        filled.purge(now)


@pytest.mark.parametrize(("days", "closed"), [(7, False), (8, True)])
def test_clock_may_be_a_week_ahead_of_the_last_run(filled: Work, days: int, closed: bool) -> None:  # noqa: FBT001 - a column of the table above
    filled.purge(AUTUMN)
    filled.reopen(('max_clock_jump = "P3650D"', 'max_clock_jump = "P7D"'))
    now = AUTUMN + timedelta(days=days)
    if closed:
        with pytest.raises(BeltClosedError, match="safety belt clock"):
            filled.purge(now)
    else:
        filled.purge(now)


def test_clock_of_an_empty_register_is_compared_with_nothing(work: Work) -> None:
    work.reopen(('max_clock_jump = "P3650D"', 'max_clock_jump = "P7D"'))
    assert work.purge(AUTUMN)[1].state == "done"


def test_belt_that_stops_the_whole_job_leaves_what_came_in(filled: Work) -> None:
    close_share(filled)
    filled.office.drop("b.csv", [row("new", "2026-11-20 09:00:00")])
    with pytest.raises(BeltClosedError):
        filled.run(AUTUMN)
    assert "new" in filled.ids()
    assert "due-0" in filled.ids()
    # What came in is signed all the same.
    assert filled.ask("SELECT max(size) FROM audit_checkpoint") == [(len(filled.entries()),)]


def test_shortened_schedule_stays_an_alarm_until_it_is_passed_or_taken_back(filled: Work) -> None:
    _, _, now = close_schedule(filled)
    for days in range(2):
        with pytest.raises(BeltClosedError, match="safety belt schedule"):
            filled.purge(now + timedelta(days=days))
    filled.reopen()
    assert filled.purge(now + timedelta(days=2))[1].disposed == 6
    assert filled.findings("belt-closed") == []
