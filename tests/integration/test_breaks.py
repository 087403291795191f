"""When the promise was broken is dated by what was overdue, and of a log by when that was found."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from retention.acts.resolving import resolve_finding
from retention.errors import LogError
from retention.report.breaks import Break, broken_since, last_break
from tests.integration.work import AUTUMN, SUMMER
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work

ROWS = [row(f"m-{number}", f"2026-08-0{1 + number} 09:00:00") for number in range(3)]
"""Received from 1 to 3 August 2026, so due from 2 to 4 November."""

DAY = timedelta(days=1)
FRESH = row("fresh", "2026-11-05 09:00:00")


def since(work: Work, now: datetime) -> tuple[datetime | None, bool]:
    status = work.status(now)
    assert status.promise == "broken"
    with work.context.database.read() as connection:
        return broken_since(connection, status, DAY, now)


def before(work: Work) -> Break | None:
    with work.context.database.read() as connection:
        return last_break(connection, work.context.schedule, DAY)


def export(work: Work, day: datetime, *rows: tuple[str, ...]) -> None:
    """Ingest an export from August to a day, made on that day."""
    work.take([*rows, FRESH], f"[770][message][01082026000000][{day:%d%m%Y%H%M%S}][c0ffee].csv", day)


def test_late_purges_in_a_row_are_one_break_from_the_day_on_which_the_first_message_was_overdue(work: Work) -> None:
    work.take(ROWS)
    assert since(work, AUTUMN) == (datetime(2026, 11, 3, tzinfo=UTC), False)
    work.purge(AUTUMN)
    assert before(work) == Break(("overdue",), datetime(2026, 11, 3, tzinfo=UTC), AUTUMN)
    work.purge(AUTUMN + 9 * DAY)
    assert before(work) == Break(("overdue",), datetime(2026, 11, 3, tzinfo=UTC), AUTUMN)


def test_purge_within_the_grace_ends_no_break(work: Work) -> None:
    work.take(ROWS[:1])
    work.purge(datetime(2026, 11, 2, 23, tzinfo=UTC))
    assert before(work) is None


def test_source_breaks_the_promise_from_when_its_order_was_overdue_and_not_from_when_that_was_seen(work: Work) -> None:
    work.take(ROWS[2:])
    work.purge(datetime(2026, 11, 4, 12, tzinfo=UTC))  # in time, so that nothing else was ever wrong
    overdue = datetime(2026, 11, 12, tzinfo=UTC)  # the order may be carried out through the 11th
    seen = overdue + 12 * DAY
    export(work, seen, ROWS[2])
    assert since(work, seen) == (overdue + DAY, False)
    export(work, seen + 3 * DAY)
    assert work.status(seen + 3 * DAY).promise == "kept"
    assert before(work) == Break(("source",), overdue + DAY, seen + 3 * DAY)


def test_source_that_was_seen_to_hold_messages_until_their_order_was_due_broke_nothing(work: Work) -> None:
    work.take(ROWS[2:])
    work.purge(datetime(2026, 11, 4, 12, tzinfo=UTC))
    export(work, datetime(2026, 11, 8, tzinfo=UTC), ROWS[2])
    assert [one.kind for one in work.findings()] == ["upstream-present"]
    export(work, datetime(2026, 11, 10, tzinfo=UTC))
    assert work.findings() == []
    assert before(work) is None


def test_message_that_comes_past_its_period_counts_from_the_grace_after_its_own_day(work: Work) -> None:
    export(work, AUTUMN, ROWS[0])
    assert since(work, AUTUMN) == (datetime(2026, 11, 3, tzinfo=UTC), False)
    export(work, AUTUMN + DAY)
    assert before(work) == Break(("source",), datetime(2026, 11, 3, tzinfo=UTC), AUTUMN + DAY)


def test_log_was_bad_until_it_verified_in_full_whatever_a_person_said(work: Work) -> None:
    work.take(ROWS)
    [(body,)] = work.ask("SELECT body FROM audit_entry WHERE seq = 2")
    work.tell("UPDATE audit_entry SET body = :body WHERE seq = 2", body=body.replace("2026", "2025", 1))
    with pytest.raises(LogError):
        work.run()
    assert since(work, SUMMER + DAY) == (SUMMER, True)
    work.tell("UPDATE audit_entry SET body = :body WHERE seq = 2", body=body)
    for found in work.findings("log-not-verified"):
        resolve_finding(work.context, found.id, "put back", SUMMER + DAY)
    assert since(work, SUMMER + 2 * DAY) == (SUMMER, True)
    work.run(SUMMER + 3 * DAY)
    assert before(work) == Break(("log",), SUMMER, SUMMER + 3 * DAY)


def test_breaks_that_overlap_are_told_as_one(work: Work) -> None:
    work.take(ROWS)
    export(work, AUTUMN, row("stray", "2026-08-02 09:00:00"))
    work.purge(AUTUMN + DAY)
    export(work, AUTUMN + 2 * DAY)
    assert before(work) == Break(("source", "overdue"), datetime(2026, 11, 3, tzinfo=UTC), AUTUMN + 2 * DAY)


def test_what_a_hold_kept_is_overdue_from_the_grace_after_its_release(work: Work) -> None:
    work.take(ROWS)
    number = work.hold(received_through=date(2026, 8, 31))
    released = datetime(2026, 11, 10, 8, tzinfo=UTC)
    work.release(number, now=released)
    waits = work.status(released)
    assert (waits.promise, waits.breaks_at) == ("kept", "2026-11-11T08:00:00Z")
    assert since(work, released + 3 * DAY) == (released + DAY, False)
    assert work.status(released + 3 * DAY).oldest_overdue_days == 3
    work.purge(released + 4 * DAY)
    assert before(work) == Break(("overdue",), released + DAY, released + 4 * DAY)


def test_of_what_is_overdue_each_waits_from_its_own_day_or_the_release_of_its_last_hold(work: Work) -> None:
    work.take([*ROWS, row("late", "2026-08-09 09:00:00")])
    early, late = (work.hold(received_through=date(2026, 8, day)) for day in (2, 3))
    work.release(early, now=datetime(2026, 11, 5, tzinfo=UTC))
    work.release(late, now=datetime(2026, 11, 20, tzinfo=UTC))
    assert since(work, datetime(2026, 11, 25, tzinfo=UTC)) == (datetime(2026, 11, 11, tzinfo=UTC), False)


def test_hold_that_was_placed_on_what_was_overdue_hides_no_break(work: Work) -> None:
    work.take(ROWS)
    number = work.hold(now=datetime(2026, 11, 8, tzinfo=UTC), received_through=date(2026, 8, 31))
    work.release(number, now=datetime(2026, 11, 9, tzinfo=UTC))
    work.purge(datetime(2026, 11, 9, 1, tzinfo=UTC))
    assert before(work) == Break(("overdue",), datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 9, 1, tzinfo=UTC))
