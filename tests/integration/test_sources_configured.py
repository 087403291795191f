"""Sources through a real configuration: other packings, other tools, several of them, and one that fails."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from retention.errors import UsageError
from retention.model import MessageClass
from retention.report.work import incomplete
from retention.store import register
from retention.watcher import Watcher
from tests.integration.work import SUMMER, at
from tests.kit import row

if TYPE_CHECKING:
    from retention.sources.interface import SkippedFile
    from tests.integration.work import Work

ROWS = [row(f"message-{n}", "2026-08-01 09:00:00", content="Café 🎉; “hello”\r\nsecond line") for n in range(5)]

SECOND = """
[[source]]
name = "second"
kind = "csv-export"
preset = "hootsuite-inbox"
path = "second"
time_zone = "America/New_York"
settle_seconds = 0
[purge]"""

PRESET = 'preset = "hootsuite-inbox"\npath = "landing"\ntime_zone = "Europe/London"'

ENGAGE = """
columns = { message_id = "id", conversation_id = "thread_id", contact = "author_id", network = "source_type", \
channel = "source_name", direction = "way", received_at = "created_at", message_type = "type" }
private_when = { column = "private", equals = ["true", "1"] }
date_format = "%d/%m/%Y %H:%M"
delimiter = ";"
encoding = "cp1252"
path = "landing"
time_zone = "Europe/Paris"
"""

ENGAGE_FILE = (
    "id;created_at;thread_id;author_id;source_type;source_name;way;type;private;body\r\n"
    '5f1;01/08/2026 10:20;t1;a1;Twitter;Office für Zählung;In;tweet/dm;TRUE;"Grüße; “hello” • 5 €"\r\n'
    "5f2;01/08/2026 10:21;t2;a2;Twitter;Office für Zählung;In;tweet;false;hello\r\n"
    "5f3;2026-08-01 10:22;t2;a2;Twitter;Office für Zählung;In;tweet/dm;1;hello\r\n"
).encode("cp1252")


def _csv(work: Work, rows: list[tuple[str, ...]] | None = None) -> bytes:
    path = work.office.drop("source.csv", ROWS if rows is None else rows)
    content = path.read_bytes()
    path.unlink()
    return content


def _zip(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.csv", content)
        archive.writestr("readme.txt", "hello")
    return packed.getvalue()


@pytest.mark.parametrize(
    "name", ["plain.csv", "packed.csv.gz", "packed.zip", "marked.csv", "wide.csv", "LOUD.CSV", "unix.csv"]
)
def test_export_is_read_however_it_is_packed(work: Work, name: str) -> None:
    content = _csv(work)
    packed = {
        "packed.csv.gz": gzip.compress(content),
        "packed.zip": _zip(one=content),
        "marked.csv": b"\xef\xbb\xbf" + content,
        "wide.csv": content.decode().encode("utf-16"),
        "unix.csv": content.replace(b"\r\n", b"\n"),
    }
    (work.office.landing / name).write_bytes(packed.get(name, content))
    [result] = work.ingest()
    assert result.progress.registered == 5
    assert result.refused is None
    assert work.ids() == [f"message-{n}" for n in range(5)]
    assert [one.kind for one in work.findings()] == (["notice"] if name == "packed.zip" else [])


def test_rows_of_an_archive_are_told_by_the_part_they_stand_in(work: Work) -> None:
    one = _csv(work, [row("message-1", "2026-08-01 09:00:00"), row("", "2026-08-01 09:00:00")])
    two = _csv(work, [row("message-1", "2026-08-01 09:00:00"), row("message-2", "when")])
    (work.office.landing / "both.zip").write_bytes(_zip(one=one, two=two))
    [result] = work.ingest()
    assert (result.progress.registered, result.progress.duplicates, result.progress.rejected) == (1, 1, 2)
    found = [(one.file, one.line, one.column) for one in work.findings("rejected-row")]
    assert found == [("both.zip/one.csv", 3, "Message ID"), ("both.zip/two.csv", 3, "Created at")]


def test_export_of_another_tool_needs_configuration_only(work: Work) -> None:
    work.reopen((PRESET, ENGAGE))
    (work.office.landing / "engage.csv").write_bytes(ENGAGE_FILE)
    [result] = work.ingest()
    counts = result.progress.counts()
    assert (counts["registered"], counts["not_covered"], counts["rejected"]) == (1, 1, 1)
    assert work.ask("SELECT received_at FROM message") == [(at("2026-08-01T10:20:00+02:00"),)]
    with work.context.database.read() as connection:
        [found] = register.classes(connection).values()
    assert found == MessageClass("hootsuite-inbox", "twitter", "Office für Zählung", "in", "private", "tweet/dm")
    [finding] = work.findings("rejected-row")
    assert (finding.line, finding.column) == (4, "created_at")
    assert "date_format" in finding.reason


def test_local_time_that_occurs_twice_means_the_earlier_instant(work: Work) -> None:
    work.take([row("twice", "2026-10-25 01:30:00")], now=SUMMER.replace(month=10, day=26))
    assert work.ask("SELECT received_at FROM message") == [(at("2026-10-25T00:30:00+00:00"),)]


def _two_sources(work: Work) -> None:
    (work.office.folder / "second").mkdir()
    work.reopen(("[purge]", SECOND))


def test_every_source_is_read_in_its_own_zone(work: Work) -> None:
    _two_sources(work)
    work.office.drop("a.csv", [row("second-1", "2026-08-01 09:00:00")]).rename(work.office.folder / "second" / "a.csv")
    work.office.drop("b.csv", [row("first-1", "2026-08-01 09:00:00")])
    assert [(one.source, one.progress.registered) for one in work.ingest()] == [("hootsuite-inbox", 1), ("second", 1)]
    received = dict(work.ask("SELECT message_key, received_at FROM message"))
    assert received == {"1:first-1": at("2026-08-01T09:00:00+01:00"), "2:second-1": at("2026-08-01T09:00:00-04:00")}


def test_same_bytes_in_two_sources_are_two_imports(work: Work) -> None:
    _two_sources(work)
    path = work.office.drop("a.csv", ROWS)
    (work.office.folder / "second" / "a.csv").write_bytes(path.read_bytes())
    assert [one.progress.registered for one in work.ingest()] == [5, 5]


@pytest.mark.parametrize("failing", ["landing", "second"])
def test_source_that_fails_does_not_stop_the_others(work: Work, failing: str) -> None:
    _two_sources(work)
    folder = work.office.folder / failing
    folder.rmdir()
    other = work.office.folder / ("second" if failing == "landing" else "landing")
    work.office.landing.mkdir(exist_ok=True)
    path = work.office.drop("a.csv", ROWS)
    if failing == "landing":
        path.rename(other / "a.csv")
        folder.rmdir()
    skipped: list[tuple[str, SkippedFile]] = []
    [result] = work.ingest(watcher=Watcher(skip=lambda *found: skipped.append(found)))
    assert result.progress.registered == 5
    assert incomplete([result], skipped)
    [finding] = work.findings("source-failed")
    assert finding.source == ("second" if failing == "second" else "hootsuite-inbox")
    assert "does not exist; create it" in finding.reason
    folder.mkdir()
    work.ingest()
    assert work.findings("source-failed") == []


def test_refused_file_does_not_stop_the_files_after_it(work: Work) -> None:
    (work.office.landing / "a.csv").write_bytes(b"Message ID\r\n")
    work.office.drop("b.csv", ROWS)
    refused, taken = work.ingest()
    assert refused.refused is not None
    assert taken.progress.registered == 5


def test_source_of_a_named_file_must_be_said_where_there_are_several(work: Work) -> None:
    _two_sources(work)
    with pytest.raises(UsageError, match="add --source with one of: hootsuite-inbox, second"):
        work.context.source(None)
    with pytest.raises(UsageError, match="no source of this name"):
        work.context.source("third")
    assert work.context.source("second").name == "second"
