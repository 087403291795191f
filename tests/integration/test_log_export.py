"""The exported log: its lines are the leaves, its selections are exact, and no cell of it is taken for a formula."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from retention.acts.exporting import export_log, export_to_file
from retention.audit.export import COLUMNS, Selection
from retention.audit.merkle import Frontier, leaf_hashes
from retention.errors import RetentionError
from retention.model import iso
from tests.integration.work import AUTUMN, Work
from tests.kit import Office, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer

LATER = AUTUMN + timedelta(days=30)


@contextmanager
def _purged(folder: Path, url: str) -> Iterator[Work]:
    work = Work(Office(folder, url).found())
    work.take([row(f"m-{n}", f"2026-08-01 09:{n:02}:00") for n in range(12)])
    work.take([row(f"n-{n}", "2026-09-01 09:00:00") for n in range(5)], "b.csv", now=AUTUMN.replace(month=10))
    work.purge(AUTUMN)
    work.purge(LATER)
    yield work
    work.context.database.close()


@pytest.fixture(scope="module")
def purged_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    folder = tmp_path_factory.mktemp("purged")
    with _purged(folder, f"sqlite:///{folder / 'register.db'}") as work:
        yield work


@pytest.fixture(scope="module")
def purged_postgres(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Work]:
    folder = tmp_path_factory.mktemp("purged")
    with postgres_server.database(f"purged_{uuid4().hex}") as url, _purged(folder, url) as work:
        yield work


@pytest.fixture(params=["purged_sqlite", "purged_postgres"])
def purged(request: pytest.FixtureRequest) -> Work:
    """Give an installation that has purged twice, 12 messages in autumn and 5 a month later; tests only export."""
    work: Work = request.getfixturevalue(request.param)
    return work


def _export(work: Work, selection: Selection | None = None) -> str:
    out = io.StringIO(newline="")
    export_log(work.context, selection or Selection(), "jsonl", out, now=LATER, person="Ann Officer")
    return out.getvalue()


def _rows(work: Work, selection: Selection | None = None) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_table(work, selection), newline="")))


def _table(work: Work, selection: Selection | None = None) -> str:
    out = io.StringIO(newline="")
    export_log(work.context, selection or Selection(), "csv", out, now=LATER, person="Ann Officer")
    return out.getvalue()


def test_lines_of_the_export_are_the_leaves_of_the_signed_tree(purged: Work) -> None:
    lines = _export(purged).splitlines()
    frontier = Frontier()
    frontier.append(leaf_hashes([line.encode() for line in lines]))
    with purged.context.database.read() as connection:
        head = purged.context.log.head(connection)
    assert (frontier.size, frontier.root()) == head


def test_export_is_itself_an_entry_that_does_not_name_who_took_it(purged: Work) -> None:
    before = len(purged.entries())
    lines = _export(purged).splitlines()
    assert len(lines) == before + 1
    entry = purged.entries("exported")[-1]
    assert entry["what"] == "audit-log-jsonl"
    assert entry["by"].startswith("sha256:")
    assert "Ann" not in lines[-1]
    assert purged.ask("SELECT body FROM remark WHERE commitment = :it", it=entry["by"]) == [("Ann Officer",)]


def test_run_is_exported_with_its_disposals_and_nothing_else(purged: Work) -> None:
    for run, count in ((1, 12), (2, 5)):
        rows = _rows(purged, Selection(run=run))
        assert len(rows) == count
        assert {one["run"] for one in rows} == {str(run)}
        kinds = Counter(json.loads(line)["kind"] for line in _export(purged, Selection(run=run)).splitlines())
        assert kinds["disposal"] == count
        assert set(kinds) == {"disposal", "batch", "upstream_ordered"}
    assert _rows(purged, Selection(run=99)) == []


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [
        (None, None, 17),
        (iso(LATER), None, 5),
        (iso(AUTUMN), iso(LATER), 12),
        (iso(AUTUMN + timedelta(seconds=1)), iso(LATER), 0),
        (None, iso(AUTUMN), 0),
        (None, iso(AUTUMN + timedelta(seconds=1)), 12),
    ],
)
def test_time_selects_disposals_with_the_batch_that_closes_them(
    purged: Work, since: str | None, until: str | None, count: int
) -> None:
    selection = Selection(since, until)
    assert len(_rows(purged, selection)) == count
    lines = _export(purged, selection).splitlines()
    assert sum('"kind":"disposal"' in line for line in lines) == count


def test_every_entry_is_in_exactly_one_of_two_ranges_that_meet(purged: Work) -> None:
    moment = iso(AUTUMN + timedelta(days=1))
    before = _export(purged, Selection(until=moment)).splitlines()
    after = _export(purged, Selection(since=moment)).splitlines()
    assert before + after == _export(purged).splitlines()[:-1]


def test_table_has_one_row_a_disposal_with_what_its_batch_says(purged: Work) -> None:
    assert _table(purged).splitlines()[0] == ",".join(COLUMNS)
    rows = _rows(purged)
    entries = purged.entries()
    batches = {entry["batch"]: entry for entry in entries if entry["kind"] == "batch"}
    assert len(rows) == 17
    for one in rows:
        entry = entries[int(one["entry_index"])]
        batch = batches[entry["batch"]]
        assert one["pseudonym"].removeprefix("'") == entry["pseudonym"]
        assert (one["received_on"], one["network"]) == (entry["received_on"], entry["network"])
        assert one["disposed_at"] == batch["at"]
        assert (one["rule"], one["plan_digest"]) == (batch["rule"], batch["plan_digest"])


def test_no_cell_begins_like_a_formula(work: Work) -> None:
    work.reopen(('authority = "Privacy notice: people who contact us via social media"', "authority = '=1+1'"))
    work.take([row(f"m-{n}", "2026-08-01 09:00:00", network="-x" if n % 2 else "fb") for n in range(300)])
    work.purge(AUTUMN)
    cells = [cell for line in csv.reader(io.StringIO(_table(work), newline="")) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    rows = _rows(work)
    assert {one["authority"] for one in rows} == {"'=1+1"}
    assert {one["network"] for one in rows} == {"'-x", "fb"}
    # A pseudonym in sixty-four begins with a minus sign; it is still the pseudonym behind the apostrophe.
    told = {one["pseudonym"].removeprefix("'") for one in rows}
    assert told == {entry["pseudonym"] for entry in work.entries("disposal")}


def test_file_of_an_export_is_for_its_owner_and_complete(purged: Work, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = export_to_file(purged.context, Selection(), "jsonl", path, now=LATER, person="Ann Officer")
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().splitlines()) == rows == len(purged.entries())
    assert sorted(one.name for one in tmp_path.iterdir() if "log.jsonl" in one.name) == ["log.jsonl"]


def test_file_that_cannot_be_written_is_an_error_that_names_it(purged: Work, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "log.jsonl"
    with pytest.raises(RetentionError, match="the export cannot be written"):
        export_to_file(purged.context, Selection(), "jsonl", path, now=LATER, person="Ann Officer")
