"""The public's side: the page, the sentence, and a published notice that is held against what is done."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from retention.errors import RetentionError, UsageError
from retention.notice.fetch import fetch
from retention.notice.reading import LONGEST
from retention.store import lease
from tests.acceptance.desk import ask_office, told
from tests.kit import Office, row
from tests.unit.public_kit import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOTICE = '[notice]\norganisation = "Office for Example Statistics"\nprovider = "Hootsuite"\n'
TWO_MONTHS = REFERENCE.replace("three", "two")


def speaking(office: Office, more: str = "", *changes: tuple[str, str]) -> Office:
    """Give the office a table [notice]."""
    office.configure(("[purge]", f"{NOTICE}{more}\n[purge]"), *changes)
    return office


@pytest.fixture
def desk(sqlite_office: Office) -> Office:
    return speaking(sqlite_office)


def kinds(office: Office) -> list[str]:
    return [one["kind"] for one in told(ask_office, office, "findings", "list")["findings"]]


# The sentence.


@pytest.mark.parametrize(
    ("form", "written"), [("text", REFERENCE), ("markdown", REFERENCE), ("html", f"<p>{REFERENCE}</p>")]
)
def test_the_reference_sentence_is_written_exactly(desk: Office, form: str, written: str) -> None:
    answer = ask_office(desk, "notice", "render", "--format", form)
    assert (answer.code, answer.out) == (0, f"{written}\n")


@pytest.mark.parametrize(
    "command", [("notice", "render"), ("notice", "check", "x.txt"), ("status", "--html", "x.html")]
)
def test_without_a_table_the_configuration_is_what_is_wrong(sqlite_office: Office, command: tuple[str, ...]) -> None:
    answer = ask_office(sqlite_office, *command)
    assert answer.code == 2
    assert "no table [notice]" in answer.err


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('rule = "direct"', "notice.rule: the schedule has no rule of this name"),
        ('rule = ["direct-messages", "x"]', "notice.rule: the schedule has no rule of this name"),
        ('shared = "no"', "notice.shared"),
        ('lang = "de"', "notice.lang"),
        ('url = "ftp://example.org"', "notice.url"),
        ('author = "me"', "notice.author: is not a known key"),
        ('file = "a.html"\npage = "a.html"', "notice.page: is the published notice itself"),
    ],
)
def test_wrong_table_is_refused_by_line_and_key(sqlite_office: Office, line: str, reason: str) -> None:
    answer = ask_office(speaking(sqlite_office, line), "check")
    assert answer.code == 2
    assert reason in answer.err


@pytest.mark.parametrize("place", ["register.db", "register.db-wal", "retention.toml", "var/keys/log.pem", "landing/a"])
def test_page_that_would_take_the_place_of_our_own_files_is_refused(sqlite_office: Office, place: str) -> None:
    found = sqlite_office.folder / place
    answer = ask_office(speaking(sqlite_office, f"page = {json.dumps(str(found))}"), "check")
    assert answer.code == 2
    assert "notice.page: would take the place of the program's own files" in answer.err


# What was published.


def test_notice_that_says_what_is_done_passes(desk: Office) -> None:
    file = desk.folder / "privacy.html"
    file.write_text(f"<h1>Privacy</h1><p>{REFERENCE}</p>", encoding="utf-8")
    answer = ask_office(desk, "notice", "check", str(file))
    assert answer.code == 0, answer.both
    assert "privacy.html: The notice says what is done." in answer.out
    assert '"It will not be shared with any other organisations."' in answer.out
    said = told(ask_office, desk, "notice", "check", str(file))["notices"][0]
    assert [(one["item"], one["state"]) for one in said["items"]] == [
        ("period", "ok"),
        ("provider", "ok"),
        ("sharing", "ok"),
    ]


def test_differing_notice_puts_the_promise_at_risk_until_it_is_mended(sqlite_office: Office) -> None:
    desk = speaking(sqlite_office, 'file = "privacy.txt"')
    file = desk.folder / "privacy.txt"
    file.write_text(TWO_MONTHS, encoding="utf-8")
    answer = ask_office(desk, "notice", "check", str(file))
    assert answer.code == 4
    assert "DIFFERS: the notice says two months; the schedule says three months" in answer.out
    assert ask_office(desk, "notice", "check", str(file)).code == 4
    assert kinds(desk) == ["notice-differs"]
    assert ask_office(desk, "status").code == 4
    reason = told(ask_office, desk, "findings", "list")["findings"][0]["reason"]
    assert reason == "period: the notice says two months; the schedule says three months"
    file.write_text(REFERENCE, encoding="utf-8")
    assert ask_office(desk, "notice", "check", str(file)).code == 0
    assert kinds(desk) == []
    assert ask_office(desk, "status").code == 0


def test_draft_leaves_no_finding(desk: Office) -> None:
    speaking(desk, 'file = "privacy.md"')
    file = desk.folder / "privacy.md"
    assert ask_office(desk, "notice", "check", "--draft").code == 1
    file.write_text(TWO_MONTHS, encoding="utf-8")
    assert ask_office(desk, "notice", "check", "--draft", str(file)).code == 4
    assert ask_office(desk, "notice", "check", "--draft").code == 4
    assert kinds(desk) == []


def test_text_that_the_configuration_does_not_name_is_a_trial_and_leaves_no_finding(sqlite_office: Office) -> None:
    desk = speaking(sqlite_office, 'file = "published.md"')
    published, trial = desk.folder / "published.md", desk.folder / "trial" / "published.md"
    trial.parent.mkdir()
    published.write_text(TWO_MONTHS, encoding="utf-8")
    trial.write_text(TWO_MONTHS, encoding="utf-8")
    answer = ask_office(desk, "notice", "check", str(trial))
    assert (answer.code, "This was a trial: no finding was opened." in answer.out) == (4, True)
    assert ask_office(desk, "notice", "check", str(trial.parent / "missing.md")).code == 1
    assert kinds(desk) == []
    answer = ask_office(desk, "notice", "check", str(trial.parent / ".." / "published.md"))
    assert (answer.code, "trial" in answer.out) == (4, False)
    assert kinds(desk) == ["notice-differs"]
    trial.write_text(REFERENCE, encoding="utf-8")
    assert told(ask_office, desk, "notice", "check", str(trial))["notices"][0]["trial"] is True
    assert kinds(desk) == ["notice-differs"], "what a trial says mends nothing"


def test_what_is_unsure_asks_a_person_once(sqlite_office: Office) -> None:
    desk = speaking(sqlite_office, 'file = "privacy.txt"')
    file = desk.folder / "privacy.txt"
    exception = REFERENCE.replace("organisations.", "organisations, except where the law requires.")
    file.write_text(exception, encoding="utf-8")
    assert ask_office(desk, "notice", "check", str(file)).code == 3
    assert kinds(desk) == ["notice-unsure"]
    assert ask_office(desk, "findings", "resolve", "1", "--reason", "read; the law is the law").code == 0
    assert ask_office(desk, "notice", "check", str(file)).code == 3
    assert kinds(desk) == []
    file.write_text(exception.replace("the law", "a minister"), encoding="utf-8")
    assert ask_office(desk, "notice", "check", str(file)).code == 3
    assert kinds(desk) == ["notice-unsure"]


@pytest.mark.parametrize(
    ("data", "said"), [(None, "No such file"), (b"%PDF-1.7", "is a PDF"), (b"a" * 3_000_000, "longer")]
)
def test_notice_that_cannot_be_read_is_an_error_and_a_finding(
    sqlite_office: Office, data: bytes | None, said: str
) -> None:
    desk = speaking(sqlite_office, 'file = "privacy.pdf"')
    file = desk.folder / "privacy.pdf"
    if data is not None:
        file.write_bytes(data)
    answer = ask_office(desk, "notice", "check", str(file))
    assert answer.code == 1
    assert said in answer.err
    assert kinds(desk) == ["notice-unread"]


def test_every_run_looks_at_the_configured_file(sqlite_office: Office) -> None:
    office = speaking(sqlite_office, 'file = "privacy.html"')
    assert ask_office(office, "run").code == 3  # a person must look at what it found
    assert kinds(office) == ["notice-unread"]
    file = office.folder / "privacy.html"
    file.write_text(f"<p>{TWO_MONTHS}</p>", encoding="utf-8")
    assert ask_office(office, "run").code == 3  # a person must look at what it found
    assert kinds(office) == ["notice-differs"]
    assert ask_office(office, "notice", "check").code == 4
    file.write_text(f"<p>{REFERENCE}</p>", encoding="utf-8")
    assert ask_office(office, "run").code == 0
    assert kinds(office) == []


def test_notice_never_stops_a_run(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office = speaking(sqlite_office, 'file = "privacy.html"')
    (office.folder / "privacy.html").write_text(f"<p>&#{'9' * 5000};</p><p>{REFERENCE}</p>", encoding="utf-8")
    assert ask_office(office, "run").code == 0
    assert kinds(office) == []

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("retention.notice.told.compare_file", fail)
    office.drop("a.csv", [row("m-1", "2026-01-01 09:00:00")])
    answer = ask_office(office, "run")
    assert answer.code == 3, answer.both
    assert "The audit log verifies" in answer.out
    assert kinds(office) == ["notice-unread"]


def test_schedule_that_moves_away_from_the_notice_is_seen(sqlite_office: Office) -> None:
    office = speaking(sqlite_office, 'file = "privacy.txt"')
    (office.folder / "privacy.txt").write_text(REFERENCE, encoding="utf-8")
    assert ask_office(office, "notice", "check").code == 0
    speaking(office, 'file = "privacy.txt"', ('keep = "P3M"', 'keep = "P6M"'))
    assert ask_office(office, "run").code == 3  # a person must look at what it found
    assert kinds(office) == ["notice-differs"]


def test_with_nothing_to_check_the_way_is_told(desk: Office) -> None:
    answer = ask_office(desk, "notice", "check")
    assert answer.code == 2
    assert "[notice] file or url" in answer.err


# By address, from a real server.


class Site:
    """What the server answers next, and what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, b""
        self.headers: dict[str, str] = {"Content-Type": "text/html; charset=utf-8"}
        self.asked: list[str] = []
        self.url = ""


