"""Exports that come gzipped or in a zip archive, whole, damaged, locked or full of litter."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from retention.errors import FileRefusedError
from retention.model import IncomingMessage, RowNotice, RowProblem
from tests.unit.sources_kit import HEADER, Element, hootsuite, only_message, read_bytes, row, table

if TYPE_CHECKING:
    from pathlib import Path


def zipped(*members: tuple[str | zipfile.ZipInfo, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def many_rows(count: int = 3000) -> bytes:
    return table([row(number) for number in range(count)]).encode()


def test_a_gzipped_export_reads_like_the_plain_one(tmp_path: Path) -> None:
    content = table([row(1), row(2, Created_at="no"), row(3)]).encode()
    assert read_bytes(tmp_path, gzip.compress(content), "export.CSV.GZ") == read_bytes(tmp_path, content)


def test_the_parts_of_a_zip_archive_are_read_in_order_of_name(tmp_path: Path) -> None:
    content = zipped(("b/two.CSV", table([row(2)])), ("a.csv", table([row(1)])))
    elements = read_bytes(tmp_path, content, "export.zip")
    assert [e.message_id for e in elements if isinstance(e, IncomingMessage)] == ["m1", "m2"]


def test_problems_name_the_part_and_its_own_line(tmp_path: Path) -> None:
    bad = table([row(1, Created_at="no")])
    elements = read_bytes(tmp_path, zipped(("one.csv", bad), ("two.csv", bad)), "export.zip")
    assert [(e.member, e.line) for e in elements if isinstance(e, RowProblem)] == [("one.csv", 2), ("two.csv", 2)]


def test_the_notice_of_doubt_is_given_once_for_the_whole_archive(tmp_path: Path) -> None:
    unknown = table([row(1, Message_Type="mention")])
    elements = read_bytes(tmp_path, zipped(("one.csv", unknown), ("two.csv", unknown)), "export.zip")
    assert [(e.member, e.line) for e in elements if isinstance(e, RowNotice)] == [("one.csv", 2)]


def test_litter_is_passed_over_and_other_files_are_told(tmp_path: Path) -> None:
    content = zipped(
        ("__MACOSX/._export.csv", b"\0\5"),
        (".hidden.csv", "x"),
        ("folder/", b""),
        ("folder/.DS_Store", b"\0"),
        ("export.csv", table([row(1)])),
        ("notes.txt", "SECRET"),
    )
    notice, message = read_bytes(tmp_path, content, "export.zip")
    assert notice == RowNotice(0, None, "is not a .csv file, so it was not read", "notes.txt")
    assert isinstance(message, IncomingMessage)


def test_an_archive_without_a_csv_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match=r"holds no \.csv file"):
        read_bytes(tmp_path, zipped(("readme.txt", "x")), "export.zip")


def test_one_unfit_part_refuses_the_archive_before_its_first_record(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(zipped(("a.csv", table([row(1)])), ("b.csv", table([], header=["x", *HEADER[1:]]))))
    source = hootsuite(tmp_path)
    with pytest.raises(FileRefusedError, match=r'b\.csv: lacks the column "Message ID"') as caught:
        next(source.read(source.open_item(path)))
    assert (caught.value.line, caught.value.column) == (1, "Message ID")


def test_an_encrypted_archive_is_refused_with_the_way_out(tmp_path: Path) -> None:
    content = bytearray(zipped(("export.csv", table([row(1)])), method=zipfile.ZIP_STORED))
    content[content.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(FileRefusedError, match="export it without a password"):
        read_bytes(tmp_path, bytes(content), "export.zip")


def test_an_archive_packed_in_an_unusual_way_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="plain zip"):
        read_bytes(tmp_path, zipped(("export.csv", many_rows()), method=zipfile.ZIP_LZMA), "export.zip")


@pytest.mark.parametrize("name", ["export.csv.gz", "export.zip"])
@pytest.mark.parametrize("content", [b"", b"Message ID,Created at\n1,2\n", b"\x1f\x8b\x08\x00", b"PK\3\4"])
def test_what_is_no_archive_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(FileRefusedError, match=r"damaged|is empty"):
        read_bytes(tmp_path, content, name)


def test_a_truncated_gzip_file_gives_its_rows_and_then_refuses_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "export.csv.gz"
    path.write_bytes(gzip.compress(many_rows())[:-2000])
    source = hootsuite(tmp_path)
    given: list[Element] = []
    with pytest.raises(FileRefusedError, match="damaged or incomplete"):
        given.extend(source.read(source.open_item(path)))
    elements = source.read(source.open_item(path))
    assert isinstance(next(elements), IncomingMessage)


def test_damage_within_a_zip_archive_names_the_part(tmp_path: Path) -> None:
    content = bytearray(zipped(("export.csv", many_rows()), method=zipfile.ZIP_STORED))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(FileRefusedError, match=r"export\.csv: is damaged"):
        read_bytes(tmp_path, bytes(content), "export.zip")


def test_the_name_of_a_part_cannot_break_a_line_of_a_log(tmp_path: Path) -> None:
    content = zipped(("a\nb\x1b.csv", table([row(1, Created_at="no")])))
    (problem,) = read_bytes(tmp_path, content, "export.zip")
    assert isinstance(problem, RowProblem)
    assert problem.member == "a\ufffdb\ufffd.csv"


def test_a_part_without_a_name_is_told(tmp_path: Path) -> None:
    nameless = zipfile.ZipInfo("x")
    nameless.filename = ""
    notice, message = read_bytes(tmp_path, zipped((nameless, "y"), ("export.csv", table([row(1)]))), "export.zip")
    assert notice == RowNotice(0, None, "is not a .csv file, so it was not read", "?")
    assert isinstance(message, IncomingMessage)


def test_reading_an_archive_again_gives_the_same(tmp_path: Path) -> None:
    content = zipped(("a.csv", table([row(1), row(2, Message_Type="?")])), ("b.csv", table([row(3)])))
    assert read_bytes(tmp_path, content, "export.zip") == read_bytes(tmp_path, content, "export.zip")
    assert only_message(read_bytes(tmp_path, zipped(("a.csv", table([row(1)]))), "export.zip")).line == 2
