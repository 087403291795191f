"""What one entry leaves in the register, the next one must begin with; both verifiers say the same about it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.audit.counts import CountCheck
from retention.audit.handover.verify_bundle import COLUMNS, Counts, Facts, Report

Entries = list[tuple[str, dict[str, Any]]]
GENESIS = ("genesis", {"registered": 0})


def grown(kind: str, before: object, after: object, **more: object) -> tuple[str, dict[str, Any]]:
    return kind, {"before": before, "after": after, **more}


def done(before: object, after: object, registered: object) -> tuple[str, dict[str, Any]]:
    return grown("import_done", before, after, registered=registered)


def ours(entries: Entries) -> tuple[int | None, bool]:
    check = CountCheck()
    for index, (kind, entry) in enumerate(entries):
        check.see(index, kind, entry)
    return check.registered, check.problem is None


def theirs(entries: Entries) -> bool:
    """Follow the verifier that is handed over, with what its reader does about a person's reconciliation."""
    counts, fits = Counts(), True
    for kind, entry in entries:
        fits = fits or kind == "register_reconciled"
        fits = counts.see(kind, entry) and fits
    return fits


FITTING: dict[str, tuple[Entries, int | None]] = {
    "nothing": ([], None),
    "an empty register": ([GENESIS], 0),
    "an import": ([GENESIS, done(0, 7, 7)], 7),
    "a batch": ([GENESIS, done(0, 7, 7), grown("batch", 7, 4, count=3)], 4),
    "a message under two times": ([GENESIS, done(0, 7, 7), ("redated", {})], 6),
    "a quiet run": ([GENESIS, ("heartbeat", {"registered": 0})], 0),
    "an import in two parts": ([GENESIS, grown("import_interrupted", 0, 3), done(3, 7, 7)], 7),
    "one of two that were cut off": (
        [GENESIS, grown("import_interrupted", 0, 3), grown("import_interrupted", 3, 5), done(5, 6, 4)],
        6,
    ),
    "a refused file": ([GENESIS, grown("import_refused", 0, 3), done(3, 4, 1)], 4),
    "a person's word": ([GENESIS, grown("register_reconciled", 0, 9), done(9, 9, 0)], 9),
    "a fault that a person looked at": ([GENESIS, done(5, 9, 4), grown("register_reconciled", 0, 9)], 9),
    "an earlier version": ([("genesis", {}), ("import_done", {"registered": 7}), ("batch", {"count": 2})], None),
    "an earlier version's quiet run": ([("genesis", {}), ("heartbeat", {"registered": 4}), ("redated", {})], None),
    "a log that began under an earlier version": ([("genesis", {}), done(5, 9, 4), ("redated", {})], 8),
    "other entries": ([GENESIS, ("exported", {"what": "x"})], 0),
}

UNFIT: dict[str, Entries] = {
    "another size before": [GENESIS, done(1, 7, 6)],
    "another number": [GENESIS, done(0, 7, 6)],
    "less than an import gave": [GENESIS, done(0, 7, 8)],
    "a number that is none": [GENESIS, done(0, 7, "7")],
    "more from an interrupted import than it had": [GENESIS, grown("import_interrupted", 0, 2), done(2, 3, 9)],
    "an import that shrinks": [GENESIS, done(0, 5, 5), done(5, 4, 0)],
    "a refused file that shrinks": [GENESIS, grown("import_refused", 0, -1)],
    "a batch of another count": [GENESIS, done(0, 7, 7), grown("batch", 7, 5, count=3)],
    "a batch that grows": [GENESIS, grown("batch", 0, 3, count=3)],
    "no size": [GENESIS, ("import_done", {"registered": 1})],
    "no size after": [GENESIS, ("batch", {"before": 0, "count": 1})],
    "a size that is no number": [GENESIS, done("0", 1, 1)],
    "a size that is a list": [GENESIS, done([], [], 1)],
    "a quiet run of another size": [GENESIS, ("heartbeat", {"registered": 1})],
    "two faults": [GENESIS, done(1, 7, 6), done(1, 7, 6)],
}


@pytest.mark.parametrize("name", FITTING)
def test_entries_that_count_on_fit(name: str) -> None:
    entries, registered = FITTING[name]
    assert ours(entries) == (registered, True)
    assert theirs(entries)


@pytest.mark.parametrize("name", UNFIT)
def test_entries_that_do_not_count_on_are_named(name: str) -> None:
    assert not ours(UNFIT[name])[1]
    assert not theirs(UNFIT[name])


def test_the_first_misfit_is_named() -> None:
    check = CountCheck()
    for index, (kind, entry) in enumerate(UNFIT["two faults"]):
        check.see(index, kind, entry)
    assert check.problem == "entry 1 does not count the register on from the entries before it"


@given(st.lists(st.tuples(st.sampled_from(["import", "batch", "redated"]), st.integers(1, 50)), max_size=30))
def test_whatever_happens_to_a_register_its_size_is_known(steps: list[tuple[str, int]]) -> None:
    size, entries = 0, [GENESIS]
    for step, number in steps:
        if step == "import":
            entries.append(done(size, size + number, number))
            size += number
        elif step == "batch":
            entries.append(grown("batch", size, size - number, count=number))
            size -= number
        else:
            entries.append(("redated", {}))
            size -= 1
    assert ours(entries) == (size, True)
    assert theirs(entries)


@pytest.mark.parametrize("settled", [False, True], ids=["open", "looked at"])
def test_the_reader_of_bundles_names_the_first_misfit_until_a_person_looked_at_it(settled: bool) -> None:  # noqa: FBT001 - the cases above
    entries = [*UNFIT["two faults"], *([grown("register_reconciled", 7, 9)] if settled else [])]
    header = (",".join(COLUMNS) + "\r\n").encode()
    facts = Facts(Report(), io.BytesIO(header), "example.org/retention")
    for index, (kind, entry) in enumerate(entries):
        facts.see(index, json.dumps({**entry, "kind": kind}).encode())
    facts.end(len(entries))
    told = [] if settled else [("entry 1 does not count the register on from the entries before it", 1, 1)]
    assert facts.misfits == told
