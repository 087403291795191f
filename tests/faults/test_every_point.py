"""Whatever happens at whatever point of the job: nothing is lost, nothing is doubled, and the next run mends it.

The whole job (an ingest of four files in small batches, a purge of several batches, then an export that checks its
disposal order) is struck at one point after the other: a statement, a commit (before it, or after it when nobody has
heard of it yet), a step on a file. Of commits that end the same kind of transaction, and of steps on files that do the
same, the first, the last and one between are tried; of the rest a sample, because the statements of one transaction
amount to the same. Samples are drawn by a seed, so every run tries the same points.
By default some 80 of these 300 strikes are made: what two parts do alike is struck in one of them, and each point in
one way, of six two by a kill and two by an error on SQLite, one by each on PostgreSQL. ``DEPTH=full`` strikes each in
all its ways, ``DEPTH=all`` every point of both databases, which takes a quarter of an hour.
"""

from __future__ import annotations

import os
import random
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import pytest

from tests import depth
from tests.faults.facts import Facts, digests, facts_of, wrong_with
from tests.faults.job import DUE, HELD, LATER_DUE, PARTS, REDATED, STILL_THERE, YOUNG, Part, catch_up, go_on
from tests.faults.nursery import Nursery, opened_nursery
from tests.faults.points import Point
from tests.faults.worlds import PostgresWorld, SqliteWorld, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.points import How

SHARES = 2
SAMPLE = 8
FEW = 6
SOME = 3
IN_TURN = {("killed", True): (0, 3), ("error", True): (1, 4), ("killed", False): (2,), ("error", False): (5,)}
"""Which of six points are struck how, and on SQLite or not, in the usual depth."""

NUMBER = re.compile(r"[0-9a-f]{8,}|\d+")
BY_DRIVER = ("COPY", "the end of a COPY", "PRAGMA wal_checkpoint")
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of ours is made in it

CHECKED_TOO = 8
"""Of so many points before the check, one is followed through the check."""

Undisturbed = tuple[list[Point], dict[Part, Facts]]


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
    points, facts = [], {}
    for part in PARTS:
        with world.copy(part) as office:
            nursery.warm_up(office, part)
        with world.copy(part) as office:
            outcome = nursery.disturb(office, part, "count")
            assert (outcome.signal, outcome.error, outcome.raw) == (0, "", "")
            points += outcome.points
            facts[part] = facts_of(office)
    return points, facts


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
@pytest.mark.every_case
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("what", ["killed", "error"])
def test_the_job_can_be_cut_off_anywhere_and_the_next_run_mends_it(
    what: Literal["killed", "error"], share: int, world: World, nursery: Nursery, undisturbed: Undisturbed
) -> None:
    points, expected = undisturbed
    for point in _chosen(points, what, world)[share::SHARES]:
        part = _part_of(point)
        with world.copy(part) as office:
            exports = digests(office.folder)
            how: How = "kill" if what == "killed" else "outage" if point.number % 4 == 0 else "fail"
            outcome = nursery.disturb(office, part, how, point.number)
            assert outcome.raw == "", point
            assert bool(outcome.signal) == (what == "killed"), point
            assert wrong_with(office, exports) == [], point
            last: Part = "check" if part == "check" or point.number % CHECKED_TOO == 0 else "purge"
            go_on(office, part, last)
            assert wrong_with(office, exports) == [], point
            assert facts_of(office) == expected[last], point


def test_a_run_months_after_the_kill_disposes_of_every_file_too(
    world: World, nursery: Nursery, undisturbed: Undisturbed
) -> None:
    for point in (point for point in undisturbed[0] if point.part == "ingest" and point.what.startswith("os.chmod")):
        with world.copy() as office:
            exports = digests(office.folder)
            assert nursery.disturb(office, "ingest", "kill", point.number).signal
            catch_up(office)
            assert wrong_with(office, exports) == [], point


def _chosen(points: list[Point], what: str, world: World) -> list[Point]:
    """Choose the points to strike at. What cannot be read of an export is another matter, see the tests of ingest."""
    points = [point for point in points if not (point.kind == "read" and "/landing/" in point.what)]
    if depth.EVERYTHING:
        return points
    chance = random.Random(what)  # noqa: S311  # a sample, not a secret
    kinds: dict[str, list[Point]] = {}
    for point in points:
        kinds.setdefault(point.kind, []).append(point)
    before, after = _of_each_sort(kinds["commit"], chance), _of_each_sort(kinds["committed"], chance)
    files = _of_each_sort(kinds["file"], chance)
    rest = [*kinds["statement"], *kinds["read"]]
    # To die before a commit is to die after the one before it; an error may come on either side of each.
    commits = after if what == "killed" else [*before[::2], *after[1::2]]
    # What the drivers are asked to do without SQLAlchemy fails in their own words, unless they close the connection.
    raw = [point for point in rest if point.what.startswith(BY_DRIVER) and point.number % 2 == 0]
    if not depth.FULL:
        either = [pair[place // 6 % 2] for place, pair in enumerate(zip(before, after, strict=True))]
        commits, files = _dealt(after if what == "killed" else either, what, world), _dealt(files, what, world)
        return [*commits, *files, *raw[:1], *chance.sample(rest, SOME)]
    if isinstance(world, PostgresWorld):  # where a round costs twice as much: each commit in one of the two ways
        commits = after[::2] if what == "killed" else [*before[1::4], *after[3::4]]
        files = chance.sample(files, FEW)
    return [*commits, *files, *raw[::4], *chance.sample(rest, SAMPLE)]


def _of_each_sort(points: list[Point], chance: random.Random) -> list[Point]:
    """Choose of all points that do the same (in the full depth: in one part) the first, the last and one between."""
    sorts: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        sorts.setdefault((point.part if depth.FULL else "", NUMBER.sub("N", point.what)), []).append(point)
    chosen = [[alike[0], *([chance.choice(alike[1:-1])] if alike[1:-1] else []), alike[-1]] for alike in sorts.values()]
    return sorted({point for some in chosen for point in some}, key=points.index)


def _dealt(points: list[Point], what: str, world: World) -> list[Point]:
    """Choose the points whose turn it is to be struck in this way; every point has its turn in one of the ways."""
    turns = IN_TURN[what, isinstance(world, SqliteWorld)]
    return [point for place, point in enumerate(points) if place % 6 in turns]


def _part_of(point: Point) -> Part:
    return next(part for part in PARTS if part == point.part)


def _names(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines]
