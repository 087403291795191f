"""The anchor keeps every checkpoint once, in order, and survives what was left of an interrupted write."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from retention.audit.anchor import append_note
from retention.audit.checkpoint import Checkpoint, open_note, sign
from retention.errors import Exit, RetentionError
from tests.integration_audit.trail import ORIGIN, signer

if TYPE_CHECKING:
    from pathlib import Path

KEY = signer()


def note(size: int) -> str:
    return sign(Checkpoint(ORIGIN, size, bytes(32)), KEY)


def read(anchor: Path) -> str:
    return anchor.read_text(encoding="utf-8", errors="replace")


def notes_in(anchor: Path) -> list[str]:
    """Read the notes the way this file is described: paragraphs of signature lines and the paragraph before each."""
    paragraphs = [part.strip("\n") for part in read(anchor).split("\n\n") if part.strip("\n")]
    return [
        f"{text}\n\n{signatures}\n"
        for text, signatures in pairwise(paragraphs)
        if signatures.startswith("\u2014 ") and not text.startswith("\u2014 ")
    ]


def test_notes_stand_in_the_order_in_which_they_were_signed(tmp_path: Path) -> None:
    anchor = tmp_path / "other disk" / "checkpoints.log"
    for size in (1, 7, 700):
        assert append_note(anchor, note(size))
    assert anchor.read_text(encoding="utf-8") == "".join(note(size) + "\n" for size in (1, 7, 700))
    assert [open_note(each, [KEY.verifier]).size for each in notes_in(anchor)] == [1, 7, 700]


def test_note_that_stands_there_already_is_not_written_again(tmp_path: Path) -> None:
    anchor = tmp_path / "checkpoints.log"
    assert [append_note(anchor, note(size)) for size in (1, 1, 7, 7)] == [True, False, True, False]
    assert notes_in(anchor) == [note(1), note(7)]


def test_long_anchor_is_not_read_from_its_beginning(tmp_path: Path) -> None:
    anchor = tmp_path / "checkpoints.log"
    anchor.write_text((note(1) + "\n") * 1000, encoding="utf-8")
    assert append_note(anchor, note(7))
    assert not append_note(anchor, note(7))
    assert notes_in(anchor) == [*[note(1)] * 1000, note(7)]


def test_note_after_one_that_was_cut_off_anywhere_can_be_read(tmp_path: Path) -> None:
    for left in range(1, len(note(7).encode()) + 1):
        anchor = tmp_path / f"checkpoints-{left}.log"
        append_note(anchor, note(1))
        with anchor.open("ab") as file:
            file.write(note(7).encode()[:left])
        assert append_note(anchor, note(9))
        whole = notes_in(anchor)
        assert (whole[0], whole[-1]) == (note(1), note(9))


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to("/dev/full")])
def test_anchor_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path, make: object) -> None:
    anchor = tmp_path / "checkpoints.log"
    assert callable(make)
    make(anchor)
    with pytest.raises(RetentionError, match=r"checkpoints\.log: the checkpoint cannot be written") as caught:
        append_note(anchor, note(1))
    assert caught.value.exit_code is Exit.FAILED


def test_folder_in_place_of_which_a_file_stands_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("", encoding="utf-8")
    with pytest.raises(RetentionError, match="cannot be written to the anchor"):
        append_note(tmp_path / "folder" / "checkpoints.log", note(1))


def test_note_is_on_the_disk_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append((tmp_path / "checkpoints.log").read_bytes())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    append_note(tmp_path / "checkpoints.log", note(1))
    assert synced == [(note(1) + "\n").encode()] * 2  # the file, then its name in the folder
