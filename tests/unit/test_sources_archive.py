"""Downloads of a network itself: as a file, packed, in part, damaged, or something else altogether."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.errors import FileRefusedError
from retention.model import IncomingMessage, RowNotice, RowProblem
from retention.sources.catalog import ARCHIVES, build_source
from retention.sources.files import bytestream
from tests.unit.sources_kit import Element, read_path

SAMPLES = Path(__file__).parents[1] / "samples"
SECRET = "SECRET"  # noqa: S105 - marks what must never come out in an error
X = (SAMPLES / "direct-messages.js").read_bytes()
GROUP = (SAMPLES / "direct-messages-group.js").read_bytes()
FACEBOOK = (SAMPLES / "facebook-message_1.json").read_bytes()
LINKEDIN = (SAMPLES / "linkedin-messages.csv").read_bytes()
INBOX = "your_facebook_activity/messages/inbox"
FILES = {
    "x-archive": "a.js",
    "facebook-archive": "a.json",
    "instagram-archive": "a.json",
    "linkedin-archive": "a.csv",
}


def read(folder: Path, preset: str, content: bytes, name: str = "", **keys: Any) -> list[Element]:  # noqa: ANN401
    path = folder / (name or FILES[preset])
    path.write_bytes(content)
    return read_path(build_source("archive", name="download", path=folder, preset=preset, **keys), path)


def zipped(folder: Path, preset: str, **parts: bytes) -> list[Element]:
    path = folder / "download.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return read_path(build_source("archive", name="download", path=folder, preset=preset), path)


def messages(elements: list[Element]) -> list[IncomingMessage]:
    return [element for element in elements if isinstance(element, IncomingMessage)]


def thread(*records: Any, **changes: Any) -> bytes:  # noqa: ANN401 - whatever a file can hold
    document = {"messages": list(records), "thread_path": "inbox/somebody_1", **changes}
    return json.dumps({key: value for key, value in document.items() if value is not None}).encode()


def test_a_packed_download_reads_like_its_file(tmp_path: Path) -> None:
    plain = messages(read(tmp_path, "x-archive", X))
    assert messages(read(tmp_path, "x-archive", gzip.compress(X), "a.js.gz")) == plain
    assert messages(zipped(tmp_path, "x-archive", **{"twitter-2026/data/direct-messages.js": X})) == plain


def test_of_a_download_only_the_messages_are_read_and_nothing_else_is_named(tmp_path: Path) -> None:
    other = b'window.YTD.direct_message_headers.part0 = [ {"SECRET": 1} ]'
    parts = {
        "data/account.js": other,
        "data/direct-message-headers.js": other,
        "data/direct-messages-group.js": GROUP,
        "data/direct-messages-part1.js": X.replace(b"part0", b"part1"),
        "data/direct_messages_media/SECRET.jpg": b"SECRET",
    }
    elements = zipped(tmp_path, "x-archive", **parts)
    assert len(messages(elements)) == 4
    assert [(e.member, e.line) for e in elements if isinstance(e, RowProblem)] == [("direct-messages-part1.js", 3)]
    assert not any(isinstance(element, RowNotice) for element in elements)


def test_threads_are_numbered_because_their_folders_are_named_after_people(tmp_path: Path) -> None:
    parts = {f"{INBOX}/{SECRET}{name}_1/message_1.json": FACEBOOK for name in "ab"}
    parts |= {f"{INBOX}/{SECRET}a_1/message_2.json": FACEBOOK, f"{INBOX}/{SECRET}a_1/photos/1.jpg": b"x"}
    found = [
        element.member for element in zipped(tmp_path, "facebook-archive", **parts) if isinstance(element, RowProblem)
    ]
    assert found == ["thread 1/message_1.json", "thread 1/message_2.json", "thread 2/message_1.json"]


def test_a_damaged_thread_is_told_without_the_name_of_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError) as caught:
        zipped(tmp_path, "facebook-archive", **{f"{INBOX}/{SECRET}_1/message_1.json": FACEBOOK[:-40]})
    assert str(caught.value).startswith("thread 1/message_1.json: is not valid JSON")


def test_the_two_networks_of_one_maker_are_told_apart(tmp_path: Path) -> None:
    parts = {f"{INBOX}/a_1/message_1.json": FACEBOOK}
    assert {e.message_class.network for e in messages(zipped(tmp_path, "facebook-archive", **parts))} == {"facebook"}
    with pytest.raises(FileRefusedError, match="of Instagram; the download must be in the format JSON"):
        zipped(tmp_path, "instagram-archive", **parts)


def test_a_thread_that_was_moved_to_another_folder_keeps_its_messages(tmp_path: Path) -> None:
    moved = FACEBOOK.replace(b"inbox/", b"archived_threads/")
    assert messages(read(tmp_path, "facebook-archive", moved)) == messages(read(tmp_path, "facebook-archive", FACEBOOK))


def test_without_an_own_account_nothing_tells_the_direction(tmp_path: Path) -> None:
    found = messages(read(tmp_path, "x-archive", X))
    assert {message.message_class.direction for message in found} == {""}
    assert [message.contact_id for message in found] == ["7001", "8002"]


@pytest.mark.parametrize(
    "own", ["https://www.linkedin.com/in/Statistics-Office/", "Statistics Office", ["a", "@statistics office"]]
)
def test_an_own_account_may_be_spelled_as_people_do(tmp_path: Path, own: str | list[str]) -> None:
    found = messages(read(tmp_path, "linkedin-archive", LINKEDIN, own_account=own))
    assert [message.message_class.direction for message in found] == ["outbound", "inbound", "inbound"]


@pytest.mark.parametrize(
    ("preset", "content", "reason"),
    [
        (
            "x-archive",
            b'window.YTD.tweets.part0 = [ {"SECRET": 1} ]',
            "does not begin as a list of direct messages does",
        ),
        ("x-archive", b"", "does not begin"),
        ("x-archive", b"window.YTD.direct_messages.part0 = ", "is not valid JSON: .* before its first message"),
        ("x-archive", b'window.YTD.direct_messages.part0 = {"a": 1}', "holds no list of conversations"),
        ("x-archive", X + b"SECRET", "is not valid JSON: .* after message 3"),
        ("facebook-archive", b'{"threadName": "SECRET", "messages": []}', "thread_path is missing"),
        ("facebook-archive", b"[" * 100_000, "is nested so deeply"),
        ("facebook-archive", b'{"messages": [' + b"9" * 5000 + b"]}", "is not valid JSON"),
        ("facebook-archive", b"SECRET", "is not valid JSON"),
        ("linkedin-archive", b"SECRET,FROM\n1,2\n", 'lacks the column "CONVERSATION ID"'),
        ("linkedin-archive", b"", "has no header"),
        ("linkedin-archive", b'"SECRET\n', "has a header that is not valid CSV"),
    ],
)
def test_what_is_no_such_download_is_refused(tmp_path: Path, preset: str, content: bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason) as caught:
        read(tmp_path, preset, content)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("preset", ARCHIVES)
def test_an_archive_without_messages_in_it_is_refused(tmp_path: Path, preset: str) -> None:
    with pytest.raises(FileRefusedError, match="holds no "):
        zipped(tmp_path, preset, **{"a.txt": b"x"})
    with pytest.raises(FileRefusedError, match="is not a zip archive"):
        read(tmp_path, preset, b"PK", "a.zip")


def test_an_empty_list_of_conversations_is_a_download_without_messages(tmp_path: Path) -> None:
    assert read(tmp_path, "x-archive", b"window.YTD.direct_messages.part0 = [ ]") == []
    assert read(tmp_path, "facebook-archive", thread()) == []


@pytest.mark.parametrize(
    ("record", "column"),
    [
        ("text", None),
        ([{}], None),
        ({}, "timestamp_ms"),
        ({"timestamp_ms": True}, "timestamp_ms"),
        ({"timestamp_ms": 1.5}, "timestamp_ms"),
        ({"timestamp_ms": -1}, "timestamp_ms"),
        ({"timestamp_ms": 10**15}, "timestamp_ms"),
        ({"timestamp_ms": 1790843710744, "sender_name": "a\tb"}, "sender_name"),
        ({"timestamp_ms": 1790843710744, "sender_name": "a" * 600}, "sender_name"),
    ],
)
def test_an_unfit_message_is_told_by_number_and_key(tmp_path: Path, record: Any, column: str | None) -> None:  # noqa: ANN401
    sound = {"timestamp_ms": 1790843710744, "sender_name": None}
    first, problem, last = read(tmp_path, "facebook-archive", thread(sound, record, sound))
    assert isinstance(first, IncomingMessage)
    assert isinstance(last, IncomingMessage)
    assert isinstance(problem, RowProblem)
    assert (problem.line, problem.column) == (2, column)


def test_a_conversation_without_its_name_does_not_take_that_of_the_one_before(tmp_path: Path) -> None:
    nameless = X.replace(b'"conversationId" : "7001-8003",', b"").replace(
        b'"createdAt" : ""', b'"createdAt" : "2026-10-01T08:40:11Z"'
    )
    problem = read(tmp_path, "x-archive", nameless)[-1]
    assert isinstance(problem, RowProblem)
    assert (problem.line, problem.column) == (3, "conversationId")


def test_a_text_that_never_ends_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytestream, "MAX_UNFINISHED", 1024 * 1024)
    sound = {"timestamp_ms": 1790843710744, "content": "x" * 2000}
    assert len(read(tmp_path, "facebook-archive", thread(*[sound] * 1500))) == 1500
    with pytest.raises(FileRefusedError, match="has a record of more than 1 MiB"):
        read(tmp_path, "facebook-archive", thread({**sound, "content": "x" * 2_000_000}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "item",
                        "messages",
                        "dmConversation",
                        "conversationId",
                        "messageCreate",
                        "id",
                        "senderId",
                        "createdAt",
                    ),
                    *("thread_path", "participants", "name", "sender_name", "timestamp_ms", "joinConversation"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@pytest.mark.parametrize("preset", ["x-archive", "facebook-archive"])
@given(value=json_values)
def test_any_json_ends_in_messages_problems_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, preset: str, value: object
) -> None:
    content = json.dumps(value).encode()
    begun = b"window.YTD.direct_messages.part0 = " if preset == "x-archive" else b""
    told: list[str] = []
    try:
        for element in read(tmp_path_factory.getbasetemp(), preset, begun + content, f"any-{FILES[preset]}"):
            if not isinstance(element, IncomingMessage):
                told += [element.reason, str(element.column)]
    except FileRefusedError as refusal:
        told += [refusal.reason, str(refusal.column)]
    assert SECRET not in " ".join(told)
