"""A fetch that is cut off anywhere: nothing is lost, nothing is imported twice, and nothing goes before it is ours."""

from __future__ import annotations

import resource
import shutil
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from retention import cycle
from retention.watcher import Watcher
from tests.depth import deep
from tests.faults.facts import story_told_by, wrong_with
from tests.faults.fetching import ingest, opened_fetching
from tests.faults.meanwhile import number_of
from tests.kit import Office, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from retention.sources.interface import SkippedFile
    from tests.faults.nursery import Outcome
    from tests.faults.points import How, Point
    from tests.sftp_server import SftpServer, SftpUser

    Disturb = Callable[[Office, tuple[str, str], How, int | None], Outcome]

ROWS = [row(f"message-{number}", "2026-11-01 09:00:00", content="Hello " * 500) for number in range(40)]
DONE = "SELECT count(*) FROM \"import\" WHERE state = 'done'"
INTENDED = "SELECT count(*) FROM remote_file WHERE state = 'removing'"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    Office(folder, f"sqlite:///{folder / 'register.db'}").found()
    return folder


@pytest.fixture(scope="module")
def disturb() -> Iterator[Disturb]:
    with opened_fetching() as disturbed:
        yield disturbed


def _office(first: Path, folder: Path) -> Office:
    folder = folder / uuid4().hex
    shutil.copytree(first, folder)
    return Office(folder, f"sqlite:///{folder / 'register.db'}")


def _put(office: Office, user: SftpUser) -> None:
    shutil.move(office.drop("made.csv", ROWS), user.exports / "a.csv")


@pytest.mark.parametrize("how", ["kill", "fail"])
def test_a_fetch_can_be_cut_off_at_every_step_and_the_next_run_mends_it(
    how: How, first: Path, tmp_path: Path, disturb: Disturb, sftp_server: SftpServer
) -> None:
    def struck(at: int | None, way: How) -> tuple[Office, SftpUser, Outcome]:
        office, user = _office(first, tmp_path), sftp_server.user(f"user-{uuid4().hex}")
        _put(office, user)
        return office, user, disturb(office, user.source(), way, at)

    _, _, undisturbed = struck(None, "count")
    points = _chosen(undisturbed.points, how)
    assert len(points) > (12 if how == "kill" else 4)
    for point in points[:: deep(1, 3)]:
        office, user, outcome = struck(point.number, how)
        assert bool(outcome.signal) == (how == "kill"), point
        if not list(user.exports.iterdir()):
            assert number_of(office, DONE), point
        _is_whole(office, user, point)
        ingest(office, user.source())
        assert wrong_with(office) == [], point
        assert not list(user.exports.iterdir()), point
        assert not list(office.landing.iterdir()), point
        assert number_of(office, "SELECT count(*) FROM message") == len(ROWS), point
        assert number_of(office, DONE) == 1, point
        assert sorted(one["place"] for one in story_told_by(office).of("file_disposed")) == ["landing", "remote"], point


def _chosen(points: list[Point], how: How) -> list[Point]:
    """Choose every step on a file, and for kills both sides of every commit that says something of a remote file.

    By default each third of what is chosen is tried.
    """
    files = [point for point in points if point.kind == "file" and (".part" in point.what or point.what == "fsync")]
    if how == "fail":  # a step on the part, and what makes it durable
        last = max(point.number for point in files if ".part" in point.what)
        return [point for point in files if point.number <= last + 2]
    commits, speaks = [], False
    for point in points:
        speaks = speaks or (point.kind == "statement" and "remote_file" in point.what)
        if point.kind in {"commit", "committed"} and speaks:
            commits.append(point)
            speaks = point.kind == "commit"
    return [*files, *commits]


def _is_whole(office: Office, user: SftpUser, point: Point) -> None:
    """What is gone from the server is told in the log, or an intention says that it is still to be told."""
    assert wrong_with(office) == [], point
    told = sum(one["place"] == "remote" for one in story_told_by(office).of("file_disposed"))
    there = len(list(user.exports.iterdir()))
    intended = number_of(office, INTENDED)
    assert told + there == 1 or intended == 1, point


def test_a_full_disk_ends_the_fetch_with_a_finding_and_the_rest_goes_on(
    first: Path, tmp_path: Path, sftp_user: SftpUser
) -> None:
    office = _office(first, tmp_path)
    export = office.drop("made.csv", ROWS * 20)
    room = 1 << 20
    assert export.stat().st_size > room
    shutil.move(export, sftp_user.exports / "a.csv")
    office.drop("by-hand.csv", [row("by-hand", "2026-11-01 09:00:00")])
    office.configure(sftp_user.source())
    skipped: list[tuple[str, SkippedFile]] = []
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    context = office.open()
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        [taken] = cycle.ingest(context, office.now, Watcher(skip=lambda *found: skipped.append(found)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        context.database.close()
    assert (taken.name, taken.progress.registered) == ("by-hand.csv", 1)
    assert "cannot be written to" in skipped[0][1].reason
    assert not list(office.landing.iterdir())
    assert number_of(office, "SELECT count(*) FROM finding WHERE kind = 'fetch-failed' AND resolved_at IS NULL") == 1
    ingest(office, sftp_user.source())
    assert number_of(office, "SELECT count(*) FROM finding WHERE resolved_at IS NULL") == 0
    assert not list(sftp_user.exports.iterdir())
    assert wrong_with(office) == []
