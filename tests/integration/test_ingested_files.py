"""What becomes of a file once it was read: it goes now, waits until it is due, or waits for a person."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from retention import cycle
from retention.errors import SourceError
from retention.model import from_epoch
from retention.report.work import incomplete
from retention.watcher import Watcher
from tests.integration.work import QUIET, SUMMER, at
from tests.kit import row

if TYPE_CHECKING:
    from pathlib import Path

    from retention.store.imports import ImportResult
    from tests.integration.work import Work

GOOD = row("good-1", "2026-08-01 09:00:00")
BAD = row("", "2026-08-01 09:00:00")
EXPIRED = row("expired-1", "2026-05-01 09:00:00")
KEEP = ("settle_seconds = 0", 'settle_seconds = 0\nafter_ingest = "keep-until-due"')


def disposals(work: Work) -> list[tuple[str, str]]:
    return [(entry["place"], entry["file_digest"]) for entry in work.entries("file_disposed")]


def test_file_is_gone_when_it_was_ingested_and_the_log_says_so(work: Work) -> None:
    result = work.take([GOOD])
    assert work.files() == []
    assert disposals(work) == [("landing", result.file_digest)]
    assert work.dump("kept_file")["kept_file"] == []
    assert not incomplete([result], [])


def test_file_waits_until_the_first_of_its_messages_is_due(work: Work) -> None:
    work.reopen(KEEP)
    result = work.take([row("late", "2026-08-05 09:00:00"), row("early", "2026-07-01 09:00:00")])
    due = from_epoch(at("2026-10-02T00:00:00+01:00"))
    assert work.files() == ["a.csv"]
    assert work.ingest(due - timedelta(seconds=1)) == []
    assert work.files() == ["a.csv"]
    assert disposals(work) == []
    work.purge(due)
    assert work.files() == []
    assert disposals(work) == [("landing", result.file_digest)]
    assert work.ids() == ["late"]


@pytest.mark.parametrize(
    "rows",
    [[GOOD, EXPIRED], [row("comment", "2026-08-01 09:00:00", private=False)], []],
    ids=["with a message past its period", "without a private message", "empty"],
)
def test_file_that_has_nothing_to_wait_for_goes_at_once(work: Work, rows: list[tuple[str, ...]]) -> None:
    work.reopen(KEEP)
    work.take(rows)
    assert work.files() == []
    assert len(disposals(work)) == 1


def test_file_that_waits_is_not_read_again(work: Work) -> None:
    work.reopen(KEEP)
    work.take([GOOD])
    before = work.dump("import", "message", "audit_entry", "finding")
    assert work.ingest() == []
    assert work.dump("import", "message", "audit_entry", "finding") == before


def test_new_export_under_the_name_of_one_that_waits_is_read_and_waits_itself(work: Work) -> None:
    work.reopen(KEEP)
    work.take([row("early", "2026-07-01 09:00:00")])
    assert work.take([row("late", "2026-08-05 09:00:00")]).progress.registered == 1
    work.purge(from_epoch(at("2026-10-02T12:00:00+01:00")))
    assert work.files() == ["a.csv"]
    work.purge(from_epoch(at("2026-11-06T12:00:00+00:00")))
    assert work.files() == []
    assert len(disposals(work)) == 1


def test_unread_export_under_the_name_of_one_that_is_due_is_left_alone(work: Work) -> None:
    work.reopen(KEEP)
    work.take([row("early", "2026-07-01 09:00:00")])
    work.office.drop("a.csv", [row("new", "2026-10-01 09:00:00")])
    now = from_epoch(at("2026-10-02T12:00:00+01:00"))
    work.purge(now)
    assert work.files() == ["a.csv"]
    assert disposals(work) == []
    assert work.ingest(now)[0].progress.registered == 1
    assert work.ids() == ["new"]


def test_file_with_a_rejected_row_waits_in_quarantine_for_its_owner_alone(work: Work) -> None:
    result = work.take([GOOD, BAD])
    assert incomplete([result], [])
    assert work.files() == []
    [waiting] = work.quarantined()
    assert waiting.name == f"{result.file_digest.removeprefix('sha256:')[:12]}-a.csv"
    assert waiting.stat().st_mode & 0o777 == 0o600
    assert waiting.parent.stat().st_mode & 0o777 == 0o700
    assert work.ids() == ["good-1"]
    assert disposals(work) == []


@pytest.mark.parametrize(
    ("rows", "changes", "end"),
    [
        ([BAD], [], "2026-09-10T12:00:00+00:00"),
        ([BAD], [('anchor = "', 'quarantine_period = "P7D"\nanchor = "')], "2026-08-17T12:00:00+00:00"),
        ([BAD, row("early", "2026-05-20 09:00:00")], [], "2026-08-21T00:00:00+01:00"),
        ([BAD, row("late", "2026-08-01 09:00:00")], [], "2026-09-10T12:00:00+00:00"),
        ([BAD, EXPIRED], [], "2026-08-11T12:00:00+00:00"),
        ([BAD, EXPIRED], [("[purge]", '[purge]\ngrace = "P3D"')], "2026-08-13T12:00:00+00:00"),
    ],
    ids=["a month", "as configured", "until its first message is due", "no longer", "one day", "the grace of a run"],
)
def test_file_in_quarantine_goes_by_itself(
    work: Work, rows: list[tuple[str, ...]], changes: list[tuple[str, str]], end: str
) -> None:
    work.reopen(*changes)
    result = work.take(rows)
    work.ingest(from_epoch(at(end) - 1))
    assert len(work.quarantined()) == 1
    work.ingest(from_epoch(at(end)))
    assert work.quarantined() == []
    assert disposals(work) == [("quarantine", result.file_digest)]


def _drop_bytes(work: Work, name: str, content: bytes) -> Path:
    path = work.office.landing / name
    path.write_bytes(content)
    return path


def test_file_without_a_required_column_is_refused_whole(work: Work) -> None:
    _drop_bytes(work, "a.csv", b"Message ID,Conversation ID,Message Type\r\nm-1,c-1,fb private message\r\n")
    [result] = work.ingest()
    assert result.refused is not None
    assert "Created at" in result.refused
    assert incomplete([result], [])
    assert result.progress.rows == 0
    assert work.ids() == []
    [finding] = work.findings()
    assert (finding.kind, finding.file, finding.line, finding.column) == ("refused-file", "a.csv", 1, "Created at")
    assert len(work.quarantined()) == 1
    assert work.kinds()["import_done"] == 0


def test_refused_file_dropped_again_is_refused_again_with_one_finding(work: Work) -> None:
    for _ in range(2):
        _drop_bytes(work, "a.csv", b"Message ID\r\nm-1\r\n")
        [result] = work.ingest()
        assert result.refused is not None
    assert len(work.findings("refused-file")) == 1
    assert len(work.quarantined()) == 1


@pytest.fixture
def shut(work: Work) -> Path:
    """Give a quarantine that nothing can be moved into, and a refused file that waits for it."""
    quarantine = work.context.quarantine
    quarantine.parent.mkdir(parents=True, exist_ok=True)
    quarantine.write_text("not a folder")
    _drop_bytes(work, "a.csv", b"Message ID\r\nm-1\r\n")
    with pytest.raises(SourceError, match=f"a.csv: cannot be moved into quarantine .* check {quarantine}"):
        work.ingest()
    return quarantine


def test_refused_file_stays_where_it_is_until_quarantine_can_be_written(work: Work, shut: Path) -> None:
    assert work.files() == ["a.csv"]
    shut.unlink()
    assert work.ingest() == []
    assert (work.files(), len(work.quarantined())) == ([], 1)


def test_refused_file_that_was_replaced_meanwhile_leaves_its_place_to_the_new_one(work: Work, shut: Path) -> None:
    shut.unlink()
    assert work.take([GOOD]).refused is None
    assert (work.files(), work.quarantined(), work.ids()) == ([], [], ["good-1"])
    assert [place for place, _ in disposals(work)] == ["landing"]


def test_right_export_under_the_name_of_a_refused_one_mends_the_finding(work: Work) -> None:
    _drop_bytes(work, "a.csv", b"Message ID\r\nm-1\r\n")
    work.ingest()
    assert work.take([GOOD]).refused is None
    assert work.findings("refused-file") == []
    assert len(work.findings("refused-file", open_only=False)) == 1


def test_archive_that_breaks_off_keeps_what_was_read_and_waits_for_a_person(work: Work) -> None:
    rows = [row(f"message-{n:05}", "2026-08-01 09:00:00", content=f"{n * n * 7919}") for n in range(4000)]
    path = work.office.drop("a.csv", rows)
    packed = gzip.compress(path.read_bytes(), mtime=0)
    path.unlink()
    _drop_bytes(work, "a.csv.gz", packed[: len(packed) // 2])
    [result] = work.ingest()
    assert result.refused is not None
    assert "damaged or incomplete" in result.refused
    # Whole now, it is read from its beginning, and what is known already is not doubled.
    _drop_bytes(work, "a.csv.gz", packed)
    [result] = work.ingest()
    assert result.progress.rows == 4000
    assert len(set(work.ids())) == len(work.ids()) == 4000
    assert work.findings("refused-file") == []


@pytest.mark.usefixtures("small_imports")
def test_file_that_grows_while_it_is_read_stays_and_is_read_when_it_has_settled(work: Work) -> None:
    path = work.office.drop("a.csv", [row(f"message-{n}", "2026-08-01 09:00:00") for n in range(20)])
    before = path.read_bytes()

    def grow(_read: int) -> None:
        path.write_bytes(before + before.splitlines(keepends=True)[1].replace(b"message-0", b"message-20"))

    [result] = work.ingest(watcher=Watcher(tick=grow))
    assert result.refused is not None
    assert "changed while it was read" in result.refused
    assert work.files() == ["a.csv"]
    assert work.quarantined() == []
    assert len(work.findings("refused-file")) == 1
    [result] = work.ingest()
    assert result.progress.rows == 21
    assert len(work.ids()) == len(set(work.ids())) == 21
    assert work.files() == []
    assert work.findings() == []


def test_import_whose_file_was_not_settled_before_the_process_died_settles_it_later(work: Work) -> None:
    work.reopen(KEEP)
    result = work.take([GOOD])
    work.tell("DELETE FROM kept_file")
    [again] = work.ingest()
    assert again.already_imported
    assert [path for (path,) in work.ask("SELECT path FROM kept_file")] == [str(work.office.landing / "a.csv")]
    work.purge(datetime(2026, 11, 22, tzinfo=UTC))
    assert disposals(work) == [("landing", result.file_digest)]


def test_file_that_somebody_removed_already_is_recorded_as_gone(work: Work) -> None:
    work.reopen(KEEP)
    result = work.take([GOOD])
    (work.office.landing / "a.csv").unlink()
    work.purge(datetime(2026, 11, 22, tzinfo=UTC))
    assert disposals(work) == [("landing", result.file_digest)]


def test_file_that_cannot_be_removed_is_a_finding_until_it_can(work: Work) -> None:
    work.reopen(KEEP)
    work.take([GOOD])
    path = work.office.landing / "a.csv"
    path.unlink()
    path.mkdir()
    now = datetime(2026, 11, 22, tzinfo=UTC)
    work.purge(now)
    [finding] = work.findings("file-not-removed")
    assert finding.file == "a.csv"
    path.rmdir()
    work.purge(now + timedelta(minutes=1))
    assert work.findings("file-not-removed") == []
    assert len(disposals(work)) == 1


def _named(work: Work, path: Path) -> list[ImportResult]:
    return cycle.ingest(work.context, SUMMER, QUIET, (work.context.source(None), [path]))


def test_named_file_that_is_refused_stays_where_its_owner_keeps_it(work: Work, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(b"Message ID\r\nm-1\r\n")
    [result] = _named(work, path)
    assert result.refused is not None
    assert path.exists()
    assert work.quarantined() == []


def test_named_file_with_rejected_rows_is_read_once_more_when_it_was_mended(work: Work, tmp_path: Path) -> None:
    path = work.office.drop("a.csv", [GOOD, BAD, row("good-2", "2026-08-01 09:00:00")]).rename(tmp_path / "mine.csv")
    [result] = _named(work, path)
    assert result.progress.rejected == 1
    assert path.exists()
    [result] = _named(work, path)
    assert (result.progress.duplicates, result.progress.rejected) == (2, 1)
    path.write_bytes(path.read_bytes().replace(b"\r\n,", b"\r\ngood-3,"))
    [result] = _named(work, path)
    assert (result.progress.registered, result.progress.duplicates) == (1, 2)
    assert not path.exists()


def test_named_file_that_is_not_there_is_an_error_that_names_it(work: Work, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing\.csv: cannot be read: No such file"):
        _named(work, tmp_path / "missing.csv")


def test_file_that_is_still_being_written_is_passed_over(work: Work) -> None:
    for name in ("a.csv.part", ".a.csv", "a.csv.tmp", "a.csv~"):
        _drop_bytes(work, name, b"Message ID")
    work.office.drop("b.csv", [GOOD])
    work.reopen(("settle_seconds = 0", "settle_seconds = 3600"))
    assert work.ingest() == []
    assert len(work.files()) == 5
    assert work.findings() == []


def test_file_that_is_no_export_is_left_alone_and_shown_to_a_person(work: Work) -> None:
    _drop_bytes(work, "readme.txt", b"hello")
    (work.office.landing / "folder").mkdir()
    assert work.ingest() == []
    assert work.files() == ["folder", "readme.txt"]
    assert {one.file for one in work.findings("unrecognised-file")} == {"folder", "readme.txt"}
    (work.office.landing / "readme.txt").unlink()
    work.ingest()
    assert {one.file for one in work.findings("unrecognised-file")} == {"folder"}
