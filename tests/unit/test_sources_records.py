"""Quotation marks, line ends and encodings: what is damaged costs its own row and no other."""

from __future__ import annotations

import codecs
import io
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from retention.errors import FileRefusedError
from retention.model import IncomingMessage, RowProblem
from retention.sources.files import bytestream
from retention.sources.files.records import MAX_FIELD, read_records
from retention.sources.files.text import encoding_problem
from tests import tracing
from tests.unit.sources_kit import HEADER, Element, hootsuite, only_message, only_problem, read_bytes, row, table

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = {"Content": "text"}


def seen(elements: list[Element]) -> list[tuple[int, str]]:
    return [(e.line, e.message_id if isinstance(e, IncomingMessage) else "rejected") for e in elements]


def lines_of(count: int, **at: str) -> list[str]:
    plain = table([row(number, **PLAIN) for number in range(1, count + 1)]).splitlines()
    for number, text in at.items():
        plain[int(number.removeprefix("line"))] = text
    return plain


def test_an_unclosed_quotation_mark_costs_its_row_and_no_other(tmp_path: Path) -> None:
    broken = ",".join(row(2, Content='"never closed')).replace('""', '"')
    lines = lines_of(5, line2=broken)
    assert seen(read_bytes(tmp_path, "\n".join(lines).encode())) == [
        (2, "m1"), (3, "rejected"), (4, "m3"), (5, "m4"), (6, "m5"),
    ]  # fmt: skip


def test_an_unclosed_quotation_mark_on_the_last_line_is_rejected(tmp_path: Path) -> None:
    lines = lines_of(2, line2=",".join(row(2, Content='"never closed')))
    assert seen(read_bytes(tmp_path, "\n".join(lines).encode())) == [(2, "m1"), (3, "rejected")]


def test_an_undoubled_quotation_mark_costs_its_row(tmp_path: Path) -> None:
    lines = lines_of(3, line2=",".join(row(2, Content='"He said "no" to me"')))
    assert seen(read_bytes(tmp_path, "\n".join(lines).encode())) == [(2, "m1"), (3, "rejected"), (4, "m3")]


def test_many_broken_rows_in_sequence_are_each_told(tmp_path: Path) -> None:
    broken = ",".join(row(2, Content='"a"b'))
    text = "\n".join([*lines_of(1), *[broken] * 500, *lines_of(1)[1:]])
    elements = read_bytes(tmp_path, text.encode())
    assert [e.line for e in elements if isinstance(e, RowProblem)] == list(range(3, 503))
    assert seen(elements)[-1] == (503, "m1")


def test_a_field_without_end_costs_its_row(tmp_path: Path) -> None:
    lines = lines_of(3, line2=",".join(row(2, Content="x" * (MAX_FIELD + 1))))
    assert seen(read_bytes(tmp_path, "\n".join(lines).encode())) == [(2, "m1"), (3, "rejected"), (4, "m3")]


def test_a_file_made_of_unpaired_quotation_marks_is_refused_in_bounded_time(tmp_path: Path) -> None:
    hostile = table([row(1)]) + 'a",b,"\n' * 50_000
    with pytest.raises(FileRefusedError, match="cannot be told apart"):
        read_bytes(tmp_path, hostile.encode())


def test_a_record_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytestream, "MAX_UNFINISHED", 1024 * 1024)
    with pytest.raises(FileRefusedError, match="record of more than"):
        read_bytes(tmp_path, table([row(1)]).encode() + b"," * 2 * 1024 * 1024)


def test_a_large_sound_file_is_never_taken_for_a_record_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytestream, "MAX_UNFINISHED", 64 * 1024)
    sound = [row(number) for number in range(2000)]
    assert len(read_bytes(tmp_path, table(sound).encode())) == 2000
    broken = "\n".join([",".join(HEADER), *[",".join(row(2, Content='"a"b'))] * 2000])
    assert len(read_bytes(tmp_path, broken.encode())) == 2000


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(tmp_path: Path, end: str) -> None:
    text = end.join(lines_of(3))
    assert seen(read_bytes(tmp_path, text.encode())) == [(2, "m1"), (3, "m2"), (4, "m3")]
    assert seen(read_bytes(tmp_path, (text + end).encode())) == [(2, "m1"), (3, "m2"), (4, "m3")]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    text = table([row(1, Content="one\r\ntwo\nthree"), row(2), row(3, Created_at="no")])
    assert seen(read_bytes(tmp_path, text.encode())) == [(2, "m1"), (5, "m2"), (7, "rejected")]