class Dripping(dict[str, str]):
    """Headers that come one by one, slowly."""

    def __init__(self, drip: Callable[[], Iterator[tuple[str, str]]]) -> None:
        super().__init__()
        self.drip = drip


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            self.send_response(site.status)
            with suppress(OSError):  # whoever asked may have had enough
                for name, value in site.headers.drip() if isinstance(site.headers, Dripping) else site.headers.items():
                    self.send_header(name, value)
                    if isinstance(site.headers, Dripping):
                        self.flush_headers()
                self.end_headers()
                self.wfile.write(site.body)

        def log_message(self, *_: object) -> None:
            """Keep stderr clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_address[1]}/privacy"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as served:
        yield served


def test_published_page_is_fetched_from_the_configured_host(sqlite_office: Office, site: Site) -> None:
    office = speaking(sqlite_office, f'url = "{site.url}"')
    site.body = f"<p>{REFERENCE}</p>".encode()
    assert ask_office(office, "notice", "check").code == 0
    site.body = f"<p>{TWO_MONTHS}</p>".encode()
    assert ask_office(office, "notice", "check", f"{site.url}?print=1").code == 4
    assert site.asked == ["/privacy", "/privacy?print=1"]
    site.headers, site.body = {"Content-Type": "text/plain; charset=utf-16-le"}, REFERENCE.encode("utf-16-le")
    assert ask_office(office, "notice", "check").code == 0
    assert kinds(office) == []


def test_run_connects_to_nothing(sqlite_office: Office, site: Site) -> None:
    office = speaking(sqlite_office, f'url = "{site.url}"')
    assert ask_office(office, "run").code == 0
    assert site.asked == []


def test_no_other_host_is_ever_asked(sqlite_office: Office, site: Site) -> None:
    with serving() as other:
        office = speaking(sqlite_office, f'url = "{site.url}"')
        port = other.url.split(":")[2].split("/")[0]
        for address in (other.url, site.url.replace("127.0.0.1", f"user@127.0.0.1:{port}/"), other.url.upper()):
            answer = ask_office(office, "notice", "check", address)
            assert answer.code == 2
            assert "only the host that url in [notice] names" in answer.err
        site.status, site.headers = 302, {"Location": other.url}
        answer = ask_office(office, "notice", "check")
        assert answer.code == 1
        assert "redirects are not followed" in answer.err
        assert other.asked == []
    assert kinds(office) == ["notice-unread"]


def test_address_needs_one_in_the_configuration(desk: Office, site: Site) -> None:
    assert ask_office(desk, "notice", "check", site.url).code == 2
    assert site.asked == []


@pytest.mark.parametrize("status", [204, 404, 500])
def test_answer_that_is_no_page_is_an_error(site: Site, status: int) -> None:
    site.status = status
    with pytest.raises(RetentionError, match=f"HTTP {status}"):
        fetch(site.url, site.url)


def test_what_is_too_long_takes_too_long_or_comes_compressed_is_refused(site: Site) -> None:
    site.body = b"a" * (LONGEST * 2)
    assert LONGEST < len(fetch(site.url, site.url).body) < LONGEST * 2
    with pytest.raises(RetentionError, match="takes too long"):
        fetch(site.url, site.url, seconds=-1)
    site.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(RetentionError, match="compressed"):
        fetch(site.url, site.url)


def test_time_is_limited_for_headers_too(site: Site) -> None:
    enough = threading.Event()

    def drip() -> Iterator[tuple[str, str]]:
        for number in range(100):
            yield f"X-{number}", "slow"
            if enough.wait(0.1):
                return

    site.headers = Dripping(drip)
    try:
        with pytest.raises(RetentionError, match="takes too long"):
            fetch(site.url, site.url, seconds=0.5)
    finally:
        enough.set()


def test_server_that_is_gone_is_an_error_without_a_trace_of_the_library() -> None:
    with serving() as site:
        url = site.url
    with pytest.raises(RetentionError, match=r"cannot be fetched from its url \(ConnectionError\)"):
        fetch(url, url)


@pytest.mark.parametrize(
    "url", ["https://a.example:port/", "file:///etc/passwd", "http://", "https://b.example/", "http://a.example/"]
)
def test_what_is_no_address_of_the_host_is_not_asked(url: str) -> None:
    with pytest.raises(UsageError):
        fetch(url, "https://a.example/privacy")


# The page.


def written(office: Office, code: int) -> str:
    file = office.folder / "public" / "index.html"
    file.parent.mkdir(exist_ok=True)
    assert ask_office(office, "status", "--html", str(file)).code == code
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [one.name for one in file.parent.iterdir()] == ["index.html"]
    return file.read_text(encoding="utf-8")


def test_page_is_written_for_each_state_and_status_keeps_its_codes(desk: Office) -> None:
    page = written(desk, 0)
    assert "The promise is kept" in page
    assert "What needs attention" not in page
    assert "The log that proves our deletions has not yet been checked in full." in page
    assert "Kept since 22 November 2026, the day on which the register was made." in page
    desk.drop("a.csv", [row("m-1", "2026-11-01 09:00:00"), row("m-2", "2026-11-09 09:00:00")])
    assert ask_office(desk, "run").code == 0
    page = written(desk, 0)
    assert "has not yet been checked" not in page
    assert "1 November 2026" in page
    assert "2 February 2027" in page
    assert "DRILL" in page
    speaking(desk, 'file = "n.txt"')
    (desk.folder / "n.txt").write_text(TWO_MONTHS, encoding="utf-8")
    assert ask_office(desk, "notice", "check").code == 4
    page = written(desk, 4)
    assert "The promise is at risk" in page
    assert "Our privacy notice may not say what we do." in page
    desk.now += timedelta(days=75)  # 5 February: the first has been due since the 2nd, the grace of a day is over
    page = written(desk, 5)
    assert "The promise is not kept" in page
    assert "Not kept since 3 February 2027, as far as we know." in page
    assert "Messages are still here that should have been deleted." in page
    for secret in ("retention purge", "findings", "m-1", "contact", str(desk.folder)):
        assert secret not in page


def test_break_is_remembered_when_it_is_over(office: Office) -> None:
    desk = speaking(office)
    desk.drop("a.csv", [row("m-1", "2026-11-01 09:00:00")])
    assert ask_office(desk, "ingest").code == 0
    desk.now += timedelta(days=75)
    assert ask_office(desk, "purge").code == 0
    desk.now += timedelta(days=4)
    page = written(desk, 0)
    assert (
        "Kept since 5 February 2027. Before that it was not kept from 3 February 2027 to 5 February 2027, as far as we "
        "know. Messages were still here that should have been deleted."
    ) in page
    assert "It deleted 1 message." in page


def test_purge_in_time_is_no_break(desk: Office) -> None:
    desk.drop("a.csv", [row("m-1", "2026-11-01 09:00:00")])
    assert ask_office(desk, "ingest").code == 0
    desk.now += timedelta(days=72, hours=11)  # an hour before the grace is over
    assert ask_office(desk, "purge").code == 0
    assert "the day on which the register was made" in written(desk, 0)


def test_resolving_a_finding_does_not_mend_a_log(desk: Office) -> None:
    assert ask_office(desk, "run").code == 0
    with sqlite3.connect(desk.url.partition("///")[2]) as database:
        database.executescript("UPDATE verification SET ok = 0, size = 1, at = at - 86400")
    for command, code in ((("status",), 5), (("check",), 13)):
        assert ask_office(desk, *command).code == code
    page = written(desk, 5)
    assert "Found on 21 November 2026 not to be kept. Since when that was so is not known." in page
    assert "does not pass its own check" in page
    desk.now += timedelta(days=2)
    assert ask_office(desk, "run").code == 0
    page = written(desk, 0)
    assert "Kept since 24 November 2026. Before that it was not kept" in page
    assert "The log that proves our deletions did not pass its own check." in page


def test_page_that_cannot_be_written_leaves_what_was_there(desk: Office, tmp_path: Path) -> None:
    answer = ask_office(desk, "status", "--html", str(tmp_path / "missing" / "index.html"))
    assert answer.code == 1
    assert "cannot be written" in answer.err
    folder = tmp_path / "full"
    (folder / "index.html").mkdir(parents=True)
    assert ask_office(desk, "status", "--html", str(folder / "index.html")).code == 2
    assert [one.name for one in folder.iterdir()] == ["index.html"]


def test_page_is_readable_whatever_the_umask(desk: Office) -> None:
    before = os.umask(0o077)
    try:
        written(desk, 0)
    finally:
        os.umask(before)


def test_run_keeps_the_page_that_the_configuration_names(sqlite_office: Office) -> None:
    desk = speaking(sqlite_office, 'page = "public/index.html"')
    page = desk.folder / "public" / "index.html"
    answer = ask_office(desk, "run")
    assert (answer.code, "The audit log verifies" in answer.out) == (3, True), "a person must look, and all is done"
    assert kinds(desk) == ["page-failed"], "there is no such folder"
    page.parent.mkdir()
    assert ask_office(desk, "run").code == 0
    assert kinds(desk) == []
    assert "The promise is kept" in page.read_text(encoding="utf-8"), "what this very page has mended is not told"
    assert written(desk, 0) == page.read_text(encoding="utf-8")


def test_page_tells_of_a_purge_that_a_belt_stopped(sqlite_office: Office) -> None:
    desk = speaking(sqlite_office, 'page = "index.html"', ("max_share = 1.0", "max_share = 0.01"))
    desk.drop("a.csv", [row("m-1", "2026-11-01 09:00:00"), row("m-2", "2026-11-19 09:00:00")])
    assert ask_office(desk, "ingest").code == 0
    assert not (desk.folder / "index.html").exists()
    desk.now += timedelta(days=72)
    assert ask_office(desk, "run").code == 12
    assert "A safety check stopped a deletion." in (desk.folder / "index.html").read_text(encoding="utf-8")


def test_page_tells_of_a_purge_that_waits_for_people_and_not_of_a_run_that_had_to_wait(sqlite_office: Office) -> None:
    desk = speaking(sqlite_office, 'page = "index.html"', ("max_share = 1.0", "max_share = 1.0\napprovals = 1"))
    desk.drop("a.csv", [row("m-1", "2026-11-01 09:00:00")])
    assert ask_office(desk, "ingest").code == 0
    desk.now += timedelta(days=72)
    context = desk.open()
    held = lease.take(context.database)
    assert ask_office(desk, "run").code == 11
    assert not (desk.folder / "index.html").exists()
    lease.give_back(context.database, held)
    context.database.close()
    assert ask_office(desk, "run").code == 12
    assert "<h1>" in (desk.folder / "index.html").read_text(encoding="utf-8")


def test_page_that_meets_a_surprise_does_not_stop_a_run(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = speaking(sqlite_office, 'page = "index.html"')

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("retention.showing.page_of", fail)
    assert ask_office(desk, "run").code == 3  # a person must look at what it found
    assert kinds(desk) == ["page-failed"]
