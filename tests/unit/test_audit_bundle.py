"""A bundle holds the whole log in formats that other people defined; a later export adds and takes nothing back."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tarfile
import tracemalloc
from typing import TYPE_CHECKING

import aics_tlog
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.audit.bundle import LINES, TABLE, WARNING_FILE, Bundle, write_bundle
from retention.audit.bundle_tar import open_archive, write_archive
from retention.audit.bundle_verify import verify_exported
from retention.audit.checkpoint import open_note, vkey
from retention.audit.export import COLUMNS, Selection, write_csv, write_jsonl
from retention.audit.handover import verify_bundle
from retention.audit.signing import fingerprint
from retention.errors import BrokenLogError, LogError, UsageError
from tests import tracing
from tests.bundle_kit import ORIGIN, Log, batch, changed, contents_of, copied, files_of, heartbeat, signer
from tests.depth import tries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = signer().verifier


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the database of a log of 301 entries."""
    path = tmp_path_factory.mktemp("made") / "log.db"
    Log.found(path).purge(99, 99, 99).database.close()
    return path


@pytest.fixture
def log(made: Path, tmp_path: Path) -> Iterator[Log]:
    log = Log.copied(made, tmp_path / "log.db")
    yield log
    log.database.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a bundle of 301 entries that was exported twice, so that it has a narrower partial tile beside the wide."""
    folder = tmp_path_factory.mktemp("shared")
    log = Log.found(folder / "log.db").purge(99, 99, 85)
    log.export(folder / "bundle")
    log.purge(13).export(folder / "bundle", prove=[3])
    log.database.close()
    return folder / "bundle"


def problems(path: Path, *since: str) -> list[str]:
    return verify_exported(path, [KEY], since).found.problems


def test_a_bundle_holds_what_its_header_lists(shared: Path) -> None:
    assert sorted(contents_of(shared)) == sorted(
        [
            *(
                "SHA256SUMS",
                "SHA256SUMS.note",
                "VERIFY.md",
                "check_record.sh",
                "checkpoint",
                "deletion-log.csv",
                "entries.jsonl",
            ),
            *("checkpoints/1", "checkpoints/101", "checkpoints/201", "checkpoints/287", "checkpoints/301"),
            *("keys/log.pem", "keys/log.vkey", f"keys/{WARNING_FILE}", "verify_bundle.py"),
            *("proofs/285.json", "proofs/285.tlog-proof", "proofs/3.json", "proofs/3.tlog-proof"),
            *("proofs/299.json", "proofs/299.tlog-proof"),
            *("tile/0/000", "tile/0/001.p/31", "tile/0/001.p/45", "tile/1/000.p/1"),
            *("tile/entries/000", "tile/entries/001.p/31", "tile/entries/001.p/45"),
        ]
    )


def test_a_bundle_verifies_here_and_with_a_verifier_written_elsewhere(shared: Path) -> None:
    verified = verify_exported(shared, [KEY])
    assert (verified.found.problems, verified.found.size, verified.origin) == ([], 301, ORIGIN)
    assert verified.fingerprint == fingerprint(KEY)
    note = aics_tlog.parse_note((shared / "checkpoint").read_bytes())
    checked = aics_tlog.verify_checkpoint(note, aics_tlog.parse_vkey(vkey(KEY)))
    assert checked.ok
    assert checked.root == verified.found.root
    counted = aics_tlog.audit_tiles(aics_tlog.FileSystemTileReader(shared), 301, verified.found.root)
    assert (counted.size, counted.tiles, counted.bundles) == (301, 3, 2)


def test_lines_and_rows_are_those_of_the_plain_exports(log: Log, tmp_path: Path) -> None:
    log.export(tmp_path / "bundle")
    lines, table = io.StringIO(newline=""), io.StringIO(newline="")
    with log.database.read() as connection:
        write_jsonl(connection, Selection(), lines)
        write_csv(connection, Selection(), table, ORIGIN)
    assert (tmp_path / "bundle" / LINES).read_bytes().decode() == lines.getvalue()
    assert (tmp_path / "bundle" / TABLE).read_bytes().decode() == table.getvalue()
    assert verify_bundle.COLUMNS == COLUMNS
    rows = list(csv.DictReader(io.StringIO(table.getvalue())))
    assert len(rows) == 297
    assert rows[0]["authority"] == "'=Privacy notice, section 2"


def test_nothing_personal_stands_in_a_bundle_beside_what_the_log_says(shared: Path) -> None:
    said = (shared / LINES).read_bytes()
    for name, data in contents_of(shared).items():
        if name.endswith(".json"):
            assert data + b"\n" in said


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(6))
@given(counts=st.lists(st.integers(1, 300), min_size=1, max_size=4))
def test_a_bundle_that_grew_is_the_one_that_is_made_at_once(
    counts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("grown")
    log = Log.found(folder / "log.db")
    for count in counts:
        log.purge(count).export(folder / "grown")
        assert problems(folder / "grown") == []
    log.export(folder / "at-once")
    log.database.close()
    grown, fresh = contents_of(folder / "grown"), contents_of(folder / "at-once")
    differing = {name for name in fresh if grown[name] != fresh[name]}
    assert differing <= {"SHA256SUMS", "SHA256SUMS.note"}
    more = {name for name in grown if name not in fresh}
    assert all(name.startswith("proofs/") or ".p/" in name for name in more)


def test_a_later_export_changes_no_file_that_stays_valid(log: Log, tmp_path: Path) -> None:
    log.export(tmp_path / "bundle")
    before = contents_of(tmp_path / "bundle")
    written = log.purge(20, 300).export(tmp_path / "bundle")
    assert (written.since, written.size) == (301, 623)
    after = contents_of(tmp_path / "bundle")
    kept = {name for name in before if after.get(name) == before[name]}
    assert before.keys() - kept == {
        *("SHA256SUMS", "SHA256SUMS.note", "VERIFY.md", "checkpoint", "deletion-log.csv", "entries.jsonl"),
        *("tile/0/001.p/45", "tile/entries/001.p/45"),
    }
    for name in (LINES, TABLE):
        assert after[name].startswith(before[name])
    assert {"tile/0/001", "tile/entries/001"} <= after.keys()


def test_the_same_checkpoint_can_be_exported_again(log: Log, tmp_path: Path) -> None:
    log.export(tmp_path / "bundle")
    before = contents_of(tmp_path / "bundle")
    written = log.export(tmp_path / "bundle")
    assert written.since == written.size
    assert problems(tmp_path / "bundle") == []
    assert before.items() <= contents_of(tmp_path / "bundle").items()


def test_what_a_killed_export_left_is_written_again(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    log.export(folder)
    for name, torn in ((LINES, b'{"half'), (TABLE, b"900,2026\r\n901,20")):
        with (folder / name).open("ab") as file:
            file.write(torn)
    log.purge(300)
    (folder / "tile/0/001").write_bytes(b"half a tile")
    log.export(folder)
    assert problems(folder) == []


def test_an_earlier_row_without_its_end_is_written_again(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    log.export(folder)
    (folder / TABLE).write_bytes((folder / TABLE).read_bytes() + b"302,")
    log.purge(3).export(folder)
    assert problems(folder) == []


def test_a_bundle_that_lost_lines_is_not_added_to(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    log.export(folder)
    (folder / LINES).write_bytes(b"".join((folder / LINES).read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(LogError, match="has lost lines"):
        log.purge(3).export(folder)


def test_many_lines_are_counted_block_by_block(log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retention.audit.bundle._CHUNK", 100)
    log.export(tmp_path / "bundle")
    log.purge(3).export(tmp_path / "bundle")
    assert problems(tmp_path / "bundle") == []


@pytest.mark.parametrize("content", [None, b"not a checkpoint"])
def test_a_folder_with_something_else_in_it_is_left_alone(log: Log, tmp_path: Path, content: bytes | None) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ("letter.txt" if content is None else "checkpoint")).write_bytes(content or b"mine")
    before = contents_of(folder)
    with pytest.raises(UsageError, match="is not empty and holds no bundle"):
        log.export(folder)
    assert contents_of(folder) == before


def test_the_bundle_of_another_log_is_not_added_to(log: Log, tmp_path: Path) -> None:
    log.export(tmp_path / "bundle")
    note = (tmp_path / "bundle/checkpoint").read_text("utf-8")
    (tmp_path / "bundle/checkpoint").write_text(note.replace(ORIGIN, "retention/other"), encoding="utf-8")
    with pytest.raises(UsageError, match="holds the bundle of another log"):
        log.export(tmp_path / "bundle")


def test_a_log_that_was_rewritten_is_not_added_to_its_old_bundle(log: Log, tmp_path: Path) -> None:
    log.export(tmp_path / "bundle")
    log.sql("UPDATE audit_entry SET body = :body WHERE seq = 150", body=heartbeat(9).decode())
    log.rebuild(sign_again=True)
    with pytest.raises(LogError, match="the 301 entries that were exported there are not those"):
        log.purge(3).export(tmp_path / "bundle")


def test_a_log_with_a_gap_is_not_exported(log: Log, tmp_path: Path) -> None:
    log.sql("DELETE FROM audit_entry WHERE seq = 150")
    with pytest.raises(LogError, match="entry 150 is missing"):
        log.export(tmp_path / "bundle")


@pytest.mark.parametrize("index", [-1, 301])
def test_an_entry_that_is_not_there_is_not_proven(log: Log, tmp_path: Path, index: int) -> None:
    with pytest.raises(UsageError, match=f"no entry {index}; it has 301"):
        log.export(tmp_path / "bundle", prove=[index])
    assert not (tmp_path / "bundle").exists()


def test_a_log_without_disposals_is_exported_too(tmp_path: Path) -> None:
    log = Log.found(tmp_path / "log.db").append(heartbeat(1), heartbeat(2)).sign()
    log.export(tmp_path / "bundle")
    log.database.close()
    assert problems(tmp_path / "bundle") == []
    assert (tmp_path / "bundle/proofs/2.json").read_bytes() == heartbeat(2)


def test_a_bundle_ends_before_an_edited_entry_and_has_no_checkpoint(log: Log, tmp_path: Path) -> None:
    log.sql("UPDATE audit_entry SET body = :body WHERE seq = 99", body="no JSON")
    with pytest.raises(BrokenLogError, match="entry 99"):
        log.export(tmp_path / "bundle")
    assert not (tmp_path / "bundle/checkpoint").exists()


def test_disposals_that_nothing_closes_get_no_row_and_are_named(log: Log, tmp_path: Path) -> None:
    log.append(*batch(9, 301, 4)[:-1], heartbeat(1)).append(*batch(10, 306, 2)[:-1]).sign()
    log.export(tmp_path / "bundle")
    found = verify_exported(tmp_path / "bundle", [KEY]).found
    assert found.first_bad_index == 305
    assert found.problems[0] == "entry 305 is not of this log's form, or parts disposals from their batch"


def test_the_anchor_goes_with_the_bundle_where_there_is_one(log: Log, tmp_path: Path) -> None:
    log.export(tmp_path / "without", anchor=tmp_path / "nowhere")
    assert not (tmp_path / "without/anchors").exists()
    (tmp_path / "anchor.log").write_text(log.note, encoding="utf-8")
    log.export(tmp_path / "with", anchor=tmp_path / "anchor.log")
    assert (tmp_path / "with/anchors/checkpoints.log").read_text("utf-8") == log.note
    assert problems(tmp_path / "with") == []


def test_the_key_is_marked_as_not_trusted_and_no_file_says_which_fingerprint_it_must_have(shared: Path) -> None:
    warning = (shared / "keys" / WARNING_FILE).read_text("utf-8")
    assert ORIGIN in warning
    # What stands in a bundle cannot be what the bundle is compared with.
    for text in (warning, (shared / "VERIFY.md").read_text("utf-8")):
        assert fingerprint(KEY) not in text


def test_the_sums_are_what_sha256sum_writes(shared: Path) -> None:
    for line in (shared / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((shared / name).read_bytes()).hexdigest() == digest


def test_no_placeholder_is_left_in_what_people_read(shared: Path) -> None:
    assert re.findall(r"@[A-Z]+@|\{[a-z]+\}", (shared / "VERIFY.md").read_text("utf-8")) == []


def peaks(log: Log, folder: Path) -> tuple[int, int]:
    """Give the bytes that an export into a new folder takes at most, and its verification."""
    tracing.start()
    log.export(folder)
    exported = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    verify_exported(folder, [KEY])
    verified = tracemalloc.get_traced_memory()[1]
    tracing.stop()
    return exported, verified


def test_memory_does_not_grow_with_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retention.audit.stored._PAGE", 512)
    found = []
    for number in (3, 9):
        log = Log.found(tmp_path / f"{number}.db")
        for _ in range(number):
            log.append(*batch(log.size, log.size, 499))
        log.sign()
        # The least of three: a thread that an earlier test left behind may allocate meanwhile, and that is counted too.
        tried = [peaks(log, tmp_path / f"bundle-{number}-{attempt}") for attempt in range(3)]
        found.append([min(some) for some in zip(*tried, strict=True)])
        log.database.close()
    for few, many in zip(*found, strict=True):
        assert many < few + 300_000  # the entries more are at least twice as much


def archived(folder: Path, path: Path) -> Path:
    with path.open("wb") as out:
        write_archive(folder, out)
    return path


def test_a_tar_file_verifies_like_the_folder_in_it(shared: Path, tmp_path: Path) -> None:
    path = archived(shared, tmp_path / "bundle.tar")
    assert verify_exported(path, [KEY]) == verify_exported(shared, [KEY])
    with tarfile.open(path) as archive:
        assert sorted(archive.getnames()) == sorted(contents_of(shared))
        assert {(one.mtime, one.uid, one.mode) for one in archive} == {(0, 0, 0o644)}


def test_the_same_folder_gives_the_same_tar_file(shared: Path, tmp_path: Path) -> None:
    copied(shared, tmp_path / "copy")
    once, again = archived(shared, tmp_path / "1.tar"), archived(tmp_path / "copy", tmp_path / "2.tar")
    assert once.read_bytes() == again.read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(40))
@given(data=st.data())
def test_no_byte_of_a_tar_file_can_be_changed_unseen(
    data: st.DataObject, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = archived(shared, tmp_path_factory.mktemp("tar") / "bundle.tar")
    offset = data.draw(st.integers(0, path.stat().st_size - 1))
    with changed(path, offset, data.draw(st.integers(1, 255))):
        assert problems(path) != []


@pytest.mark.parametrize("part", [slice(0, 512), slice(512, 1024), slice(-10_240, None)], ids=["header", "body", "end"])
def test_every_byte_of_a_block_counts(shared: Path, tmp_path: Path, part: slice) -> None:
    path = archived(shared, tmp_path / "bundle.tar")
    for offset in range(*part.indices(path.stat().st_size))[:: 197 if part.start == -10_240 else 29]:
        with changed(path, offset, 1):
            assert problems(path) != []


def test_a_name_that_stands_twice_in_a_tar_file_is_refused(shared: Path, tmp_path: Path) -> None:
    data = archived(shared, tmp_path / "bundle.tar").read_bytes()
    with tarfile.open(tmp_path / "bundle.tar") as archive:
        first, second = archive.getmembers()[:2]
    length, end = second.offset, first.offset_data + first.size
    assert length > end
    filled = data[:end] + b"x" + data[end + 1 :]
    dated = tarfile.TarInfo("checkpoint")
    dated.mtime = 1
    for spoilt in (data[:length] + data, b"x" * 512 + data, data[:100], dated.tobuf(tarfile.GNU_FORMAT) + data, filled):
        (tmp_path / "spoilt.tar").write_bytes(spoilt)
        with pytest.raises(LogError, match="damaged"), open_archive(tmp_path / "spoilt.tar"):
            pytest.fail("it was taken")


def test_a_bundle_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        verify_exported(tmp_path / "nowhere", [])


def test_a_file_that_is_no_bundle_does_not_verify(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for name in ("empty", "folder"):
        verified = verify_exported(tmp_path / name, [KEY])
        assert verified.found.problems
        assert (verified.origin, verified.fingerprint, verified.found.size) == ("", "", 0)


def test_progress_counts_every_entry_of_an_export_and_of_a_verification(log: Log, tmp_path: Path) -> None:
    written: list[int] = []
    read: list[int] = []
    with log.database.read() as connection:
        bundle = Bundle(open_note(log.note, [KEY]), log.note, signer())
        write_bundle(connection, tmp_path / "bundle", bundle, progress=written.append)
    verify_exported(tmp_path / "bundle", [], progress=read.append)
    assert (sum(written), sum(read)) == (301, 301)
    assert len(files_of(tmp_path / "bundle")) > 10


def test_tokens_of_the_checkpoints_that_a_bundle_has_go_with_it(log: Log, tmp_path: Path) -> None:
    for size in (log.size, log.size + 1):
        log.sql("INSERT INTO audit_anchor VALUES ('a', :size, 'timestamp', 0, x'30')", size=size)
    log.export(tmp_path / "bundle")
    assert [path.name for path in (tmp_path / "bundle/anchors").iterdir()] == [f"{log.size}.tsr"]
