"""What an interface says is taken over as far as it can be used, page by page, and never believed unread."""

from __future__ import annotations

import json
import tracemalloc
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import stamina

from retention.errors import ApiBusyError, ApiError, FileRefusedError, NotAuthorizedError
from retention.ingest.listing import gaps, pieces
from retention.model import IncomingMessage, RowProblem
from retention.sources.hootsuite_api.account import Account
from retention.sources.hootsuite_api.client import Client
from retention.sources.hootsuite_api.listing import MessageListing
from retention.sources.hootsuite_api.remover import MessageRemover
from retention.sources.hootsuite_api.source import PageSets
from retention.sources.hootsuite_api.wire import Asked, Wire
from retention.sources.interface import Window
from tests import tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(days=28), NOON)
SECRET = "qzsecret"  # noqa: S105  # opens nothing


class Played:
    """Plays one answer after the other, the last one for ever, in place of the network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.asked: list[Asked] = []
        self.answers: list[tuple[int, bytes]] = []
        self.folder = folder / "landing"
        self.folder.mkdir()
        monkeypatch.setenv("RETENTION_POSTS_CLIENT_SECRET", SECRET)
        monkeypatch.setattr(Wire, "_exchange", self._exchange)
        account = Account("posts", "https://api.example", "me", "member_app", folder / "api", member_id="1")
        self.client = Client(account)
        self.listing = MessageListing(self.client, self.folder, look_back=timedelta(days=60))

    def _exchange(self, asked: Asked) -> tuple[int, bytes]:
        if asked.path == "/oauth2/token":
            return 200, b'{"access_token": "a", "token_Type": "bearer", "expires_in": 3599}'
        self.asked.append(asked)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def play(self, *answers: object, status: int = 200) -> None:
        self.answers = [(status, one if isinstance(one, bytes) else json.dumps(one).encode()) for one in answers]

    def fetched(self) -> list[IncomingMessage | RowProblem]:
        path = self.listing.fetch(WINDOW, lambda: None)
        source = PageSets("posts", self.folder)
        return [one for one in source.read(source.open_item(path)) if isinstance(one, IncomingMessage | RowProblem)]


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Played]:
    with stamina.set_testing(True, attempts=2):
        yield Played(monkeypatch, tmp_path)


def message(number: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    at = (WINDOW.start + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
    whole = {"id": str(100 + number), "state": "SENT", "scheduledSendTime": at, "text": SECRET}
    return {**whole, "socialProfile": {"id": "7"}, **changes}


def page(*messages: object, cursor: object = None, **more: object) -> dict[str, object]:
    return {"data": list(messages), "metadata": {"cursor": {"next": cursor, "previous": None}}, **more}


def test_pages_are_followed_to_the_last_and_no_text_is_written_down(played: Played) -> None:
    played.play(page(message(1), message(2), cursor="1:2:0"), page(message(3)))
    assert [one.message_id for one in played.fetched() if isinstance(one, IncomingMessage)] == ["101", "102", "103"]
    assert [asked.query.get("cursor") for asked in played.asked] == [None, "1:2:0"]
    [path] = played.folder.iterdir()
    assert path.name == "messages-25102026120000-22112026120000.pages.jsonl"
    assert SECRET not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_listing_that_was_cut_off_goes_on_behind_its_last_whole_page(played: Played) -> None:
    played.play(page(message(1), cursor="1:1:0"), b"<html>")
    with pytest.raises(ApiBusyError):
        played.fetched()
    [part] = played.folder.iterdir()
    with part.open("ab") as file:
        file.write(b'{"at": "2026-11-01T')  # as a power cut leaves it
    assert played.listing.unfinished() == [WINDOW]
    played.asked.clear()
    played.play(page(message(2)))
    assert len(played.fetched()) == 2
    assert [asked.query["cursor"] for asked in played.asked] == ["1:1:0"]
    assert played.listing.unfinished() == []


@pytest.mark.parametrize("content", [b"", b"\0" * 50, b'{"version": 1}\n{"id": ', b"[]\n"])
def test_a_part_without_a_whole_page_is_begun_anew(played: Played, content: bytes) -> None:
    begin, end = (int(moment.timestamp()) for moment in WINDOW)
    (played.folder / f".posts-{begin}-{end}.part").write_bytes(content)
    played.play(page(message(1)))
    assert len(played.fetched()) == 1


def test_a_cursor_that_is_not_known_any_more_begins_the_window_anew(played: Played) -> None:
    refused = {"errors": [{"code": 3020, "message": SECRET, "id": "trace-1"}]}
    played.play(page(message(1), cursor="1:1:0"), refused, page(message(1), message(2)))
    played.answers[1] = (400, played.answers[1][1])
    assert len(played.fetched()) == 2


@pytest.mark.parametrize("missing", ["id", "state", "scheduledSendTime", "socialProfile"])
@pytest.mark.parametrize("value", [None, f"{SECRET} 1", 7, "x" * 300, "\u00e9"])
def test_a_message_that_cannot_be_used_is_told_by_its_field_and_the_window_stays_open(
    played: Played, missing: str, value: object
) -> None:
    played.play(page(message(1), message(2, **{missing: value}), "no message", message(3)))
    elements = played.fetched()
    assert [type(one) for one in elements] == [IncomingMessage, RowProblem, RowProblem, IncomingMessage]
    assert isinstance(elements[1], RowProblem)
    assert elements[1].column == missing
    assert SECRET not in elements[1].reason
    assert [path.name.endswith("-incomplete.pages.jsonl") for path in played.folder.iterdir()] == [True]


def test_errors_beside_data_are_told_by_code_and_id_only(played: Played) -> None:
    errors = [{"code": 5000, "message": SECRET, "id": "a-1"}, {"code": SECRET, "id": f"{SECRET} x"}, SECRET]
    played.play(page(message(1), errors=errors))
    problems = [one.reason for one in played.fetched() if isinstance(one, RowProblem)]
    assert problems == [
        f"Hootsuite left a message out: {told}"
        for told in ("code 5000, error id a-1", "code 0, error id none", "code 0, error id none")
    ]


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ({"data": {"id": "1"}}, 200, "not a list of messages"),
        ({}, 200, "not a list of messages"),
        ({"data": [], "metadata": {"cursor": {"next": 7}}}, 200, "a cursor that is none"),
        ({"data": [], "metadata": {"cursor": "a" * 2000}}, 200, "a cursor that is none"),
        ({"data": [], "metadata": {"cursor": {"next": "1:1:0"}}}, 200, "the same page again and again"),
        ({"errors": [{"code": 4001, "id": "t"}]}, 404, "404 (code 4001, error id t), which is not a list"),
        ({"errors": [{"code": 4000, "id": "t"}]}, 400, "400 (code 4000, error id t)"),
        ({"errors": [{"code": 4009, "id": "t"}]}, 403, "403 (code 4009, error id t); check what the application"),
        (b"[" * 100_000, 200, "not JSON"),
        (b"[1]", 200, "not JSON"),
        (b"\xff\xfe", 502, "answered with 502"),
        (b"", 301, "sends elsewhere"),
    ],
)
def test_an_answer_that_is_none_ends_the_listing_in_clear_words(
    played: Played, answer: object, status: int, reason: str
) -> None:
    played.play(answer, status=status)
    with pytest.raises(ApiError) as caught:
        played.fetched()
    assert reason in str(caught.value)


def test_a_deletion_is_believed_only_where_hootsuite_itself_says_it(played: Played) -> None:
    remover = MessageRemover(played.client)
    played.play({"data": {}})
    assert remover.remove("1/../2?x") == "deleted"
    assert played.asked[-1].path == "/v1/messages/1%2F..%2F2%3Fx"
    played.play({"errors": [{"code": 4001, "id": "t"}]}, status=404)
    assert remover.remove("1") == "gone"
    played.play({"errors": [{"code": 40003, "id": "t"}]}, status=400)
    assert remover.remove("1") == "refused"
    played.play(b"<html>not found</html>", status=404)
    with pytest.raises(ApiError):
        remover.remove("1")
    played.play({"data": {}, "errors": [{"code": 5000, "id": "t"}]})
    with pytest.raises(ApiError):
        remover.remove("1")


def test_a_token_that_is_refused_twice_is_for_a_person(played: Played) -> None:
    played.play({"errors": [{"code": 1001, "id": "t"}]}, status=401)
    with pytest.raises(NotAuthorizedError, match="401"):
        played.fetched()
    assert len(played.asked) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"version": 2}\n',
        b'{"version": 1}\n',
        b'{"version": 1}\n{"end": 1}\n',
        b'{"version": 1}\n{"end": 0}\n{"end": 0}\n',
        b'{"version": 1}\n{"end": 0}',
        b'{"version": 1}\n[]\n{"end": 0}\n',
        b'{"version": 1}\n' + b"x" * 200_000,
    ],
)
def test_a_file_that_is_no_whole_page_set_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pages.jsonl").write_bytes(content)
    source = PageSets("posts", tmp_path)
    with pytest.raises(FileRefusedError):
        list(source.read(source.open_item(tmp_path / "a.pages.jsonl")))


def test_memory_does_not_grow_with_a_page_set(tmp_path: Path) -> None:
    path = tmp_path / "a.pages.jsonl"
    line = b'{"at": "2026-11-02T09:00:00Z", "id": "4138476039", "profile": "115185509", "state": "SENT"}\n'
    with path.open("wb") as file:
        file.write(b'{"version": 1}\n')
        file.writelines(line for _ in range(30_000))
        file.write(b'{"end": 30000}\n')
    source = PageSets("posts", tmp_path)
    item = source.open_item(path)
    tracing.start()
    deque(source.read(item), maxlen=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracing.stop()
    assert peak < 1_500_000


def day(number: float) -> datetime:
    return NOON + timedelta(days=number)


@pytest.mark.parametrize(
    ("covered", "left"),
    [
        ([], [(0, 60)]),
        ([(0, 60)], []),
        ([(-5, 20), (10, 30)], [(30, 60)]),
        ([(40, 70), (10, 20)], [(0, 10), (20, 40)]),
        ([(10, 40), (15, 20)], [(0, 10), (40, 60)]),
        ([(70, 80)], [(0, 60)]),
    ],
)
def test_what_no_import_covers_is_listed(covered: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    windows = [Window(day(begin), day(end)) for begin, end in covered]
    assert gaps(Window(day(0), day(60)), windows) == [Window(day(begin), day(end)) for begin, end in left]


def test_pieces_share_their_ends_and_none_is_too_long() -> None:
    found = list(pieces(Window(day(0), day(60.5)), timedelta(days=28)))
    assert found == [Window(day(0), day(28)), Window(day(28), day(56)), Window(day(56), day(60.5))]
    assert list(pieces(Window(day(1), day(1)), timedelta(days=28))) == []


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://platform.hootsuite.com", True),
        ("https://platform.hootsuite.com/", True),
        ("http://127.0.0.1:8600", True),
        ("http://[::1]:8600", True),
        ("http://localhost:8600", True),
        ("http://platform.hootsuite.com", False),
        ("http://127.0.0.1.example.org", False),
        ("https://name:word@platform.hootsuite.com", False),
        ("https://platform.hootsuite.com/v1", False),
        ("https://platform.hootsuite.com?x", False),
        ("ftp://platform.hootsuite.com", False),
        ("https://host:99999", False),
        ("platform.hootsuite.com", False),
    ],
)
def test_only_an_address_with_tls_or_this_machine_is_asked(url: str, fits: bool) -> None:  # noqa: FBT001  # by name
    account = Account("posts", url, "me", "member_app", Path(), member_id="1")
    assert [problem.partition(":")[0] for problem in account.problems()] == ([] if fits else ["url"])
