"""The purge itself: batch by batch through any backlog, past whatever is held, with one entry for each message."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from retention.errors import DatabaseError, StoppedError
from retention.report.work import exit_of
from retention.watcher import Watcher
from tests.integration.work import AUTUMN, SUMMER
from tests.kit import row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.work import Work


def due(count: int, contact: str = "c") -> list[tuple[str, ...]]:
    """Spell messages that are due in autumn, in order of receipt and some at the same second."""
    return [row(f"due-{n:04}", f"2026-07-{1 + n // 60:02} 09:{n % 60:02}:00", contact=contact) for n in range(count)]


def batches(work: Work) -> list[tuple[int, int]]:
    return [(entry["first"], entry["count"]) for entry in work.entries("batch")]


def assert_log_and_register_agree(work: Work, ingested: int) -> None:
    """Every message that is gone has one disposal, no message that is there has one, and batches close them."""
    gone = [entry["pseudonym"] for entry in work.entries("disposal")]
    left = {name for (name,) in work.ask("SELECT pseudonym FROM message")}
    assert len(gone) == len(set(gone)) == ingested - len(left)
    assert not left & set(gone)
    assert sum(count for _, count in batches(work)) == len(gone)
    assert work.verify().ok


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [(1, 10, [1]), (9, 10, [9]), (10, 10, [10]), (11, 10, [10, 1]), (30, 10, [10] * 3), (5, 1, [1] * 5)],
)
def test_backlog_goes_in_batches_of_the_configured_size(work: Work, count: int, size: int, expected: list[int]) -> None:
    work.reopen(("batch_size = 10", f"batch_size = {size}"))
    work.take(due(count))
    plan, run = work.purge(AUTUMN)
    assert (plan.due, run.disposed, run.batches, run.due_after, run.state) == (count, count, len(expected), 0, "done")
    assert [number for _, number in batches(work)] == [size] * (count // size) + (
        [count % size] if count % size else []
    )
    assert work.ids() == []
    assert_log_and_register_agree(work, count)


def test_source_in_which_everything_is_due_ends_with_nothing(work: Work) -> None:
    work.take(due(25))
    work.purge(AUTUMN)
    assert work.dump("message") == {"message": []}
    status = work.status(AUTUMN)
    assert (status.promise, status.registered, status.oldest_received_on) == ("kept", 0, None)


def test_backlog_of_many_batches_goes_in_one_run(work: Work) -> None:
    work.take(due(600))
    _, run = work.purge(AUTUMN)
    assert (run.disposed, run.batches, run.due_after) == (600, 60, 0)
    assert_log_and_register_agree(work, 600)


@pytest.mark.parametrize("held", [range(25), range(0, 60, 2), range(35, 60), range(60), [0], [59]])
def test_held_messages_do_not_stall_the_batches_behind_them(work: Work, held: range | list[int]) -> None:
    work.take(due(60))
    work.hold(selectors={"message": tuple(f"due-{n:04}" for n in held)})
    plan, run = work.purge(AUTUMN)
    assert (plan.held, run.disposed, run.due_after) == (len(held), 60 - len(held), 0)
    assert work.ids() == [f"due-{n:04}" for n in held]
    assert_log_and_register_agree(work, 60)


def test_many_messages_of_one_second_go_in_several_batches(work: Work) -> None:
    work.take([row(f"due-{n:04}", "2026-07-01 09:00:00") for n in range(37)])
    _, run = work.purge(AUTUMN)
    assert (run.disposed, run.batches) == (37, 4)
    assert_log_and_register_agree(work, 37)


def test_batch_says_which_rule_schedule_plan_and_run_it_belongs_to(work: Work) -> None:
    work.take(due(12))
    plan, run = work.purge(AUTUMN)
    [first, _] = work.entries("batch")
    assert first["run"] == run.id
    assert first["plan_digest"] == plan.digest
    assert first["schedule_digest"] == work.context.schedule.digest
    assert (first["rule"], first["cutoff"], first["due_before"]) == (
        "direct-messages",
        "2026-08-21T23:00:00Z",
        "2026-08-22",
    )
    assert first["authority"] == "Privacy notice: people who contact us via social media"
    assert first["fencing_token"] > 0
    days = Counter(entry["received_on"] for entry in work.entries("disposal"))
    assert days == {"2026-07-01": 12}


def test_entries_of_a_batch_do_not_stand_in_the_order_of_receipt(work: Work) -> None:
    work.reopen(("batch_size = 10", "batch_size = 100"))
    work.take(due(60))
    received = [name for (name,) in work.ask("SELECT pseudonym FROM message ORDER BY received_at")]
    work.purge(AUTUMN)
    logged = [entry["pseudonym"] for entry in work.entries("disposal")]
    assert logged == sorted(received) != received


def test_run_in_which_nothing_was_due_leaves_a_heartbeat(work: Work) -> None:
    work.take(due(3))
    work.hold(message="due-0000")
    plan, run = work.purge(SUMMER)
    [beat] = work.entries("heartbeat")
    assert (beat["run"], beat["registered"], beat["held"], beat["plan_digest"]) == (run.id, 3, 0, plan.digest)
    _, run = work.purge(AUTUMN)
    assert run.disposed == 2
    assert len(work.entries("heartbeat")) == 1
    work.purge(AUTUMN + timedelta(hours=1))
    assert [(beat["registered"], beat["held"]) for beat in work.entries("heartbeat")] == [(3, 0), (1, 1)]


def test_run_on_an_empty_register_leaves_a_heartbeat_and_a_checkpoint(work: Work) -> None:
    result = work.run()
    assert (result.imports, result.plan.total, result.run.disposed, result.run.due_after) == ([], 0, 0, 0)
    assert work.kinds()["heartbeat"] == 1
    assert result.run.checkpoint_size == len(work.entries())
    assert work.ask("SELECT max(size) FROM audit_checkpoint") == [(len(work.entries()),)]


def _after_batches(number: int, act: Callable[[], object]) -> Watcher:
    """Act between two batches, when so many are done."""
    done = [0]

    def tick(_messages: int) -> None:
        done[0] += 1
        if done[0] == number:
            act()

    return Watcher(tick=tick)


def test_hold_placed_in_the_middle_of_a_purge_counts_from_the_next_batch(work: Work) -> None:
    work.take(due(50, contact="ann"))
    watcher = _after_batches(2, lambda: work.hold(contact="ann", now=AUTUMN))
    plan, run = work.purge(AUTUMN, watcher=watcher)
    assert (plan.due, run.disposed, run.skipped_held, run.skipped_gone, run.due_after) == (50, 20, 30, 0, 0)
    assert len(work.ids()) == 30
    assert_log_and_register_agree(work, 50)


def test_purge_that_is_stopped_leaves_whole_batches_and_the_next_run_does_the_rest(work: Work) -> None:
    work.take(due(50))

    def stop() -> None:
        if work.ask("SELECT count(*) FROM purge_batch") == [(3,)]:
            raise StoppedError

    with pytest.raises(StoppedError):
        work.purge(AUTUMN, watcher=Watcher(stop=stop))
    stopped = work.last_run()
    assert stopped is not None
    assert (stopped.state, stopped.disposed, stopped.batches) == ("stopped", 30, 3)
    assert_log_and_register_agree(work, 50)
    assert work.ask("SELECT max(size) FROM audit_checkpoint") == [(len(work.entries()),)]
    _, run = work.purge(AUTUMN + timedelta(hours=1))
    assert (run.id, run.disposed, run.due_after) == (stopped.id + 1, 20, 0)
    assert_log_and_register_agree(work, 50)


@pytest.mark.parametrize("named", [False, True], ids=["automatic", "with a plan that was signed off"])
def test_purge_that_was_stopped_before_its_first_batch_can_be_repeated_at_once(work: Work, *, named: bool) -> None:
    work.take(due(20))
    chosen = work.plan(AUTUMN) if named else None

    def stop() -> None:
        raise StoppedError

    for _ in range(2):
        with pytest.raises(StoppedError):
            work.purge(AUTUMN, chosen, watcher=Watcher(stop=stop))
    assert [(entry["cause"], entry["disposed"]) for entry in work.entries("run_interrupted")] == [("stopped", 0)] * 2
    assert work.purge(AUTUMN, chosen)[1].disposed == 20
    assert_log_and_register_agree(work, 20)


def test_nothing_is_deleted_where_the_holds_cannot_be_read(work: Work) -> None:
    work.take(due(20))
    chosen = work.plan(AUTUMN)
    before = work.dump("message", "audit_entry", "run")
    work.tell("ALTER TABLE hold RENAME TO lost")
    for plan in (None, chosen):
        with pytest.raises(DatabaseError, match="hold"):
            work.purge(AUTUMN, plan)
    work.tell("ALTER TABLE lost RENAME TO hold")
    assert work.dump("message")["message"] == before["message"]
    assert work.entries("disposal") == []


def test_nothing_is_deleted_where_the_holds_are_lost_in_the_middle_of_a_purge(work: Work) -> None:
    work.take(due(50))
    lose = _after_batches(2, lambda: work.tell("ALTER TABLE hold_selector RENAME TO lost"))
    with pytest.raises(DatabaseError, match="hold_selector"):
        work.purge(AUTUMN, watcher=lose)
    assert len(work.ids()) == 30
    failed = work.last_run()
    assert failed is not None
    assert (failed.state, failed.disposed) == ("failed", 20)
    assert_log_and_register_agree(work, 50)
    work.tell("ALTER TABLE lost RENAME TO hold_selector")
    _, run = work.purge(AUTUMN + timedelta(minutes=1))
    assert (run.disposed, run.due_after) == (30, 0)
    assert_log_and_register_agree(work, 50)


def test_message_that_slips_in_behind_the_batches_breaks_the_promise_and_shows(work: Work) -> None:
    work.take(due(30))
    late = """INSERT INTO message SELECT received_at - 86400, message_key || 'x', class_id, pseudonym, conversation,
              contact, import_id, last_seen_at FROM message WHERE message_key LIKE '%due-0025'"""
    _, run = work.purge(AUTUMN, watcher=_after_batches(2, lambda: work.tell(late)))
    assert run.due_after == 1
    assert exit_of(run) == 5
    assert work.status(AUTUMN).promise == "broken"
    _, run = work.purge(AUTUMN + timedelta(minutes=1))
    assert run.due_after == 0


def test_log_of_many_batches_fills_tiles_and_verifies(sqlite_work: Work) -> None:
    sqlite_work.reopen(("batch_size = 10", "batch_size = 150"))
    sqlite_work.take([row(f"due-{n:04}", f"2026-07-{1 + n // 60:02} 09:{n % 60:02}:00") for n in range(900)])
    sqlite_work.purge(AUTUMN)
    assert len(sqlite_work.dump("audit_tile")["audit_tile"]) == 3
    assert_log_and_register_agree(sqlite_work, 900)


def test_day_of_the_clock_change_is_counted_in_local_days(work: Work) -> None:
    work.now = SUMMER.replace(month=10, day=27)
    work.take(
        [row("before", "2026-10-24 23:59:59"), row("of", "2026-10-25 00:00:00"), row("end", "2026-10-25 23:59:59")]
    )
    plan, _ = work.purge(SUMMER.replace(year=2027, month=1, day=25, hour=0, minute=0))
    assert [tally.received_on for part in plan.rules for tally in part.tallies] == ["2026-10-24"]
    assert work.ids() == ["of", "end"]
    plan, _ = work.purge(SUMMER.replace(year=2027, month=1, day=26, hour=0, minute=0))
    assert [(tally.received_on, tally.due) for part in plan.rules for tally in part.tallies] == [("2026-10-25", 2)]
    assert date(2026, 10, 25).isoformat() in {entry["received_on"] for entry in work.entries("disposal")}
