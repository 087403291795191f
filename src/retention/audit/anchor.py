"""The anchor file: every signed checkpoint, appended and synced, best on another disk or mount.

What left the database cannot be taken back by whoever edits the database. The file is only ever appended to. Every note
is followed by an empty line, so a note is a paragraph of signature lines, each with an em dash in front, and the
paragraph before it; what a full disk or a power cut left of another one is closed off by empty lines and stays.
What the file remembers is held against the database in memory.py.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from retention.audit import keyfiles
from retention.audit.checkpoint import parse_checkpoint, signatures_of
from retention.errors import AnchorError, LogError

if TYPE_CHECKING:
    from pathlib import Path

    from retention.audit.checkpoint import Checkpoint

_TAIL = 1 << 16


def append_note(path: Path, note: str) -> bool:
    """Append a signed note unless the file ends with it already, and make it durable.

    Args:
        path: the anchor file; it is made, with its folder, where it is missing.
        note: a C2SP signed note.

    Returns:
        True where the note was written now.

    Raises:
        AnchorError: the file cannot be written.

    """
    data = note.encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            file.seek(max(0, file.tell() - _TAIL))
            before = file.read(_TAIL)
            if before.endswith(data):
                return False
            file.write(data if not before or before.endswith(b"\n\n") else b"\n\n" + data)
            file.flush()
            os.fsync(file.fileno())
        keyfiles.sync_folder(path.parent)
    except OSError as error:
        msg = (
            f"{path}: the checkpoint cannot be written to the anchor ({error.strerror}); check the folder and its owner"
        )
        raise AnchorError(msg) from None
    return True


def read_notes(path: Path, family: str) -> list[tuple[Checkpoint, str]] | None:
    """Read every note of one log, whatever its epoch; nothing is verified, and what is torn is passed over.

    Args:
        path: the anchor file.
        family: the origin of the log's first epoch.

    Returns:
        What each note says, and the note, in the order of the file; None where there is no such file.

    Raises:
        AnchorError: the file cannot be read.

    """
    if path.is_fifo():  # to open it would wait for ever for somebody who writes
        msg = f"{path}: the anchor is a pipe and no file; find out who put it there, and put the file back"
        raise AnchorError(msg)
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        msg = f"{path}: the anchor cannot be read ({error.strerror}); check the disk, the file and its owner"
        raise AnchorError(msg) from None
    form = rf"^({re.escape(family)}(?:/epoch-[0-9]+)?\n[0-9]+\n[^\n]+\n)\n((?:\u2014 [^\n]+\n)+)"
    notes = []
    for found in re.finditer(form, text, re.MULTILINE):
        note = f"{found[1]}\n{found[2]}"
        try:
            signatures_of(note)
            notes.append((parse_checkpoint(found[1]), note))
        except LogError:
            continue
    return notes
