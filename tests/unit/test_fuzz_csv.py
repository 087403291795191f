"""Whatever lies in the landing folder, only messages, problems, notices and refusals come out, and nothing personal."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retention.errors import FileRefusedError
from retention.model import IncomingMessage, RowNotice, RowProblem
from tests.unit.sources_kit import HEADER, Element, hootsuite, row, table

MARK = "SECRET"
NAMES = ("export.csv", "export.csv.gz", "export.zip")

cells = st.one_of(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(
        ["", " ", MARK, f'{MARK}"', f"{MARK}\n{MARK}", "a,b", '""', "2026-01-15 10:20:30", "private", "\0"]
    ),
)
filled = st.lists(cells, min_size=len(HEADER), max_size=len(HEADER))


def marked(number: int) -> list[str]:
    changes = {"Message ID": f"{MARK}-id-{number}", "Contact Profile ID": f"{MARK}-contact", "Channel": f"{MARK}-page"}
    return row(number, **changes)


VALID = table([marked(number) for number in range(40)]).encode()


def packed(content: bytes, name: str) -> bytes:
    if name.endswith(".gz"):
        return gzip.compress(content, mtime=0)
    if name.endswith(".zip"):
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("one.csv", content)
            archive.writestr("two.csv", VALID)
        return whole.getvalue()
    return content


def survive(content: bytes, name: str, **changes: str) -> list[Element]:
    """Read and check all that comes out; a refusal ends the list."""
    elements: list[Element] = []
    reasons: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        source = hootsuite(Path(folder), **changes)
        try:
            elements.extend(source.read(source.open_item(path)))
        except FileRefusedError as refusal:
            reasons += [refusal.reason, str(refusal), str(refusal.column)]
    for element in elements:
        assert isinstance(element, IncomingMessage | RowProblem | RowNotice)
        if isinstance(element, IncomingMessage):
            for text in (element.message_id, element.conversation_id, element.contact_id, *element.message_class):
                assert "\0" not in text
                text.encode()
        else:
            reasons += [element.reason, str(element.column)]
    assert not any(MARK in reason for reason in reasons)
    return elements


@given(st.binary(max_size=300), st.sampled_from(NAMES), st.sampled_from(["utf-8", "cp1252", "utf-16", "gbk", "ascii"]))
@example(b"\xff\xfe", "export.csv", "utf-8")
@example(b"PK\5\6" + b"\0" * 18, "export.zip", "utf-8")
def test_random_bytes_are_survived(content: bytes, name: str, encoding: str) -> None:
    survive(content, name, encoding=encoding)


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "cp1252", "gbk", "shift_jis", "big5", "ascii"]))
def test_random_bytes_under_a_sound_header_are_survived(content: bytes, encoding: str) -> None:
    survive(VALID + content + b"\n" + VALID.split(b"\r\n", 1)[1], "export.csv", encoding=encoding)


@given(st.data(), st.sampled_from(NAMES))
def test_a_sound_file_with_some_bytes_changed_is_survived(data: st.DataObject, name: str) -> None:
    content = bytearray(packed(VALID, name))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
            st.sampled_from(b'\0\n\r",;\xff\xe9A0') | st.integers(0, 255)
        )
    survive(bytes(content), name)


@given(st.integers(0, 100), st.sampled_from(NAMES))
def test_a_sound_file_cut_short_anywhere_is_survived(percent: int, name: str) -> None:
    content = packed(VALID, name)
    survive(content[: len(content) * percent // 100], name)


@given(st.lists(st.one_of(filled, st.just(marked(1)), st.lists(cells, max_size=16)), max_size=12))
def test_every_record_of_a_valid_file_comes_out_exactly_once(rows: list[list[str]]) -> None:
    text = table(rows)
    oracle = list(csv.DictReader(io.StringIO(text, newline="")))
    # A line of blanks alone is a record to the oracle and a blank line to us.
    expected = [record for record in oracle if record["Conversation ID"] is not None or record["Message ID"].strip()]
    elements = survive(text.encode(), "export.csv")
    assert len([e for e in elements if not isinstance(e, RowNotice)]) == len(expected)
    ids = [e.message_id for e in elements if isinstance(e, IncomingMessage)]
    assert set(ids) <= {record["Message ID"].strip() for record in oracle}


@given(st.lists(filled, max_size=12), st.sampled_from([";", "\t", "|"]), st.sampled_from(["utf-8-sig", "utf-16"]))
def test_delimiter_and_encoding_change_nothing(rows: list[list[str]], delimiter: str, encoding: str) -> None:
    plain = survive(table(rows).encode(), "export.csv")
    other = survive(table(rows, delimiter=delimiter).encode(encoding), "export.csv", delimiter=delimiter)
    assert [type(e) for e in plain] == [type(e) for e in other]


@pytest.mark.parametrize("broken", ['"', 'x,"', '","', 'a"b,"c', ',"""', '"x"y', "," * 13 + '"', '"' * 7, "\0"])
def test_a_broken_row_never_hides_the_sound_rows_around_it(broken: str) -> None:
    sound = [",".join(row(number, Content="text")) for number in range(20)]
    text = "\n".join([",".join(HEADER), *sound[:10], broken, *sound[10:]])
    elements = survive(text.encode(), "export.csv")
    assert [e.message_id for e in elements if isinstance(e, IncomingMessage)] == [f"m{number}" for number in range(20)]
    assert [e.line for e in elements if isinstance(e, RowProblem)] == [12]
