from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from retention.errors import SourceError
from retention.purge.residue import scan

LEFT, GONE = "message-0001", "message-0002"


def test_an_identifier_is_found_in_a_plain_file_and_across_its_chunks(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"x" * ((4 << 20) - 5) + LEFT.encode() + b"y")
    assert scan([LEFT, GONE], [tmp_path]).found == {tmp_path / "plain": 1}


def test_archives_are_searched_unpacked(tmp_path: Path) -> None:
    packed, zipped = tmp_path / "a.csv.gz", tmp_path / "b.zip"
    packed.write_bytes(gzip.compress(f"{LEFT},1\n".encode()))
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.csv", "nothing")
        archive.writestr("two.csv", f"{LEFT}\n{GONE}\n")
    assert scan([LEFT, GONE], [tmp_path]).found == {packed: 1, zipped: 2}


@pytest.mark.parametrize("name", ["a.csv.gz", "b.zip"])
def test_a_damaged_archive_is_searched_as_it_lies(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"not an archive, but " + LEFT.encode())
    assert scan([LEFT], [path]).found == {path: 1}
    path.write_bytes(b"not an archive")
    assert scan([LEFT], [path, path]) == ({}, {path: 1})


def test_links_and_files_that_are_gone_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "plain")
    assert scan([LEFT], [tmp_path, tmp_path / "gone"]).found == {}


def test_a_file_that_goes_while_it_is_searched_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").write_bytes(LEFT.encode())

    def gone(*_: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("pathlib.Path.open", gone)
    assert scan([LEFT], [tmp_path]).found == {}


def test_a_file_that_cannot_be_read_is_named() -> None:
    unreadable = Path("/proc/self/mem")
    with pytest.raises(SourceError, match=r"^/proc/self/mem: cannot be searched"):
        scan([LEFT], [unreadable])


@pytest.mark.parametrize(("at", "value"), [(6, 1), (8, 99)], ids=["encrypted", "packed in an unknown way"])
def test_archive_that_cannot_be_unpacked_does_not_end_the_search(tmp_path: Path, at: int, value: int) -> None:
    path = tmp_path / "closed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "message-0001")
    packed = bytearray(path.read_bytes())
    for place in (at, packed.index(b"PK\x01\x02") + at + 2):
        packed[place : place + 2] = value.to_bytes(2, "little")
    path.write_bytes(packed)
    beside = tmp_path / "open.csv"
    beside.write_text("message-0002")
    assert scan(["message-0002", "message-0003"], [tmp_path]) == ({beside: 1}, {path: 1})
