"""A hold keeps what it covers, now and later, until it is released; then it shows, and the names are forgotten."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from retention.acts.holding import HoldOrder, place_hold
from retention.cli.app import retention
from retention.errors import UsageError
from retention.store import holds
from tests.integration.work import AUTUMN, SUMMER
from tests.kit import row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.work import Work

ROWS = [
    row("m-1", "2026-07-01 09:00:00", contact="ann", conversation="talk-1", network="fb", channel="Office"),
    row("m-2", "2026-07-02 09:00:00", contact="ann", conversation="talk-2", network="ig", channel="Office"),
    row("m-3", "2026-07-03 09:00:00", contact="bob", conversation="talk-1", network="fb", channel="Desk"),
    row("m-4", "2026-07-04 09:00:00", contact="", conversation="", network="ig", channel="Desk"),
]


@pytest.mark.parametrize(
    ("selectors", "first", "last", "kept"),
    [
        ({"message": ("m-2", "m-4", "m-9")}, None, None, "m-2 m-4"),
        ({"contact": ("ann",)}, None, None, "m-1 m-2"),
        ({"contact": ("ann",), "network": ("ig",)}, None, None, "m-2"),
        ({"channel": ("desk", "office")}, None, None, "m-1 m-2 m-3 m-4"),
        ({"contact": ("ann",), "conversation": ("talk-1",), "channel": ("OFFICE",)}, None, None, "m-1"),
        ({"contact": ("nobody",)}, None, None, ""),
        ({}, date(2026, 7, 2), date(2026, 7, 3), "m-2 m-3"),
        ({"network": ("fb",)}, date(2026, 7, 2), None, "m-3"),
        ({}, None, None, "m-1 m-2 m-3 m-4"),
    ],
)
def test_purge_passes_over_exactly_what_is_held(
    work: Work, selectors: Mapping[str, tuple[str, ...]], first: date | None, last: date | None, kept: str
) -> None:
    work.take(ROWS)
    work.hold(received_from=first, received_through=last, selectors=selectors)
    plan, run = work.purge(AUTUMN)
    assert work.ids() == kept.split()
    assert (plan.held, run.disposed, run.due_after) == (len(kept.split()), 4 - len(kept.split()), 0)


def test_hold_on_a_network_does_not_mind_how_its_name_is_spelled(work: Work) -> None:
    work.take([row("m-1", "2026-07-01 09:00:00", network="Fußnetz"), row("m-2", "2026-07-01 09:00:00")])
    work.hold(network=" FUSSNETZ ")
    work.purge(AUTUMN)
    assert work.ids() == ["m-1"]


def test_hold_on_a_contact_covers_what_arrives_in_later_months(work: Work) -> None:
    work.hold(contact="ann", conversation="talk-1")
    work.take([row("july", "2026-07-20 09:00:00", contact="ann", conversation="talk-1")], "a.csv")
    later = SUMMER + timedelta(days=30)
    both = [
        row("september", "2026-09-01 09:00:00", contact="ann", conversation="talk-1"),
        row("other", "2026-09-01 09:00:00", contact="ann", conversation="talk-2"),
    ]
    work.take(both, "b.csv", now=later)
    work.purge(AUTUMN + timedelta(days=60))
    assert work.ids() == ["july", "september"]


def test_hold_on_a_message_covers_it_from_a_source_that_did_not_exist_yet(work: Work) -> None:
    work.take([row("m-1", "2026-07-01 09:00:00")], "a.csv")
    work.hold(message="m-9")
    (work.office.folder / "second").mkdir()
    work.reopen(("[purge]", _SECOND_SOURCE + "[purge]"))
    path = work.office.drop("b.csv", [row("m-9", "2026-07-02 09:00:00"), row("m-1", "2026-07-02 09:00:00")])
    path.rename(work.office.folder / "second" / "b.csv")
    work.ingest()
    work.purge(AUTUMN)
    assert work.ids() == ["m-9"]


def test_hold_on_everything_covers_what_arrives_later(work: Work) -> None:
    work.hold()
    work.take(ROWS)
    _, run = work.purge(AUTUMN)
    assert len(work.ids()) == 4
    assert (run.disposed, run.batches) == (0, 0)
    assert work.entries("heartbeat")[-1]["held"] == 4


def test_hold_does_not_let_in_what_is_due_already(work: Work) -> None:
    work.hold(contact="ann")
    result = work.take([row("expired", "2026-05-01 09:00:00", contact="ann")])
    assert result.progress.born_expired == 1
    assert work.ids() == []


def test_holds_over_one_message_must_all_be_released(work: Work) -> None:
    work.take(ROWS[:1])
    first, second = work.hold(contact="ann"), work.hold(network="fb")
    work.release(first)
    work.purge(AUTUMN)
    assert work.ids() == ["m-1"]
    work.release(second)
    work.purge(AUTUMN + timedelta(days=1))
    assert work.ids() == []


def test_what_a_release_makes_due_has_its_own_count_in_the_next_plan(work: Work) -> None:
    work.take([*ROWS, row("m-5", "2026-08-09 09:00:00", contact="ann")])
    number = work.hold(contact="ann")
    work.purge(AUTUMN - timedelta(days=1))
    assert work.ids() == ["m-1", "m-2", "m-5"]
    work.release(number, AUTUMN - timedelta(hours=1))
    plan = work.plan(AUTUMN)
    assert (plan.due, plan.released, plan.held) == (3, 3, 0)
    assert [(tally.received_on, tally.released) for part in plan.rules for tally in part.tallies] == [
        ("2026-07-01", 1),
        ("2026-07-02", 1),
        ("2026-08-09", 1),
    ]
    work.purge(AUTUMN)
    assert work.ids() == []
    assert work.plan(AUTUMN + timedelta(days=1)).released == 0


def test_message_that_two_released_holds_covered_counts_once(work: Work) -> None:
    work.take(ROWS)
    for number in [work.hold(contact="ann"), work.hold(network="fb")]:
        work.release(number)
    plan = work.plan(AUTUMN)
    assert (plan.due, plan.released) == (4, 3)


def test_message_still_held_by_another_hold_is_not_counted_as_released(work: Work) -> None:
    work.take(ROWS)
    work.hold(message="m-1")
    work.release(work.hold(contact="ann"))
    plan = work.plan(AUTUMN)
    assert (plan.due, plan.released, plan.held) == (3, 1, 1)


def test_release_after_planning_shows_in_the_plan_after_the_run(work: Work) -> None:
    work.take(ROWS)
    number = work.hold(contact="ann")
    chosen = work.plan(AUTUMN)
    work.release(number, AUTUMN + timedelta(minutes=5))
    _, run = work.purge(AUTUMN + timedelta(minutes=10), chosen)
    assert run.disposed == 2
    assert work.ids() == ["m-1", "m-2"]
    plan = work.plan(AUTUMN + timedelta(minutes=15))
    assert (plan.due, plan.released) == (2, 2)


def test_release_after_planning_leaves_the_grace_of_one_run(work: Work) -> None:
    work.take(ROWS)
    number = work.hold(contact="ann")
    chosen = work.plan(AUTUMN)
    work.release(number, AUTUMN + timedelta(minutes=5))
    work.purge(AUTUMN + timedelta(minutes=10), chosen)
    status = work.status(AUTUMN + timedelta(minutes=15))
    assert (status.promise, status.due, status.overdue) == ("kept", 2, 0)
    assert work.status(AUTUMN + timedelta(days=1, minutes=15)).promise == "broken"


def test_release_forgets_the_identifiers_and_the_purge_after_it_their_pseudonyms(work: Work) -> None:
    work.take(ROWS)
    number = work.hold(contact="ann", message="m-1")
    [(sealed,)] = work.ask("SELECT sealed FROM hold")
    assert set(json.loads(sealed)) == {"contact", "message"}
    assert "ann" not in sealed
    assert len(work.dump("hold_selector")["hold_selector"]) >= 2
    work.release(number)
    assert work.ask("SELECT sealed FROM hold") == [(None,)]
    assert len(work.dump("hold_selector")["hold_selector"]) >= 2
    work.purge(AUTUMN)
    assert work.dump("hold_selector")["hold_selector"] == []
    with work.context.database.read() as connection:
        [kept] = holds.load(connection)
    assert kept.released_at == SUMMER
    assert kept.owner == "the office"


def test_selectors_of_active_holds_are_not_forgotten(work: Work) -> None:
    work.take(ROWS)
    work.hold(contact="ann")
    before = work.dump("hold_selector")
    work.purge(AUTUMN)
    assert work.dump("hold_selector") == before
    assert work.ask("SELECT sealed FROM hold") != [(None,)]


def test_released_hold_is_not_extended_to_later_months(work: Work) -> None:
    work.take(ROWS[:1])
    work.release(work.hold(contact="ann"))
    before = work.dump("hold_selector")
    work.take([row("later", "2026-08-01 09:00:00", contact="ann")], "b.csv")
    assert work.dump("hold_selector") == before


def test_log_tells_of_a_hold_without_whom_it_names_or_why(work: Work) -> None:
    work.take(ROWS)
    work.release(work.hold(contact="ann"))
    [placed], [released] = work.entries("hold_placed"), work.entries("hold_released")
    assert placed["hold"] == released["hold"] == 1
    for entry in (placed, released):
        assert entry["reason"].startswith("sha256:")
        assert "FOI" not in repr(entry)
        assert "ann" not in repr(entry)


def test_overdue_review_puts_the_promise_at_risk_from_the_day_after(work: Work) -> None:
    work.take(ROWS)
    number = work.hold(contact="ann", review_on=date(2026, 8, 20))
    on_the_day, day_after = SUMMER.replace(day=20, hour=22), SUMMER.replace(day=20, hour=23)
    assert work.status(on_the_day).promise == "kept"
    status = work.status(day_after)
    assert status.promise == "at_risk"
    assert status.holds == {"active": 1, "reviews_overdue": 1}
    assert any(f"hold {number} was to be reviewed by 2026-08-20" in reason for reason in status.reasons)
    work.release(number, day_after)
    assert work.status(day_after).promise == "kept"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"owner": "  "}, "needs an owner"),
        ({"review_on": date(2026, 8, 10)}, "must lie in the future"),
        ({"received_from": date(2026, 7, 2), "received_through": date(2026, 7, 1)}, "lies after its last day"),
        ({"selectors": {"contact": (" ",)}}, "must not be empty"),
        ({"reason": ""}, "a reason must have"),
        ({"reason": "x" * 2001}, "a reason must have"),
        ({"reason": "\ud800"}, "not valid Unicode"),
    ],
)
def test_order_that_makes_no_sense_is_refused_and_leaves_nothing(
    work: Work, changes: dict[str, object], said: str
) -> None:
    good: dict[str, object] = {"kind": "foi", "owner": "me", "reason": "why", "review_on": date(2027, 1, 1)}
    with pytest.raises(UsageError, match=said):
        place_hold(work.context, HoldOrder(**{**good, **changes}), SUMMER)  # type: ignore[arg-type]  # orders that are wrong on purpose
    assert work.dump("hold", "hold_selector", "remark") == {"hold": [], "hold_selector": [], "remark": []}
    assert work.entries("hold_placed") == []


def test_hold_is_released_once(work: Work) -> None:
    number = work.hold(contact="ann")
    work.release(number)
    with pytest.raises(UsageError, match=r"no active hold 1: it was released .*hold list --all"):
        work.release(number)
    with pytest.raises(UsageError, match="no active hold 7"):
        work.release(7)
    assert len(work.entries("hold_released")) == 1


_SECOND_SOURCE = """
[[source]]
name = "second"
kind = "csv-export"
preset = "hootsuite-inbox"
path = "second"
time_zone = "Europe/London"
settle_seconds = 0
"""


def test_hold_that_covers_nothing_names_the_networks_that_there_are(sqlite_work: Work) -> None:
    sqlite_work.take([row("m-1", "2026-08-01 09:00:00")])
    [(network,)] = sqlite_work.ask("SELECT DISTINCT network FROM message_class")
    words = ["--kind", "foi", "--reason", "asked", "--review-on", "2099-01-01", "--network", "elsewhere"]
    told = CliRunner().invoke(retention, ["hold", "place", "--config", str(sqlite_work.office.config), *words])
    assert "covers 0 registered messages now" in told.output
    assert f"The register knows these networks: {network}." in told.output
