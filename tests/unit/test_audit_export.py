"""An export is the log itself, line by line, or one row a disposal, up to the first entry that was changed."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from retention.audit.entry import entry
from retention.audit.export import COLUMNS, Selection, parsed, write_csv, write_jsonl
from retention.errors import BrokenLogError
from tests.integration_audit.trail import NOW, ORIGIN, Trail, batch, heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

EVERYTHING = Selection()


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    """Give a log of 14 entries: genesis, batch 1 of 3, a heartbeat, batch 2 of 4 a day later, one of batch 2's run."""
    trail = Trail.found(f"sqlite:///{tmp_path / 'trail.db'}")
    trail.append(*batch(1, 1, 3), heartbeat(1))
    trail.append(*batch(2, 6, 4)[:-1], later(batch(2, 6, 4)[-1]))
    trail.append(later(heartbeat(2)), later(heartbeat(3), days=2))
    yield trail
    trail.database.close()


def later(body: bytes, days: int = 1) -> bytes:
    return body.replace(b"2026-11-22T12", (NOW + timedelta(days=days)).strftime("%Y-%m-%dT%H").encode())


def lines_of(trail: Trail, selection: Selection) -> list[str]:
    out = io.StringIO()
    with trail.database.read() as connection:
        count = write_jsonl(connection, selection, out)
    lines = out.getvalue().split("\n")
    assert lines.pop() == ""
    assert len(lines) == count
    return lines


def rows_of(trail: Trail, selection: Selection = EVERYTHING) -> list[dict[str, str]]:
    out = io.StringIO(newline="")
    with trail.database.read() as connection:
        count = write_csv(connection, selection, out, ORIGIN)
    out.seek(0)
    header, *rows = csv.reader(out, strict=True)
    assert tuple(header) == COLUMNS
    assert len(rows) == count
    return [dict(zip(header, row, strict=True)) for row in rows]


def bodies_of(trail: Trail, start: int, end: int) -> list[str]:
    with trail.database.read() as connection:
        return [body for _, body in stored(connection)][start:end]


def stored(connection: Connection) -> list[tuple[int, str]]:
    rows = connection.exec_driver_sql("SELECT seq, body FROM audit_entry ORDER BY seq")
    return [(row[0], row[1]) for row in rows]


def change(trail: Trail, statement: str, *values: str) -> None:
    with trail.database.write() as connection:
        connection.exec_driver_sql(statement, values)


@pytest.mark.parametrize(
    ("selection", "start", "end"),
    [
        (EVERYTHING, 0, 13),
        (Selection(since="2026-11-22T12:00:00Z"), 0, 13),
        (Selection(since="2026-11-22T12:00:01Z"), 6, 13),
        (Selection(since="2026-11-23T12:00:00Z"), 6, 13),
        (Selection(until="2026-11-23T12:00:00Z"), 0, 6),
        (Selection(since="2026-11-23T00:00:00Z", until="2026-11-24T00:00:00Z"), 6, 12),
        (Selection(run=2), 6, 12),
        (Selection(run=2, until="2026-11-23T00:00:00Z"), 0, 0),
        (Selection(since="2027-01-01T00:00:00Z"), 0, 0),
        (Selection(run=9), 0, 0),
    ],
)
def test_disposals_are_selected_with_the_batch_that_closes_them(
    trail: Trail, selection: Selection, start: int, end: int
) -> None:
    assert lines_of(trail, selection) == bodies_of(trail, start, end)


def test_rows_say_what_the_disposal_and_its_batch_say(trail: Trail) -> None:
    rows = rows_of(trail)
    assert [row["entry_index"] for row in rows] == ["1", "2", "3", "6", "7", "8", "9"]
    assert rows[4] == {
        "entry_index": "7",
        "disposed_at": "2026-11-23T12:00:00Z",
        "received_on": "2026-08-17",
        "network": "fb",
        "pseudonym": f"{7:022d}",
        "rule": "direct-messages",
        "authority": "Privacy notice",
        "cutoff": "2026-08-21T23:00:00Z",
        "run": "2",
        "batch": "2",
        "plan_digest": "sha256:plan-2",
        "schedule_digest": "sha256:schedule",
        "origin": ORIGIN,
    }
    assert [row["batch"] for row in rows_of(trail, Selection(run=1))] == ["1", "1", "1"]


def test_table_of_nothing_is_its_header(trail: Trail) -> None:
    assert rows_of(trail, Selection(run=9)) == []


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@sum"])
def test_cell_that_a_spreadsheet_would_compute_is_guarded(trail: Trail, formula: str) -> None:
    number = 13
    trail.append(*[body.replace(b"0" * 20, b"-" * 20) for body in batch(3, number, 1, authority=formula)])
    *_, row = rows_of(trail)
    assert row["authority"] == f"'{formula}"
    assert row["pseudonym"] == f"'{'-' * 20}13"


def test_batch_that_names_no_rule_leaves_the_cells_empty(trail: Trail) -> None:
    disposal, _ = batch(3, 13, 1)
    fields = {"schedule_digest": "s", "plan_digest": "p", "software": "retention"}
    trail.append(disposal, entry("batch", NOW, batch=3, first=13, count=1, run=3, cause="erasure", **fields))
    *_, row = rows_of(trail)
    assert (row["rule"], row["authority"], row["cutoff"], row["run"]) == ("", "", "", "3")


@pytest.mark.parametrize("body", ["{", "7", "[]", "", "[" * 60_000])
def test_entry_that_nobody_can_read_has_no_fields(body: str) -> None:
    assert parsed(body) == {}


@pytest.mark.parametrize("body", ["{", "", '{"batch":'])
def test_export_ends_before_an_entry_that_was_changed(trail: Trail, body: str) -> None:
    before = bodies_of(trail, 0, 5)
    change(trail, "UPDATE audit_entry SET body = ? WHERE seq = 5", body)
    out = io.StringIO()
    with trail.database.read() as connection, pytest.raises(BrokenLogError, match="entry 5"):
        write_jsonl(connection, EVERYTHING, out)
    assert out.getvalue().splitlines() == before


def test_export_ends_where_the_tail_was_cut_off(trail: Trail) -> None:
    change(trail, "DELETE FROM audit_entry WHERE seq > 8")
    with trail.database.read() as connection, pytest.raises(BrokenLogError, match="entry 9"):
        write_csv(connection, EVERYTHING, io.StringIO(), "origin")


def test_disposals_that_nothing_closes_are_exported_with_everything_and_dated_by_nothing(trail: Trail) -> None:
    trail.append(*batch(3, 13, 2)[:-1])
    assert lines_of(trail, EVERYTHING) == bodies_of(trail, 0, 15)
    assert lines_of(trail, Selection(since="2026-11-22T12:00:00Z")) == bodies_of(trail, 0, 13)
