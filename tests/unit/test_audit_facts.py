"""What batches say is held against the disposals before them, however the entries are cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.audit.facts import FactCheck, Misfit
from tests.depth import tries
from tests.integration_audit.trail import batch, heartbeat

HEARTBEAT = heartbeat(1)


def misfits(*entries: bytes, width: int = 256) -> list[Misfit]:
    facts = FactCheck()
    for first in range(0, len(entries), width):
        facts.see(first, entries[first : first + width])
    facts.end(len(entries))
    return facts.found


def test_batches_that_describe_their_disposals_fit() -> None:
    assert misfits(HEARTBEAT, *batch(1, 1, 3), HEARTBEAT, *batch(2, 6, 600), *batch(3, 607, 1)) == []


@pytest.mark.parametrize("change", [{"batch": 2}, {"first": 0}, {"first": 2}, {"count": 4}, {"count": 2}, {"count": 0}])
def test_batch_that_says_something_else_is_named(change: dict[str, int]) -> None:
    problem = "the batch at entry 4 does not describe the disposals before it"
    assert misfits(HEARTBEAT, *batch(1, 1, 3, **change)) == [(problem, 4, 4)]


@pytest.mark.parametrize("field", ["batch", "first", "count"])
def test_batch_that_does_not_say_it_is_named(field: str) -> None:
    *disposals, closing = batch(1, 0, 3)
    name = f'"{field}":'.encode()
    start = closing.index(name)
    cut = closing[:start] + closing[closing.index(b",", start) + 1 :]
    assert [each.entry for each in misfits(*disposals, cut)] == [3]


def test_batch_without_disposals_is_named() -> None:
    assert [each.entry for each in misfits(HEARTBEAT, *batch(1, 1, 0))] == [1]


def test_batch_that_is_missing_after_its_disposals_is_named() -> None:
    problem = "entry 301 is missing: no batch closes the disposals from entry 1 on"
    assert misfits(HEARTBEAT, *batch(1, 1, 300)[:-1]) == [(problem, 301, 301)]


def test_entry_between_disposals_and_their_batch_is_named() -> None:
    *disposals, closing = batch(1, 0, 3)
    problem = "entry 3 stands between disposals and the batch that closes them"
    assert misfits(*disposals, HEARTBEAT, closing) == [(problem, 3, 3)]


@pytest.mark.parametrize("width", [1, 3, 256])
def test_disposal_of_another_batch_is_named_once(width: int) -> None:
    *disposals, closing = batch(1, 0, 6)
    strangers = batch(2, 2, 2)[:-1]
    found = misfits(*disposals[:2], *strangers, *disposals[4:], closing, width=width)
    assert found == [("entry 2 belongs to another batch than those before it", 2, 2)]


@pytest.mark.parametrize("width", [1, 256])
@pytest.mark.parametrize(("due_before", "late"), [("2026-08-21", 2), ("2026-08-17", 1), ("2026-08-01", 0), ("", 0)])
def test_disposal_after_its_cutoff_is_named(due_before: str, late: int, width: int) -> None:
    problem = f"entry {late} was not due under the cutoff of its batch"
    assert misfits(*batch(1, 0, 9, due_before=due_before), width=width) == [(problem, late, 9)]


def test_days_of_one_batch_do_not_count_for_the_next() -> None:
    assert misfits(*batch(1, 0, 3), *batch(2, 4, 1, due_before="2026-08-02")) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'"text"',
        b"null",
        b"{}",
        b'{"kind":"disposal"}',
        b"\xff\xfe",
        b'{"batch":' + b"9" * 5000 + b',"kind":"disposal","network":"fb","pseudonym":"' + b"A" * 22 + b'","v":1}',
        b'{"kind":' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        batch(1, 0, 1)[0] + b"\n",
        batch(1, 0, 1)[0].replace(b'"fb"', b'"FB"'),
        batch(1, 0, 1)[0].replace(b"2026", "\u0662\u0660\u0662\u0666".encode()),
        batch(1, 0, 1)[0].replace(b'"v":1', b'"v":1 '),
        batch(1, 0, 1)[0].replace(b'"v":1', b'"v":2'),
    ],
)
def test_entry_of_no_known_form_is_named(body: bytes) -> None:
    assert misfits(HEARTBEAT, body, HEARTBEAT) == [("entry 1 is not an entry of this log's form", 1, 1)]


def test_entry_that_holds_two_lines_does_not_stand_for_two() -> None:
    first, second, closing = batch(1, 0, 2)
    found = misfits(first + b"\n" + second, b"", closing)
    assert [each.entry for each in found] == [0, 1, 2]


def test_what_does_not_fit_is_told_a_hundred_times_at_most() -> None:
    assert len(misfits(*[b"nothing"] * 300)) == 100


PIECES = [HEARTBEAT, b"nothing", *batch(1, 0, 3), *batch(2, 4, 2), *batch(2, 0, 2, due_before="2026-08-10")]


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.integers(1, 45))
@settings(max_examples=tries(300))
def test_findings_do_not_depend_on_how_the_entries_are_cut(entries: list[bytes], width: int) -> None:
    assert misfits(*entries, width=width) == misfits(*entries, width=1)


def test_entry_whose_kind_is_no_text_counts_nothing() -> None:
    check = FactCheck()
    check.see(0, [b'{"kind":5}'])
    check.end(1)
    assert (check.found, check.counts.registered) == ([], None)
