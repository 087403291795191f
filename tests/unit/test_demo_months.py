"""The seven months of the demo: weekly exports that overlap, arrive in order, and hold what a tour has to show."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retention.demo import rhythm
from retention.demo.exports import ExportFacts, ExportFile, seven_months
from tests.depth import tries

LONDON = ZoneInfo("Europe/London")
TODAY = date(2026, 11, 22)

Dropped = list[tuple[ExportFile, ExportFacts, bytes]]


@pytest.fixture(scope="module")
def dropped(tmp_path_factory: pytest.TempPathFactory) -> Dropped:
    """Every file of the seven months, written when it arrives, with its facts and bytes."""
    landing = tmp_path_factory.mktemp("landing")
    files = seven_months(landing, today=TODAY, seed=11)
    return [(file, file.write(), file.path.read_bytes()) for file in files]


def rows_of(name: str, data: bytes) -> list[dict[str, str]]:
    """Read the CSV inside a file, by an independent reading of its container."""
    if name.endswith(".gz"):
        data = gzip.decompress(data)
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            (member,) = archive.namelist()
            data = archive.read(member)
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))


def test_seven_months_end_the_day_before_today_in_weekly_windows_that_overlap_by_a_day(dropped: Dropped) -> None:
    weekly = [file for file, _, _ in dropped if not file.is_redrop]
    assert weekly[0].window_from.astimezone(LONDON) == datetime(2026, 4, 22, tzinfo=LONDON)
    assert weekly[-1].window_to.astimezone(LONDON) == datetime(2026, 11, 22, tzinfo=LONDON)
    for earlier, later in pairwise(weekly):
        overlap = earlier.window_to.astimezone(LONDON).date() - later.window_from.astimezone(LONDON).date()
        assert overlap == timedelta(days=1)
        assert later.window_to.astimezone(LONDON).date() - earlier.window_to.astimezone(LONDON).date() == timedelta(
            days=7
        )


def test_exports_arrive_in_order_after_their_window_ended(dropped: Dropped) -> None:
    files = [file for file, _, _ in dropped]
    assert all(a.arrives_at < b.arrives_at for a, b in pairwise(files))
    assert all(timedelta(0) < f.arrives_at - f.window_to < timedelta(hours=12) for f in files if not f.is_redrop)
    assert files[-1].arrives_at.astimezone(LONDON).date() == TODAY


def test_each_file_holds_the_messages_of_its_window_and_its_facts_are_true(dropped: Dropped) -> None:
    for file, facts, data in dropped:
        rows = rows_of(file.path.name, data)
        assert len(rows) == facts.rows
        assert facts.bad_rows == len(file.bad_rows)
        assert facts.first_received_at is not None
        assert facts.last_received_at is not None
        assert file.window_from <= facts.first_received_at <= facts.last_received_at < file.window_to
        assert f"[{file.window_from.astimezone(LONDON):%d%m%Y}000000]" in file.path.name
        assert f"[{file.window_to.astimezone(LONDON):%d%m%Y}000000]" in file.path.name


def test_messages_of_an_overlap_are_in_both_exports_word_for_word(dropped: Dropped) -> None:
    seen: dict[str, dict[str, str]] = {}
    again = 0
    for file, _, data in dropped:
        for row in rows_of(file.path.name, data):
            damaged = not row["Message ID"] or row["Message ID"].startswith("damaged-")
            if file.is_redrop or damaged:
                continue
            again += row["Message ID"] in seen
            assert seen.setdefault(row["Message ID"], row) == row
    assert 12_000 <= len(seen) <= 20_000
    assert again > 400


def test_seven_months_hold_bad_rows_packed_files_and_a_clock_change(dropped: Dropped) -> None:
    bad = [file.bad_rows for file, _, _ in dropped if file.bad_rows]
    assert len(bad) == 3
    assert {"missing-id", "impossible-date", "missing-date"} < {kind for kinds in bad for kind in kinds}
    assert {kind for kinds in bad for kind in kinds} & {"too-few-columns", "too-many-columns"}
    names = [file.path.name for file, _, _ in dropped]
    assert sum(name.endswith(".csv.gz") for name in names) == 1
    assert sum(name.endswith(".zip") for name in names) == 1
    assert len(set(names)) == len(names) - 1
    offsets = {file.window_from.astimezone(LONDON).utcoffset() for file, _, _ in dropped}
    assert len(offsets) == 2


def test_an_old_export_comes_again_byte_for_byte_when_all_of_it_is_past_three_months(dropped: Dropped) -> None:
    (again,) = [(file, facts, data) for file, facts, data in dropped if file.is_redrop]
    (first,) = [d for d in dropped if d[0].path == again[0].path and not d[0].is_redrop]
    assert first[2] == again[2]
    assert first[1] == again[1]
    assert again[0].arrives_at - again[0].window_to > timedelta(days=93)
    assert again[0].arrives_at.date() < TODAY


def test_a_plan_is_the_same_for_the_same_seed_and_writes_nothing_by_itself(tmp_path: Path) -> None:
    assert seven_months(tmp_path, today=TODAY, seed=5) == seven_months(tmp_path, today=TODAY, seed=5)
    names = {file.path.name for file in seven_months(tmp_path, today=TODAY, seed=5)}
    assert names.isdisjoint(file.path.name for file in seven_months(tmp_path, today=TODAY, seed=6))
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=tries(60), deadline=None)
@given(today=st.dates(date(2013, 1, 1), date(2037, 12, 31)))
@example(today=date(2018, 10, 27))  # seven months alone would just miss the changes of March and of October
def test_clocks_change_in_the_seven_months_before_any_day(today: date) -> None:
    files = seven_months(Path("landing"), today=today, seed=1)
    start, end = files[0].window_from, files[-1].window_to
    days = (end.astimezone(LONDON).date() - start.astimezone(LONDON).date()).days
    first_on = start.astimezone(LONDON).date()
    assert end.astimezone(LONDON).date() == today
    assert 211 <= days <= 218
    assert any(rhythm.changes_clock(LONDON, first_on + timedelta(days=n)) for n in range(days))
    assert sum(bool(file.bad_rows) and not file.is_redrop for file in files) == 3
    assert sum(file.is_redrop for file in files) == 1
