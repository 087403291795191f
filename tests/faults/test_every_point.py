"""Whatever happens at whatever point of the job: nothing is lost, nothing is doubled, and the next run mends it.

The whole job (an ingest of four files in small batches, a purge of several batches, then an export that checks its
disposal order) is struck at one point after the other: a statement, a commit (before it, or after it when nobody has
heard of it yet), a step on a file. All commits are tried, all steps on files, and a sample of the rest, because the
statements of one transaction amount to the same.
``FAULTS=all`` tries every point, which takes a quarter of an hour.
"""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import pytest

from tests.faults.facts import Facts, digests, facts_of, wrong_with
from tests.faults.job import DUE, HELD, LATER_DUE, REDATED, STILL_THERE, YOUNG, catch_up, go_on
from tests.faults.nursery import Nursery, opened_nursery
from tests.faults.points import Point
from tests.faults.worlds import PostgresWorld, SqliteWorld, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.job import Part
    from tests.faults.points import How

SHARES = 3
SAMPLE = 8
FEW = 6
BY_DRIVER = ("COPY", "the end of a COPY", "PRAGMA wal_checkpoint")
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of ours is made in it

CHECKED_TOO = 8
"""Of so many points before the check, one is followed through the check."""

Undisturbed = tuple[list[Point], dict[str, Facts]]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Give a folder in memory where there is one: what a kill leaves behind does not depend on the disk."""
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def nursery(folder: Path) -> Iterator[Nursery]:
    with opened_nursery(folder / "nursery.log") as opened:
        yield opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, folder: Path) -> Iterator[World]:
    if request.param == "sqlite":
        yield SqliteWorld(folder / "sqlite")
        return
    server = request.getfixturevalue("postgres_server")
    name = f"first_{uuid4().hex}"
    with server.database(name) as url:
        yield PostgresWorld(folder / "postgresql", url)


@pytest.fixture(scope="module")
def undisturbed(world: World, nursery: Nursery) -> Undisturbed:
    with world.copy() as office:
        go_on(office, "ingest", "purge")
        facts = {"purge": facts_of(office)}
    with world.copy() as office:
        outcome = nursery.disturb(office, "count")
        assert (outcome.signal, outcome.error, outcome.raw) == (0, "", "")
        return outcome.points, {**facts, "check": facts_of(office)}


def test_the_undisturbed_job_does_what_its_exports_ask_for(undisturbed: Undisturbed) -> None:
    facts = undisturbed[1]["check"]
    before = undisturbed[1]["purge"]
    assert (before.orders, len(before.ordered)) == ((26, 0, 0, 0), 26)
    assert _names(facts.registered) == sorted([*HELD, *YOUNG])
    assert _names(facts.disposed) == sorted([*DUE, *LATER_DUE])
    assert _names(facts.redated) == [REDATED]
    assert [one[:8] for one in facts.imports] == [
        ("[770][message][01092026000000][22022027000000][c0ffee].csv", "done", 2, 0, 0, 1, 1, 0),
        ("a-first.csv", "done", 33, 27, 1, 3, 2, 0),
        ("b-second.csv", "done", 12, 7, 4, 0, 0, 1),
        ("d-broken.csv", "refused", 0, 0, 0, 0, 0, 0),
    ]
    assert sum(facts.told.values()) == 3 + 5
    assert facts.orders == (26, 25, 1, 0)
    assert [line.rpartition(" ")[0] for line in facts.ordered] == [f"{STILL_THERE} 2026-09-04"]
    assert {one[0] for one in facts.findings} == {
        "received-time-changed",
        "refused-file",
        "rejected-row",
        "upstream-present",
    }
    assert not [name for name in facts.files if name.endswith((".csv", ".draft"))]
    assert facts.last_run == ("done", 0, 0, 0, 0, True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("what", ["killed", "error"])
def test_the_job_can_be_cut_off_anywhere_and_the_next_run_mends_it(
    what: Literal["killed", "error"], share: int, world: World, nursery: Nursery, undisturbed: Undisturbed
) -> None:
    points, expected = undisturbed
    for point in _chosen(points, what, world)[share::SHARES]:
        with world.copy() as office:
            exports = digests(office.folder)
            how: How = "kill" if what == "killed" else "outage" if point.number % 4 == 0 else "fail"
            outcome = nursery.disturb(office, how, point.number)
            assert outcome.raw == "", point
            assert bool(outcome.signal) == (what == "killed"), point
            assert wrong_with(office, exports) == [], point
            last: Part = "check" if point.part == "check" or point.number % CHECKED_TOO == 0 else "purge"
            go_on(office, point.part, last)
            assert wrong_with(office, exports) == [], point
            assert facts_of(office) == expected[last], point


def test_a_run_months_after_the_kill_disposes_of_every_file_too(
    world: World, nursery: Nursery, undisturbed: Undisturbed
) -> None:
    for point in (point for point in undisturbed[0] if point.part == "ingest" and point.what.startswith("os.chmod")):
        with world.copy() as office:
            exports = digests(office.folder)
            assert nursery.disturb(office, "kill", point.number).signal
            catch_up(office)
            assert wrong_with(office, exports) == [], point


def _chosen(points: list[Point], what: str, world: World) -> list[Point]:
    """Choose the points to strike at. What cannot be read of an export is another matter, see the tests of ingest."""
    points = [point for point in points if not (point.kind == "read" and "/landing/" in point.what)]
    if os.environ.get("FAULTS") == "all":
        return points
    chance = random.Random(what)  # noqa: S311  # a sample, not a secret
    after = [point for point in points if point.kind == "committed"]
    before = [point for point in points if point.kind == "commit"]
    files = [point for point in points if point.kind == "file"]
    rest = [point for point in points if point.kind in {"statement", "read"}]
    # To die before a commit is to die after the one before it; an error may come on either side of each.
    commits = after if what == "killed" else [*before[::2], *after[1::2]]
    rest = [point for point in rest if point.part != "check" or point.number % 2]
    commits = [point for point in commits if point.part != "check" or point.number % 2]
    if isinstance(world, PostgresWorld):
        files = chance.sample(files, FEW)
    # What the drivers are asked to do without SQLAlchemy fails in their own words, unless they close the connection.
    raw = [point for point in rest if point.what.startswith(BY_DRIVER) and point.number % 2 == 0]
    return [*commits, *files, *raw[::4], *chance.sample(rest, SAMPLE)]


def _names(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines]
