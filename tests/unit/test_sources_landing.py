"""The landing folder: what is taken, what waits, what a person must look at, and what is noticed when it changes."""

from __future__ import annotations

import gzip
import hashlib
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.errors import FileRefusedError, SourceError
from retention.sources.files.times import LocalClock
from retention.sources.files.windows import window_of_name
from retention.sources.interface import SkippedFile, SourceItem
from tests.unit.sources_kit import hootsuite, row, table

if TYPE_CHECKING:
    from pathlib import Path

LONDON = LocalClock(ZoneInfo("Europe/London"))
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
LATER = 100_000.0


def put(folder: Path, name: str, content: str | None = None) -> Path:
    path = folder / name
    path.write_text(table([row(1)]) if content is None else content, newline="")
    return path


def found(folder: Path, *, after: float = 3600.0) -> list[SourceItem | SkippedFile]:
    times = [max(status.st_mtime, status.st_ctime) for status in (path.lstat() for path in folder.iterdir())]
    return list(hootsuite(folder).discover(at=max(times, default=0.0) + after))


def test_files_are_taken_in_order_of_name_with_digest_and_stamp(tmp_path: Path) -> None:
    for name in ("b.csv", "a.CSV", "c.csv.gz", "d.zip"):
        put(tmp_path, name)
    items = found(tmp_path)
    assert [item.name for item in items] == ["a.CSV", "b.csv", "c.csv.gz", "d.zip"]
    first = items[0]
    assert isinstance(first, SourceItem)
    content = (tmp_path / "a.CSV").read_bytes()
    assert first.digest == "sha256:" + hashlib.sha256(content).hexdigest()
    assert first.stamp[2] == len(content)
    assert (first.window_from, first.window_to) == (None, None)


def test_an_empty_landing_folder_holds_nothing(tmp_path: Path) -> None:
    assert list(hootsuite(tmp_path).discover(at=LATER)) == []


def test_a_file_waits_until_it_has_settled(tmp_path: Path) -> None:
    put(tmp_path, "a.csv")
    (waiting,) = found(tmp_path, after=59)
    assert isinstance(waiting, SkippedFile)
    assert not waiting.needs_attention
    assert "not yet stable" in waiting.reason
    assert isinstance(found(tmp_path, after=61)[0], SourceItem)


def test_an_old_time_of_change_does_not_make_a_fresh_file_settled(tmp_path: Path) -> None:
    os.utime(put(tmp_path, "a.csv"), (1_000_000_000, 1_000_000_000))
    (waiting,) = found(tmp_path, after=10)
    assert isinstance(waiting, SkippedFile)


