"""An invented export is the file that was asked for: same seed same bytes, and an independent reader agrees."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import os
import subprocess
import sys
import tracemalloc
import zipfile
from collections import Counter, deque
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from retention.demo import exports
from retention.demo.awkward import AWKWARD
from retention.demo.exports import (
    BAD_ROW_KINDS,
    COLUMNS,
    ExportFacts,
    HistorySpec,
    bulk,
    export_name,
    messages,
    write_csv,
)
from retention.errors import RetentionError, UsageError
from tests import tracing

if TYPE_CHECKING:
    from pathlib import Path

LONDON = ZoneInfo("Europe/London")
SPRING = HistorySpec(seed=7, first_on=date(2026, 3, 27), last_on=date(2026, 3, 30), messages_per_day=60)
AUTUMN = HistorySpec(seed=7, first_on=date(2026, 10, 23), last_on=date(2026, 10, 26), messages_per_day=60)
TODAY = date(2026, 11, 22)


def unpacked(path: Path) -> bytes:
    """Give the CSV inside a file, by an independent reading of its container."""
    name, data = path.name, path.read_bytes()
    if name.endswith(".gz"):
        return gzip.decompress(data)
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            (member,) = archive.namelist()
            return archive.read(member)
    return data


def rows_of(path: Path, *, encoding: str = "utf-8", delimiter: str = ",") -> list[dict[str, str]]:
    text = unpacked(path).decode(encoding)
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def is_private(row: dict[str, str]) -> bool:
    kind = row["Message Type"].lower()
    return "private" in kind or "dm" in kind


# --- the same seed, the same bytes ---


def test_a_seed_gives_these_bytes_on_every_platform_and_python(tmp_path: Path) -> None:
    for spec in (SPRING, AUTUMN):
        write_csv(tmp_path / f"{spec.first_on}.csv", messages(spec), zone=spec.zone, bad_rows=BAD_ROW_KINDS)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(tmp_path.iterdir())]
    assert digests == [
        "447f217675176829ec2cd979792da118c9279b6030acd5df55f6a21631a6d033",
        "5ef032353e6c919119199ff3e98c3cc8ffd2ddc1f9080387eb70381442f4a20d",
    ]


@pytest.mark.parametrize("surroundings", [{"PYTHONHASHSEED": "1", "TZ": "Pacific/Apia"}, {"LC_ALL": "C", "LANG": "C"}])
def test_surroundings_of_the_process_do_not_change_a_byte(tmp_path: Path, surroundings: dict[str, str]) -> None:
    code = (
        "import sys; from datetime import date; from pathlib import Path\n"
        "from retention.demo.exports import bulk\n"
        "bulk(Path(sys.argv[1]), 500, seed=5, last_on=date(2026, 10, 26), days=4)\n"
    )
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    bulk(here, 500, seed=5, last_on=date(2026, 10, 26), days=4)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **surroundings}
    subprocess.run([sys.executable, "-c", code, str(there)], check=True, env=environment)
    assert here.read_bytes() == there.read_bytes()


def test_another_seed_tells_another_history() -> None:
    other = HistorySpec(seed=8, first_on=SPRING.first_on, last_on=SPRING.last_on, messages_per_day=60)
    assert {m.message_id for m in messages(SPRING)}.isdisjoint(m.message_id for m in messages(other))


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".zip"])
def test_writing_twice_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_csv(tmp_path / name / f"export{suffix}", messages(AUTUMN), zone=AUTUMN.zone)
    assert (tmp_path / "one" / f"export{suffix}").read_bytes() == (tmp_path / "two" / f"export{suffix}").read_bytes()


# --- what is in a file ---


@pytest.mark.parametrize(
    ("suffix", "options", "reader_encoding"),
    [
        (".csv", {}, "utf-8"),
        (".csv.gz", {}, "utf-8"),
        (".zip", {}, "utf-8"),
        (".csv", {"delimiter": ";", "newline": "\n"}, "utf-8"),
        (".csv", {"delimiter": "\t"}, "utf-8"),
        (".csv", {"bom": True}, "utf-8-sig"),
        (".csv", {"encoding": "utf-16"}, "utf-16"),
        (".csv", {"encoding": "utf-16-le", "bom": True}, "utf-16"),
        (".csv", {"encoding": "cp1252"}, "cp1252"),
    ],
)
def test_an_independent_reader_finds_what_the_facts_say(
    tmp_path: Path, suffix: str, options: dict[str, object], reader_encoding: str
) -> None:
    path = tmp_path / f"export{suffix}"
    facts = write_csv(path, messages(AUTUMN), zone=AUTUMN.zone, **options)  # type: ignore[arg-type] # mixed options
    rows = rows_of(path, encoding=reader_encoding, delimiter=str(options.get("delimiter", ",")))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == facts.rows == facts.private + facts.public == 4 * 60
    assert sum(map(is_private, rows)) == facts.private
    assert Counter(row["Medium"] for row in rows) == facts.by_network
    told = list(messages(AUTUMN))
    assert (facts.first_received_at, facts.last_received_at) == (told[0].received_at, told[-1].received_at)
    if reader_encoding != "cp1252":
        assert [row["Content"] for row in rows] == [message.content for message in told]


def test_only_the_asked_for_byte_order_mark_and_line_ends_are_written(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    write_csv(path, messages(SPRING), zone=SPRING.zone)
    assert path.read_bytes().startswith(b"Message ID,")
    assert b"Custom: Case\r\n" in path.read_bytes()
    write_csv(path, messages(SPRING), zone=SPRING.zone, bom=True, newline="\n")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfMessage ID,")
    assert b"Custom: Case\n" in path.read_bytes()


def test_an_empty_export_is_a_header(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    assert write_csv(path, [], zone="Europe/London") == ExportFacts(0, 0, 0, {}, 0, None, None)
    assert path.read_text(encoding="utf-8").splitlines() == [",".join(COLUMNS)]
    assert bulk(path, 0, seed=1, last_on=TODAY, days=3) == ExportFacts(0, 0, 0, {}, 0, None, None)
    assert path.read_text(encoding="utf-8").splitlines() == [",".join(COLUMNS)]


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_created_at_is_the_local_time_of_the_zone_without_an_offset(tmp_path: Path, zone: str) -> None:
    path = tmp_path / "export.csv"
    write_csv(path, messages(AUTUMN), zone=zone)
    for row, message in zip(rows_of(path), messages(AUTUMN), strict=True):
        local = message.received_at.astimezone(ZoneInfo(zone))
        assert row["Created at"] == local.strftime("%Y-%m-%d %H:%M:%S")


def test_each_bad_row_is_bad_in_the_way_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    facts = write_csv(path, messages(SPRING), zone=SPRING.zone, bad_rows=BAD_ROW_KINDS)
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline=""), strict=True))[1:]
    created = COLUMNS.index("Created at")
    assert len(rows) == facts.rows == facts.private + facts.public + facts.bad_rows
    assert facts.bad_rows == 5
    assert sum(len(row) < len(COLUMNS) for row in rows) == 1
    assert sum(len(row) > len(COLUMNS) for row in rows) == 1
    whole = [row for row in rows if len(row) == len(COLUMNS)]
    assert sum(not row[0] for row in whole) == 1
    assert sum(not row[created] for row in whole) == 1
    (impossible,) = [row[created] for row in whole if "-02-30 " in row[created]]
    with pytest.raises(ValueError, match=r"day is out of range|must be in"):
        datetime.fromisoformat(impossible)


def test_more_bad_rows_than_messages_still_all_come(tmp_path: Path) -> None:
    few = list(messages(SPRING))[:2]
    facts = write_csv(tmp_path / "export.csv", few, zone=SPRING.zone, bad_rows=["missing-id"] * 4)
    assert (facts.rows, facts.bad_rows) == (6, 4)
    assert sum(not row["Message ID"] for row in rows_of(tmp_path / "export.csv")) == 4


# --- big ones ---


def test_bulk_writes_the_same_bytes_as_the_plain_writer(tmp_path: Path) -> None:
    facts = bulk(tmp_path / "bulk.csv", 9000, seed=4, last_on=date(2026, 11, 1), days=20)
    spec = HistorySpec(seed=4, first_on=date(2026, 10, 13), last_on=date(2026, 11, 1))
    plain = write_csv(tmp_path / "plain.csv", messages(spec, total=9000), zone="Europe/London")
    assert facts == plain
    assert (tmp_path / "bulk.csv").read_bytes() == (tmp_path / "plain.csv").read_bytes()
    assert set(AWKWARD) <= {row["Content"] for row in rows_of(tmp_path / "bulk.csv")}


def test_bulk_rows_are_as_many_as_asked_of_usual_length_and_half_past_three_months(tmp_path: Path) -> None:
    path = tmp_path / "bulk.csv"
    facts = bulk(path, 20_000, seed=1, last_on=date(2026, 11, 21), days=180)
    rows = rows_of(path)
    assert len(rows) == facts.rows == 20_000
    assert 270 < path.stat().st_size / facts.rows < 310
    due = sum(row["Created at"] < "2026-08-22" for row in rows)
    assert due / len(rows) == pytest.approx(0.5, abs=0.03)
    assert rows[0]["Created at"].startswith("2026-05-26")
    assert rows[-1]["Created at"].startswith("2026-11-21")


def test_bulk_can_be_packed(tmp_path: Path) -> None:
    facts = bulk(tmp_path / "bulk.csv.gz", 300, seed=1, last_on=TODAY, days=10)
    assert len(rows_of(tmp_path / "bulk.csv.gz")) == facts.rows == 300


def test_memory_does_not_grow_with_the_number_of_messages(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        tracing.start()
        try:
            spec = HistorySpec(first_on=date(2026, 6, 1), last_on=date(2026, 8, 29))
            deque(messages(spec, total=rows), maxlen=0)
            bulk(tmp_path / "bulk.csv", rows, seed=1, last_on=date(2026, 8, 29), days=90)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracing.stop()

    peak(100)  # imports and caches
    few, many = peak(2_000), peak(20_000)
    assert many < few + 2 * 2**20
    assert many < 12 * 2**20


# --- names ---


def test_an_export_is_named_as_scheduled_ones_are() -> None:
    first, last = datetime(2026, 6, 1, tzinfo=LONDON), datetime(2026, 6, 8, 23, 59, 58, tzinfo=LONDON)
    name = export_name("4711", first, last, "0f8fad5b-d9cb-469f-a165-70867728950e")
    assert name == "[4711][message][01062026000000][08062026235958][0f8fad5b-d9cb-469f-a165-70867728950e].csv"


# --- what is refused ---


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("export.xlsx", {}, r"\.csv, \.csv\.gz or \.zip"),
        ("export.csv", {"zone": "Mars/Olympus"}, "time zone"),
        ("export.csv", {"zone": "../etc/passwd"}, "time zone"),
        ("export.csv", {"encoding": "utf-99"}, "encoding"),
        ("export.csv", {"delimiter": "\n"}, "delimiter"),
        ("export.csv", {"delimiter": ",,"}, "delimiter"),
        ("export.csv", {"newline": "\r"}, "lines"),
        ("export.csv", {"bad_rows": ["upside-down"]}, "missing-id"),
    ],
)
def test_options_that_make_no_export_are_refused_before_a_file_is_begun(
    tmp_path: Path, name: str, options: dict[str, object], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        write_csv(tmp_path / name, messages(SPRING), **{"zone": "Europe/London", **options})  # type: ignore[arg-type] # mixed options
    assert list(tmp_path.iterdir()) == []


def test_bad_rows_need_a_message_to_damage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without a message"):
        write_csv(tmp_path / "export.csv", [], zone="Europe/London", bad_rows=["missing-id"])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named_as_an_error_of_the_program(tmp_path: Path) -> None:
    with pytest.raises(RetentionError, match="cannot be written: No such file") as refused:
        write_csv(tmp_path / "nowhere" / "export.csv", messages(SPRING), zone="Europe/London")
    assert "nowhere" not in str(refused.value)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".zip"])
def test_an_export_that_breaks_off_leaves_the_file_before_it_as_it_was(tmp_path: Path, suffix: str) -> None:
    def breaking_off() -> object:
        yield from list(messages(SPRING))[:100]
        raise KeyboardInterrupt

    path = tmp_path / f"export{suffix}"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        write_csv(path, breaking_off(), zone="Europe/London")  # type: ignore[arg-type] # a generator that fails
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"before"


def test_everything_a_tour_needs_is_found_in_one_module() -> None:
    assert all(hasattr(exports, name) for name in exports.__all__)
