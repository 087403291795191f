"""What an anchor file remembers of a log, and what it makes of the log that is in the database."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from retention.audit import rotation
from retention.audit.anchor import append_note, read_notes
from retention.audit.checkpoint import Checkpoint, sign, vkey
from retention.audit.entry import entry
from retention.audit.epoch import Epoch, epoch_of
from retention.audit.memory import AnchorFile, remember
from retention.errors import AnchorError, LogError, RestoredError
from tests.bundle_kit import NOW, ORIGIN, Log, heartbeat, signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retention.audit.checkpoint import Signer

LATER = f"{ORIGIN}/epoch-2"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log.found(tmp_path / "log.db")
    yield made
    made.database.close()


def grown(log: Log, *sizes: int) -> list[str]:
    """Let the log grow to each size and give the checkpoint there."""
    return [log.append(*(heartbeat(n) for n in range(log.size, size))).sign().note for size in sizes]


def compared(log: Log, *files: AnchorFile, origin: str = ORIGIN, keys: tuple[Signer, ...] = (signer(),)) -> list[str]:
    memory = remember(files, origin, [key.verifier for key in keys])
    with log.database.read() as connection:
        return memory.compare(connection)


def anchor_of(path: Path, *notes: str) -> AnchorFile:
    for note in notes:
        append_note(path, note)
    return AnchorFile("file", path, required=True)


@pytest.mark.parametrize("number", [1, 2, 9, 10, 999_999_999])
def test_origin_of_an_epoch_is_read_back(number: int) -> None:
    assert epoch_of(Epoch(ORIGIN, number).origin) == (ORIGIN, number)


@pytest.mark.parametrize("ending", ["/epoch-1", "/epoch-0", "/epoch-02", "/epoch-x", "/epoch-", "-epoch-2"])
def test_what_is_not_spelled_like_a_later_epoch_is_a_log_of_its_own(ending: str) -> None:
    assert epoch_of(ORIGIN + ending) == (ORIGIN + ending, 1)


def test_log_goes_on_from_every_size_that_was_anchored(log: Log, tmp_path: Path) -> None:
    notes = grown(log, 2, 3, 7, 8, 255, 256, 257, 700)
    for place, note in enumerate(notes):
        assert compared(log, anchor_of(tmp_path / str(place), note)) == []
    assert compared(log, anchor_of(tmp_path / "all", *notes)) == []


def test_newest_counts_wherever_it_stands_in_the_file(log: Log, tmp_path: Path) -> None:
    notes = grown(log, 10, 20)
    ahead = sign(Checkpoint(ORIGIN, 30, bytes(32)), signer())
    with pytest.raises(RestoredError, match=r"has 20 entries.*with 30"):
        compared(log, anchor_of(tmp_path / "anchor", ahead, *notes))


def test_another_history_of_the_same_or_a_smaller_size_is_refused(log: Log, tmp_path: Path) -> None:
    grown(log, 300)
    for size in (1, 255, 256, 300):
        other = sign(Checkpoint(ORIGIN, size, bytes(32)), signer())
        with pytest.raises(RestoredError, match="does not go on from its anchor"):
            compared(log, anchor_of(tmp_path / str(size), other))


def test_checkpoints_of_other_logs_say_nothing(log: Log, tmp_path: Path) -> None:
    other = signer(name="retention/another")
    file = anchor_of(tmp_path / "anchor", sign(Checkpoint("retention/another", 900, bytes(32)), other))
    assert compared(log, file, keys=(signer(), other)) == []


def test_later_epoch_is_newer_whatever_its_size(log: Log, tmp_path: Path) -> None:
    later = signer(2, name=LATER)
    notes = [*grown(log, 500), sign(Checkpoint(LATER, 3, bytes(32)), later)]
    file = anchor_of(tmp_path / "anchor", *notes)
    with pytest.raises(RestoredError, match="epoch-2"):
        compared(log, file, keys=(signer(), later))
    newest = remember([file], ORIGIN, [signer().verifier, later.verifier]).newest()
    assert newest is not None
    assert (newest.origin, newest.size) == (LATER, 3)


def test_earlier_epoch_says_nothing_about_a_later_one(log: Log, tmp_path: Path) -> None:
    ahead = sign(Checkpoint(ORIGIN, 900, bytes(32)), signer())
    assert compared(log, anchor_of(tmp_path / "anchor", ahead), origin=LATER) == []
    strange = sign(Checkpoint(ORIGIN, 900, bytes(32)), signer(7))
    assert compared(log, anchor_of(tmp_path / "other", strange), origin=LATER) == []


def test_whole_note_by_a_key_that_is_not_here_stops(log: Log, tmp_path: Path) -> None:
    note = grown(log, 5)[0]
    strange = sign(Checkpoint(ORIGIN, 900, bytes(32)), signer(7))
    with pytest.raises(RestoredError, match="not in the key folder"):
        compared(log, anchor_of(tmp_path / "anchor", note, strange))


def test_older_note_by_a_key_that_is_not_here_says_nothing(log: Log, tmp_path: Path) -> None:
    strange = sign(Checkpoint(ORIGIN, 3, bytes(32)), signer(7))
    assert compared(log, anchor_of(tmp_path / "anchor", strange, *grown(log, 5))) == []


def test_forged_or_torn_notes_are_passed_over(log: Log, tmp_path: Path) -> None:
    note = grown(log, 5)[0]
    file = anchor_of(tmp_path / "anchor", note)
    ahead = sign(Checkpoint(ORIGIN, 900, bytes(32)), signer())
    forged = ahead.replace("\n900\n", "\n901\n")
    twice = ahead.replace("\n900\n", "\n0900\n")
    with file.path.open("ab") as out:
        out.write(f"\n\n{forged}\n\n{twice}\n\n{ahead[:-20]}\n\n".encode() + b"\xff\xfe\n\n")
    assert compared(log, file) == []
    assert [said.size for said, _ in read_notes(file.path, ORIGIN) or []] == [5, 901]


def test_pipe_in_place_of_an_anchor_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "anchor")
    with pytest.raises(AnchorError, match="is a pipe and no file"):
        read_notes(tmp_path / "anchor", ORIGIN)


def test_log_without_an_anchor_is_held_against_nothing(log: Log) -> None:
    assert compared(log) == []
    assert remember([], ORIGIN, []).newest() is None


def test_damaged_log_is_told_apart_from_a_restored_one(log: Log, tmp_path: Path) -> None:
    file = anchor_of(tmp_path / "anchor", *grown(log, 100))
    grown(log, 301)
    log.sql("UPDATE audit_tile SET data = :data", data=bytes(8192))
    with pytest.raises(RestoredError, match="Look with"):
        compared(log, file)
    log.sql("DELETE FROM audit_tile")
    with pytest.raises(LogError, match="missing or too short"):
        compared(log, file)
    log.sql("UPDATE audit_head SET root = :root", root=bytes(32))
    with pytest.raises(LogError, match="damaged"):
        compared(log, file)


def test_anchor_that_is_not_there_stops_only_where_it_had_something(log: Log, tmp_path: Path) -> None:
    file = AnchorFile("file", tmp_path / "anchor", required=True)
    assert compared(log, file) == []
    log.sql("INSERT INTO audit_anchor VALUES ('file', 1, 'file', 0, x'')")
    with pytest.raises(AnchorError, match="missing, though checkpoints were written"):
        compared(log, file)
    assert compared(log, file._replace(required=False)) == []
    file.path.touch()
    [told] = compared(log, file)
    assert "holds no checkpoint of this log" in told


def test_anchor_that_cannot_be_read_stops_only_where_it_is_required(log: Log, tmp_path: Path) -> None:
    file = AnchorFile("file", tmp_path / "anchor", required=True)
    file.path.mkdir()
    with pytest.raises(AnchorError, match="cannot be read"):
        compared(log, file)
    assert compared(log, file._replace(required=False)) == []


def test_new_epoch_may_begin_in_an_empty_anchor(log: Log, tmp_path: Path) -> None:
    log.sql("INSERT INTO audit_anchor VALUES ('file', 1, 'file', 0, x'')")
    key = vkey(signer(2, name=LATER).verifier)
    with log.database.write() as connection:
        first = entry("genesis", NOW, origin=LATER, verifier_key=key, software="retention", drill=True)
        rotation.record_rotation(connection, log.log.append(connection, [first]))
    size = log.size
    assert compared(log, AnchorFile("file", tmp_path / "none", required=True), origin=LATER) == []
    log.sql("INSERT INTO audit_anchor VALUES ('file', :size, 'file', 0, x'')", size=size)
    with pytest.raises(AnchorError, match="missing"):
        compared(log, AnchorFile("file", tmp_path / "none", required=True), origin=LATER)
