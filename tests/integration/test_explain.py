"""Explain says of one message what happens to it, or what happened, step by step and without repeating its name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from retention.model import from_epoch
from tests.integration.work import AUTUMN, SUMMER, at
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work


def test_message_that_is_kept_is_told_with_its_days(work: Work) -> None:
    work.take([row("m-MARKED", "2026-08-31 23:30:00")], now=from_epoch(at("2026-09-01T12:00:00+01:00")))
    found = work.explain("m-MARKED", from_epoch(at("2026-09-01T12:00:00+01:00")))
    assert (found.state, found.rule, found.entry_index) == ("registered", "direct-messages", None)
    assert found.received_at == "2026-08-31T22:30:00Z"
    assert found.expires_on == "2026-11-30"
    assert found.due_at == "2026-12-01T00:00:00Z"
    assert found.holds == []
    working = "\n".join(found.working)
    assert "31 August 2026 in Europe/London" in working
    assert "may be kept through 30 November 2026" in working
    assert "not yet due" in working
    assert "last seen in an import at 2026-09-01T11:00:00Z" in working
    assert "MARKED" not in repr(found)


def test_message_that_is_due_and_held_names_its_holds(work: Work) -> None:
    work.take([row("m-1", "2026-08-01 09:00:00", contact="ann")])
    first, second = work.hold(contact="ann"), work.hold(message="m-1")
    work.hold(contact="bob")
    found = work.explain("m-1", AUTUMN)
    assert (found.state, found.holds) == ("registered", [first, second])
    assert f"hold {first} suspends its disposal" in found.working
    work.release(first)
    assert work.explain("m-1", AUTUMN).holds == [second]


def test_message_that_is_held_and_not_yet_due_names_its_hold(work: Work) -> None:
    work.take([row("m-1", "2026-08-01 09:00:00", contact="ann")])
    number = work.hold(contact="ann")
    found = work.explain("m-1", SUMMER)
    assert found.holds == [number]
    assert f"hold {number} suspends its disposal" in found.working


def test_message_that_is_due_and_not_held_says_so(work: Work) -> None:
    work.take([row("m-1", "2026-08-01 09:00:00")])
    found = work.explain("m-1", AUTUMN)
    assert found.holds == []
    assert any(step.endswith(": due") for step in found.working)
    assert "no hold covers it" in found.working


def test_message_that_was_disposed_of_is_found_by_its_entry(work: Work) -> None:
    work.take([row(f"m-{n}", f"2026-08-0{1 + n % 3} 09:00:00") for n in range(25)])
    work.purge(AUTUMN)
    for name, day in (("m-0", "2026-08-01"), ("m-24", "2026-08-01"), ("m-7", "2026-08-02")):
        found = work.explain(name, AUTUMN)
        assert found.state == "disposed"
        assert found.entry_index is not None
        entry = work.entries()[found.entry_index]
        assert (entry["kind"], entry["received_on"]) == ("disposal", day)
        assert any(f"received on {day}" in step for step in found.working)


def test_message_that_was_never_here_is_unknown(work: Work) -> None:
    assert work.explain("m-1").state == "unknown"
    work.take([row("m-1", "2026-08-01 09:00:00"), row("old", "2026-05-01 09:00:00"), row("wall", private=False)])
    for name in ("m-2", "old", "wall", "", "m-1 ", "1:m-1"):
        assert work.explain(name).state == "unknown", name
    assert work.explain("m-1").state == "registered"


def test_message_that_no_rule_covers_any_more_is_told(work: Work) -> None:
    work.take([row("m-1", "2026-08-01 09:00:00")])
    work.reopen(('match = { visibility = "private" }', 'match = { network = "ig" }'))
    found = work.explain("m-1")
    assert (found.state, found.rule, found.expires_on, found.due_at) == ("registered", None, None, None)
    assert any("it must not be kept here" in step for step in found.working)


def test_message_disposed_of_under_one_time_and_back_under_another_is_registered(work: Work) -> None:
    work.take([row("m-1", "2026-08-01 09:00:00")])
    work.purge(AUTUMN)
    work.take([row("m-1", "2026-11-20 09:00:00")], "b.csv", now=AUTUMN + timedelta(hours=1))
    assert work.explain("m-1", AUTUMN).state == "registered"


def test_message_is_found_in_every_source(work: Work) -> None:
    (work.office.folder / "second").mkdir()
    work.reopen(("[purge]", _SECOND_SOURCE + "[purge]"))
    work.take([row("m-1", "2026-08-01 09:00:00")])
    work.office.drop("b.csv", [row("m-2", "2026-08-02 09:00:00")]).rename(work.office.folder / "second" / "b.csv")
    work.ingest()
    assert [work.explain(name).state for name in ("m-1", "m-2")] == ["registered"] * 2
    work.purge(AUTUMN)
    assert [work.explain(name).state for name in ("m-1", "m-2")] == ["disposed"] * 2


_SECOND_SOURCE = """
[[source]]
name = "second"
kind = "csv-export"
preset = "hootsuite-inbox"
path = "second"
time_zone = "Europe/London"
settle_seconds = 0
"""
