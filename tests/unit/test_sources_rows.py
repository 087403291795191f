"""What becomes of single rows: messages, problems that never repeat what a row says, and one notice when in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.errors import FileRefusedError
from retention.model import IncomingMessage, MessageClass, RowNotice, RowProblem
from retention.sources.csv_export import ColumnMatch, CsvFormat
from retention.sources.csv_export.classes import ClassBook
from tests.unit.sources_kit import HEADER, only_message, only_problem, read_bytes, read_rows, row, table

if TYPE_CHECKING:
    from pathlib import Path


def test_a_private_message_is_read_without_its_text_or_names(tmp_path: Path) -> None:
    assert only_message(read_rows(tmp_path, row())) == IncomingMessage(
        line=2,
        message_id="m1",
        conversation_id="c1",
        contact_id="p1",
        received_at=1768472430,
        message_class=MessageClass("inbox", "twit", "ons-twitter", "inbound", "private", "twitter_private_message"),
    )


@pytest.mark.parametrize(
    ("message_type", "visibility"),
    [
        ("fb_private_message", "private"),
        ("Instagram DM", "private"),
        ("PRIVATE_COMMENT", "private"),
        ("fb_comment", "public"),
        ("Facebook Post", "public"),
    ],
)
def test_the_message_type_tells_private_from_public(tmp_path: Path, message_type: str, visibility: str) -> None:
    message = only_message(read_rows(tmp_path, row(Message_Type=message_type)))
    assert message.message_class.visibility == visibility
    assert message.message_class.message_type == message_type.lower()


def test_what_nothing_tells_is_private_and_is_told_once(tmp_path: Path) -> None:
    rows = [row(1), row(2, Message_Type=""), row(3, Message_Type="mention"), row(4, Message_Type="fb_comment")]
    first, notice, *others = read_rows(tmp_path, *rows)
    assert isinstance(notice, RowNotice)
    assert (notice.line, notice.column) == (4, "Message Type")
    messages = [element for element in (first, *others) if isinstance(element, IncomingMessage)]
    assert len(messages) == len(rows) == len(others) + 1
    assert [message.message_class.visibility for message in messages] == ["private", "private", "private", "public"]


def test_with_one_test_only_what_does_not_match_is_public_plainly(tmp_path: Path) -> None:
    when = {"column": "Sentiment", "equals": [" TRUE "]}
    yes, no = read_rows(tmp_path, row(1, Sentiment="True "), row(2, Sentiment=""), private_when=when)
    assert isinstance(yes, IncomingMessage)
    assert isinstance(no, IncomingMessage)
    assert (yes.message_class.visibility, no.message_class.visibility) == ("private", "public")


def test_values_that_rules_match_on_are_trimmed_and_messages_alike_share_them(tmp_path: Path) -> None:
    one, other = read_rows(
        tmp_path,
        row(1, Medium=" Twit ", Direction="INBOUND", Channel=" ons-twitter "),
        row(2, Message_Type="Twitter_Private_Message"),
    )
    assert isinstance(one, IncomingMessage)
    assert isinstance(other, IncomingMessage)
    assert one.message_class is other.message_class


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"Message_ID": ""}, "Message ID", "is empty"),
        ({"Message_ID": " \t "}, "Message ID", "is empty"),
        ({"Message_ID": "SECRET" * 100}, "Message ID", "is longer than 512 characters"),
        ({"Message_ID": "SECRET\0"}, "Message ID", "has control characters"),
        ({"Message_ID": "SECRET\nid"}, "Message ID", "has control characters"),
        ({"Message_ID": "9.24948642789419E+17"}, "Message ID", "spreadsheet rounded"),
        ({"Conversation_ID": "4,5473E+15"}, "Conversation ID", "spreadsheet rounded"),
        ({"Contact_Profile_ID": "SECRET" * 100}, "Contact Profile ID", "is longer than 512 characters"),
        ({"Channel": "SECRET" * 40}, "Channel", "is longer than 200 characters"),
        ({"Message_Type": "private\x85SECRET"}, "Message Type", "has control characters"),
        ({"Created_at": "SECRET"}, "Created at", "is not a date and time"),
        ({"Created_at": "2026-01-15"}, "Created at", "has no time of day"),
    ],
)
def test_an_unfit_row_is_named_by_line_and_column_and_never_repeated(
    tmp_path: Path, changes: dict[str, str], column: str, reason: str
) -> None:
    good, problem, also_good = read_rows(tmp_path, row(1), row(2, **changes), row(3))
    assert isinstance(good, IncomingMessage)
    assert isinstance(also_good, IncomingMessage)
    assert isinstance(problem, RowProblem)
    assert (problem.line, problem.column) == (4, column)
    assert reason in problem.reason
    assert "SECRET" not in problem.reason


def test_identifiers_are_trimmed_and_may_hold_any_visible_character(tmp_path: Path) -> None:
    message = only_message(read_rows(tmp_path, row(1, Message_ID="  añ+💬\u00a0x== ", Conversation_ID=" a b ")))
    assert (message.message_id, message.conversation_id) == ("añ+💬\u00a0x==", "a b")


def test_conversation_and_contact_may_be_empty(tmp_path: Path) -> None:
    message = only_message(read_rows(tmp_path, row(1, Conversation_ID="", Contact_Profile_ID=" ")))
    assert (message.conversation_id, message.contact_id) == ("", "")


def test_rows_of_another_width_are_rejected_and_blank_lines_are_not_rows(tmp_path: Path) -> None:
    text = table([row(1)]) + "\r\n  \r\nm2,c2\r\n" + ",".join(["x"] * 15) + "\r\n"
    _, short, long = read_bytes(tmp_path, text.encode())
    assert short == RowProblem(6, None, "has 2 columns where the header has 14")
    assert long == RowProblem(7, None, "has 15 columns where the header has 14")


def test_a_missing_column_that_is_not_needed_is_empty(tmp_path: Path) -> None:
    text = "message type , CREATED AT,Message ID\nfb_private_message,2026-01-15 10:20,m1\n"
    message = only_message(read_bytes(tmp_path, text.encode()))
    assert message == IncomingMessage(
        2, "m1", "", "", 1768472400, MessageClass("inbox", "", "", "", "private", "fb_private_message")
    )


def test_unknown_columns_are_passed_over(tmp_path: Path) -> None:
    text = table([[*row(1), "SECRET"]], header=[*HEADER, "Customer number"])
    assert only_message(read_bytes(tmp_path, text.encode())).message_id == "m1"


@pytest.mark.parametrize("lacking", ["Message ID", "Created at", "Message Type"])
def test_a_file_that_lacks_a_needed_column_is_refused_whole(tmp_path: Path, lacking: str) -> None:
    header = [name if name != lacking else "SECRET" for name in HEADER]
    with pytest.raises(FileRefusedError) as caught:
        read_bytes(tmp_path, table([row(1)], header=header).encode())
    assert (caught.value.reason, caught.value.line, caught.value.column) == (
        f'lacks the column "{lacking}"',
        1,
        lacking,
    )


def test_a_column_that_the_configuration_names_has_to_be_there(tmp_path: Path) -> None:
    columns = {"message_id": "id", "received_at": "at", "channel": "page", "network": "via"}
    when = {"column": "kind", "equals": "dm"}
    text = "id,at,kind\n1,2026-01-15 10:20,dm\n"
    with pytest.raises(FileRefusedError) as caught:
        read_bytes(tmp_path, text.encode(), preset=None, columns=columns, private_when=when)
    assert caught.value.reason == 'lacks the columns "page", "via"'


def test_a_column_that_tells_what_is_private_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match='lacks the column "kind"'):
        read_rows(tmp_path, row(1), private_when={"column": "kind", "equals": "dm"})


def test_a_needed_column_that_stands_twice_refuses_the_file(tmp_path: Path) -> None:
    header = ["Created at" if name == "Sentiment" else name for name in HEADER]
    with pytest.raises(FileRefusedError, match='has the column "Created at" more than once'):
        read_bytes(tmp_path, table([row(1)], header=header).encode())
    header = ["Content" if name == "Sentiment" else name for name in HEADER]
    assert only_message(read_bytes(tmp_path, table([row(1)], header=header).encode())).message_id == "m1"


def test_a_wrong_delimiter_is_guessed_at_in_the_refusal(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="check delimiter ="):
        read_bytes(tmp_path, table([row(1)], delimiter=";").encode())
    assert only_message(read_bytes(tmp_path, table([row(1)], delimiter=";").encode(), delimiter=";")).line == 2


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b"\xef\xbb\xbf", b" \n,,\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FileRefusedError, match="is empty"):
        read_bytes(tmp_path, content)


def test_a_file_with_a_header_only_has_no_rows(tmp_path: Path) -> None:
    assert read_rows(tmp_path) == []


def test_a_mapping_that_makes_every_row_another_class_is_refused(tmp_path: Path) -> None:
    path_rows = [row(number, Channel=f"SECRET{number}") for number in range(10_001)]
    with pytest.raises(FileRefusedError, match="mapped to a wrong column") as caught:
        read_rows(tmp_path, *path_rows)
    assert caught.value.line == 2 + 2 * 10_000


def test_a_column_of_long_texts_can_tell_what_is_private(tmp_path: Path) -> None:
    when = {"column": "Content", "contains": "[dm]"}
    rows = [row(number, Content=f"tags:\n{'x' * 300}{number} [DM]") for number in range(30)]
    messages = read_rows(tmp_path, *rows, private_when=when)
    assert all(isinstance(m, IncomingMessage) and m.message_class.visibility == "private" for m in messages)
    assert len({id(m.message_class) for m in messages if isinstance(m, IncomingMessage)}) == 1


def test_a_telling_column_with_damaged_bytes_rejects_its_row(tmp_path: Path) -> None:
    text = table([row(1, Sentiment="priv@te")]).encode().replace(b"@", b"\xff")
    problem = only_problem(read_bytes(tmp_path, text, private_when={"column": "Sentiment", "contains": "dm"}))
    assert problem.column == "Sentiment"


def test_the_memory_of_classes_is_bounded_whatever_the_spelling() -> None:
    telling = ColumnMatch("tags", contains=("dm",))
    book = ClassBook("inbox", CsvFormat(columns={}, required=frozenset(), private_when=telling))
    for number in range(45_000):
        book.add(("twit", "page", "inbound", "", f"tag{number}", ""), number)
    assert 1 <= len(book.known) <= 20_000
    long = ("twit", "page", "inbound", "", "x" * 201, "")
    book.add(long, 1)
    assert long not in book.known