def test_nul_and_separators_in_the_text_do_not_matter(tmp_path: Path) -> None:
    text = table([row(1, Content="a\0b\u2028c\x1cd\x85e\x0cf"), row(2)])
    assert seen(read_bytes(tmp_path, text.encode())) == [(2, "m1"), (3, "m2")]


@pytest.mark.parametrize(
    ("mark", "written", "configured"),
    [
        (codecs.BOM_UTF8, "utf-8", "utf-8"),
        (codecs.BOM_UTF8, "utf-8", "cp1252"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-8"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "cp1252"),
        (b"", "utf-8", "utf-8"),
        (b"", "cp1252", "cp1252"),
        (b"", "iso-8859-15", "ISO-8859-15"),
        (b"", "utf-16-le", "utf-16-le"),
        (b"", "utf-16-le", "utf-16"),
    ],
)
def test_a_byte_order_mark_wins_over_the_configured_encoding(
    tmp_path: Path, mark: bytes, written: str, configured: str
) -> None:
    content = mark + table([row(1, Channel="bürö")]).encode(written)
    assert only_message(read_bytes(tmp_path, content, encoding=configured)).message_class.channel == "bürö"


def test_a_quoted_header_after_a_byte_order_mark_is_understood(tmp_path: Path) -> None:
    quoted = ",".join(f'"{name}"' for name in HEADER)
    content = codecs.BOM_UTF8 + "\n".join([quoted, *lines_of(1)[1:]]).encode()
    assert only_message(read_bytes(tmp_path, content)).message_id == "m1"


def test_damaged_bytes_in_a_text_that_is_not_needed_do_not_matter(tmp_path: Path) -> None:
    content = table([row(1, Content="ca@f")]).encode().replace(b"@", b"\xe9\xff\xfe")
    assert only_message(read_bytes(tmp_path, content)).message_id == "m1"


def test_damaged_bytes_in_a_needed_field_reject_the_row_and_name_the_encoding(tmp_path: Path) -> None:
    content = table([row(1, Channel="caf@")]).encode().replace(b"@", b"\xe9")
    problem = only_problem(read_bytes(tmp_path, content))
    assert problem.column == "Channel"
    assert problem.reason == "is not valid utf-8; set encoding = to the one the file was written in"
    assert only_message(read_bytes(tmp_path, content, encoding="cp1252")).message_class.channel == "café"


def test_a_character_that_was_lost_before_the_export_is_a_character(tmp_path: Path) -> None:
    content = table([row(1, Channel="caf\ufffd")]).encode()
    assert only_message(read_bytes(tmp_path, content)).message_class.channel == "caf\ufffd"


def test_half_a_character_of_utf_16_rejects_its_row(tmp_path: Path) -> None:
    content = codecs.BOM_UTF16_LE + table([row(1, Message_ID="m@")]).encode("utf-16-le").replace(b"@\0", b"\x00\xd8")
    assert only_problem(read_bytes(tmp_path, content)).column == "Message ID"


@pytest.mark.parametrize("name", ["utf-7", "rot13", "base64", "unicode_escape", "idna", "undefined", "klingon", "a\0b"])
def test_encodings_that_could_hide_a_delimiter_are_not_configurable(name: str) -> None:
    assert encoding_problem(name) is not None


def test_a_file_of_many_mebibytes_is_read_in_a_few(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    line = table([row(1, Content="x" * 4000)]).splitlines()[1] + "\n"
    with path.open("w") as file:
        file.write(",".join(HEADER) + "\n")
        for _ in range(20):
            file.write(line * 1000)
    assert path.stat().st_size > 80_000_000
    source = hootsuite(tmp_path)
    item = source.open_item(path)
    tracing.start()
    try:
        assert sum(1 for _ in source.read(item)) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracing.stop()


def test_records_can_be_told_apart_without_a_file() -> None:
    lines = ["a,b\n", '"x\n', "y,z\n", '"q"r\n', "\n", "1,2"]
    assert list(read_records(lines, ",", lambda: None)) == [
        (1, ["a", "b"]), (2, None), (3, ["y", "z"]), (4, None), (5, []), (6, ["1", "2"]),
    ]  # fmt: skip


def test_guarded_bytes_are_for_reading_only() -> None:
    guarded = bytestream.GuardedBytes(io.BytesIO(b"header"))
    assert guarded.readable()
    assert not guarded.writable()
    assert (guarded.read(), guarded.read1(1), guarded.read()) == (b"head", b"e", b"r")


def test_lines_that_are_read_again_do_not_count_as_progress() -> None:
    # Otherwise each broken record could hold a little more of the file in memory than the one before.
    marks: list[int] = []
    given = list(read_records(['"open\n', *["a,b\n"] * 100], ",", lambda: marks.append(1)))
    assert len(given) == 101
    assert len(marks) == 1