def test_a_time_of_change_in_the_future_needs_a_person(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv")
    os.utime(path, (4_000_000_000, 4_000_000_000))
    (skipped,) = hootsuite(tmp_path).discover(at=path.stat().st_ctime + 3600)
    assert isinstance(skipped, SkippedFile)
    assert skipped.needs_attention


@pytest.mark.parametrize(
    "name", [".a.csv", "a.csv.part", "a.csv.tmp", "a.csv.filepart", "a.csv.CRDOWNLOAD", ".a.csv.swp", "a.csv~", ".keep"]
)
def test_temporary_files_are_passed_over_in_silence(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    assert found(tmp_path) == []


def test_what_cannot_be_read_needs_a_person(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    put(tmp_path, "outside.csv")
    (landing / "link.csv").symlink_to(tmp_path / "outside.csv")
    (landing / "dangling.csv").symlink_to(tmp_path / "nowhere.csv")
    (landing / "folder.csv").mkdir()
    put(landing / "folder.csv", "inside.csv")
    put(landing, "report.xlsx")
    put(landing, "a\nb.csv")
    os.mkfifo(landing / "pipe.csv")
    skipped = {entry.name: entry for entry in found(landing) if isinstance(entry, SkippedFile)}
    assert len(skipped) == len(list(landing.iterdir()))
    assert all(entry.needs_attention for entry in skipped.values())
    assert "symbolic link" in skipped["link.csv"].reason
    assert "symbolic link" in skipped["dangling.csv"].reason
    assert "is a folder" in skipped["folder.csv"].reason
    assert ".csv, .csv.gz, .zip" in skipped["report.xlsx"].reason
    assert "rename it" in skipped["a\ufffdb.csv"].reason
    assert skipped["pipe.csv"].reason == "is not a regular file"


def test_a_name_that_is_not_text_needs_a_person(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.csv"
    with open(path, "wb"):  # noqa: PTH123 - a name in bytes
        pass
    (skipped,) = found(tmp_path)
    assert isinstance(skipped, SkippedFile)
    skipped.name.encode()
    assert skipped.needs_attention


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser can read everything")
def test_a_file_without_permission_needs_a_person(tmp_path: Path) -> None:
    put(tmp_path, "a.csv").chmod(0)
    (skipped,) = found(tmp_path)
    assert isinstance(skipped, SkippedFile)
    assert skipped.needs_attention


def test_a_missing_landing_folder_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="create it"):
        list(hootsuite(tmp_path / "landing").discover(at=LATER))
    put(tmp_path, "landing")
    with pytest.raises(SourceError, match="cannot be listed"):
        list(hootsuite(tmp_path / "landing").discover(at=LATER))


def test_a_person_may_name_a_file_anywhere_but_not_a_link_or_another_kind(tmp_path: Path) -> None:
    source = hootsuite(tmp_path / "landing")
    path = put(tmp_path, "a.csv")
    assert source.open_item(path).path == path
    (tmp_path / "b.csv").symlink_to(path)
    for name in ("b.csv", "missing.csv", "a.txt"):
        with pytest.raises(FileRefusedError):
            source.open_item(tmp_path / name)
    (tmp_path / "c.csv").mkdir()
    with pytest.raises(FileRefusedError, match="is not a regular file"):
        source.open_item(tmp_path / "c.csv")


def test_a_file_that_changes_while_it_is_read_is_refused_at_the_end(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", table([row(number) for number in range(500)]))
    source = hootsuite(tmp_path)
    elements = source.read(source.open_item(path))
    next(elements)
    with path.open("a", newline="") as file:
        file.write(table([row(900)]).splitlines(keepends=True)[1])
    with pytest.raises(FileRefusedError, match="changed while it was read"):
        list(elements)


def test_damage_in_a_file_that_is_still_being_written_is_told_as_a_change(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    packed = gzip.compress(table([row(number) for number in range(3000)]).encode())
    path.write_bytes(packed[:-2000])
    source = hootsuite(tmp_path)
    elements = source.read(source.open_item(path))
    next(elements)
    path.write_bytes(packed[:-1000])
    with pytest.raises(FileRefusedError, match="changed while it was read"):
        list(elements)


def test_a_file_that_is_replaced_while_it_is_read_is_refused_at_the_end(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv")
    source = hootsuite(tmp_path)
    item = source.open_item(path)
    elements = source.read(item)
    next(elements)
    put(tmp_path, "new.csv").replace(path)
    with pytest.raises(FileRefusedError, match="changed while it was read"):
        list(elements)


def test_a_file_that_changed_before_it_is_read_is_refused_at_once(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv")
    source = hootsuite(tmp_path)
    item = source.open_item(path)
    path.write_text(table([row(1), row(2)]))
    with pytest.raises(FileRefusedError, match="changed while it was read"):
        next(source.read(item))
    path.unlink()
    with pytest.raises(FileRefusedError, match="cannot be read"):
        list(source.read(item))


def test_unchanged_means_the_same_bytes(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv")
    source = hootsuite(tmp_path)
    item = source.open_item(path)
    assert source.is_unchanged(item)
    os.utime(path)
    assert source.is_unchanged(item)
    content = path.read_bytes()
    path.write_bytes(content + b"\n")
    assert not source.is_unchanged(item)
    path.unlink()
    assert not source.is_unchanged(item)


@pytest.mark.parametrize(
    "name",
    [
        f"[123456][message][01062026000000][02062026000000][{UUID}].csv",
        f"123456_message_01062026000000_02062026000000_{UUID}.csv",
        f"123456message0106202600000002062026000000{UUID}.csv",
        f"123456-message-01062026000000-02062026000000-{UUID}.csv.gz",
        f"[99999999999999][message][01062026000000][02062026000000][{UUID}].csv",
    ],
)
def test_a_scheduled_name_states_its_window_in_the_zone_of_the_source(name: str) -> None:
    assert window_of_name(name, LONDON) == (
        datetime(2026, 5, 31, 23, tzinfo=UTC),
        datetime(2026, 6, 1, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "name",
    [
        "export.csv",
        f"[1][open-conversation][01062026000000][{UUID}].csv",
        "[1][message][31022026000000][02062026000000].csv",
        "[1][message][02062026000000][01062026000000].csv",
        "[1][message][01062026000000][01062026000000].csv",
        "[1][message][01069999000000][02069999000000].csv",
        "[1][message][01062026240000][02062026000000].csv",
        "99901062026000000_02062026000000.csv",
    ],
)
def test_a_name_that_states_no_sound_window_states_none(name: str) -> None:
    assert window_of_name(name, LONDON) is None


@given(st.text(alphabet="0123456789[]-_x٣", max_size=60), st.sampled_from(["Europe/London", "Pacific/Apia"]))
def test_any_name_states_a_window_forward_in_time_or_none(name: str, zone: str) -> None:
    window = window_of_name(name, LocalClock(ZoneInfo(zone)))
    assert window is None or window[0] < window[1]


def test_an_item_carries_the_window_of_its_name(tmp_path: Path) -> None:
    item = hootsuite(tmp_path).open_item(put(tmp_path, "[1][message][01012026000000][02012026000000].csv"))
    assert item.window_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert item.window_to == datetime(2026, 1, 2, tzinfo=UTC)
