"""What events prove and what they do not; what stands in the inbox while they wait, and what is left of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from retention import cycle, departures
from retention.acts.bundling import verify_deep
from retention.acts.ordering import list_orders, show_order
from tests.integration.hook import DUE, at_work, reconfigure, register, took, waiting
from tests.integration.work import QUIET, SUMMER, Work
from tests.kit import row
from tests.receiver import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.kit import Office

WEEK = timedelta(days=7)
LATER = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
"""After the order of DUE was issued."""

LONG = "message-with-a-long-name"


@pytest.fixture
def work(office: Office) -> Iterator[Work]:
    """Give an office with a webhook, once on SQLite and once on PostgreSQL; its log must verify afterwards."""
    yield from at_work(office)


def export(first: str, last: str) -> str:
    return f"[770][message][{first}][{last}][c0ffee].csv"


def test_days_without_an_event_are_no_gap_and_days_with_one_are_not_covered(work: Work) -> None:
    took(work, "message-1")
    register(work)
    took(work, "message-2", at=SUMMER + WEEK)
    register(work, SUMMER + WEEK)
    assert work.findings() == []
    told = work.status(SUMMER + WEEK).sources[-1]
    assert (told["source"], told["last_import_at"], told["covered_through"]) == (NAME, "2026-08-17T12:00:00Z", None)


def test_webhook_of_which_nothing_comes_is_silent_where_something_is_expected(work: Work) -> None:
    reconfigure(work, ('name = "hook"', 'name = "hook"\nexpect_every = "P2D"'))
    took(work, "message-1")
    register(work)
    work.run(SUMMER + WEEK)
    [finding] = work.findings("source-silent")
    assert "look whether its events still arrive" in finding.reason


def test_message_that_an_event_told_of_is_ordered_from_the_source_of_its_export(work: Work) -> None:
    took(work, "message-1")
    register(work)
    work.purge(DUE)
    [order] = list_orders(work.context)
    assert (order["source"], order["listed"]) == ("hootsuite-inbox", 1)


def test_event_settles_no_order_and_shows_no_copy(work: Work) -> None:
    took(work, "message-1")
    register(work)
    work.purge(DUE)
    before = show_order(work.context, 1)
    took(work, "message-2", at=LATER)
    took(work, "message-1", at=SUMMER)
    assert register(work, LATER)["born_expired"] == 1
    assert show_order(work.context, 1) == before
    assert work.findings() == []


def test_export_shows_nothing_absent_on_its_first_day_where_times_are_of_events(work: Work) -> None:
    took(work, "message-1")
    register(work)
    work.purge(DUE)
    work.take([], export("10082026000000", "21112026000000"), now=LATER)
    assert show_order(work.context, 1)["absent"] == 0
    work.take([], export("09082026000000", "21112026000000"), now=LATER)
    assert show_order(work.context, 1)["absent"] == 1


def test_export_of_one_day_shows_nothing_absent_where_times_are_of_events(work: Work) -> None:
    took(work, "message-1")
    register(work)
    work.purge(DUE)
    late = row("message-2", "2026-11-20 09:00:00")
    work.take([late], export("20112026000000", "20112026235959"), now=LATER)
    assert show_order(work.context, 1)["absent"] == 0


def test_disposed_message_that_is_told_of_again_is_past_its_period_and_leaves_no_trace(
    work: Work, tmp_path: Path
) -> None:
    reconfigure(work, ("settle_seconds = 0", 'settle_seconds = 0\nupstream = "none"'))
    took(work, LONG)
    register(work)
    work.purge(DUE)
    took(work, LONG, "message-2", at=SUMMER)  # by a clock that was put back; the keys are forgotten
    assert departures.residue(work.context, [LONG]).excepted == 1
    assert sum(departures.residue(work.context, [LONG]).found.values()) == 0
    assert register(work, DUE)["born_expired"] == 2
    assert (work.ids(), waiting(work)) == ([], 0)
    _, finished = work.purge(DUE + timedelta(hours=1))
    assert (finished.disposed, finished.residue) == (0, 0)
    for file in (one for one in tmp_path.glob("register.db*") if one.is_file()):
        assert LONG.encode() not in file.read_bytes()


def test_purge_of_a_message_of_which_an_event_waits_again_finds_no_residue(work: Work) -> None:
    reconfigure(work, ("settle_seconds = 0", 'settle_seconds = 0\nupstream = "none"'))
    took(work, LONG)
    register(work)
    work.tell("DELETE FROM webhook_seen")
    took(work, LONG)
    _, finished = work.purge(DUE)
    assert (finished.disposed, finished.residue, waiting(work)) == (1, 0, 1)
    work.ingest(DUE)
    assert (work.ids(), waiting(work)) == ([], 0)


def test_identifiers_that_no_rule_covers_are_erased_though_nothing_is_disposed_of(work: Work, tmp_path: Path) -> None:
    reconfigure(work, ('match = { visibility = "private" }', 'match = { network = "other" }'))
    took(work, LONG)
    assert register(work)["not_covered"] == 1
    _, finished = work.purge(SUMMER)
    assert finished.disposed == 0
    for file in (one for one in tmp_path.glob("register.db*") if one.is_file()):
        assert LONG.encode() not in file.read_bytes()


def test_every_job_forgets_keys_of_which_no_repetition_would_be_taken(work: Work) -> None:
    took(work, "message-1")
    work.ingest(SUMMER)
    assert work.ask("SELECT count(*) FROM webhook_seen") == [(1,)]
    work.purge(SUMMER + timedelta(hours=1))
    assert work.ask("SELECT count(*) FROM webhook_seen") == [(0,)]


def test_status_says_what_waits_and_that_it_waits_for_too_long(work: Work) -> None:
    assert work.status().inbox == {"waiting": 0, "since": None, "refused": []}
    took(work, "message-1", "message-2")
    assert work.status().inbox == {"waiting": 2, "since": "2026-08-10T12:00:00Z", "refused": []}
    assert work.status(SUMMER + timedelta(days=1)).promise == "kept"
    late = work.status(SUMMER + timedelta(days=1, seconds=1))
    assert late.promise == "at_risk"
    assert late.reasons[0].startswith("2 events of webhooks wait to be registered, the first since 2026-08-10T12")


def test_explanation_says_that_an_event_waits(work: Work) -> None:
    took(work, "message-1")
    told = "an event of a webhook tells of a message with this identifier, and waits to be registered"
    assert told in work.explain("message-1").working
    assert told not in work.explain("message-2").working
    register(work)
    assert told not in work.explain("message-1").working
    work.purge(DUE)
    took(work, "message-1", at=SUMMER)
    again = work.explain("message-1", DUE)
    assert (again.state, again.working[-1]) == ("disposed", told)


def test_deep_look_takes_pseudonyms_in_the_inbox_and_nothing_else(work: Work) -> None:
    took(work, "message-1", "message-2")
    assert verify_deep(work.context, [], SUMMER).problems == []
    work.tell("UPDATE webhook_event SET contact = 'Jane' WHERE message_id = 'message-2'")
    [problem] = verify_deep(work.context, [], SUMMER).problems
    assert problem.startswith("1 events that wait have something else than pseudonyms")
    assert "Jane" not in problem


def test_nothing_is_left_of_an_event_but_its_message(work: Work) -> None:
    took(work, "message-1")
    cycle.run(work.context, SUMMER, QUIET)
    assert work.ids() == ["message-1"]
    assert work.dump("webhook_event") == {"webhook_event": []}
