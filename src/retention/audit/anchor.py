"""The anchor file: every signed checkpoint, appended and synced, best on another disk or mount.

What left the database cannot be taken back by whoever edits the database. The file is only ever appended to. Every note
is followed by an empty line, so a note is a paragraph of signature lines, each with an em dash in front, and the
paragraph before it; what a full disk or a power cut left of another one is closed off by empty lines and stays.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from retention.audit import keyfiles
from retention.errors import RetentionError

if TYPE_CHECKING:
    from pathlib import Path

_TAIL = 1 << 16


def append_note(path: Path, note: str) -> bool:
    """Append a signed note unless the file ends with it already, and make it durable.

    Args:
        path: the anchor file; it is made, with its folder, where it is missing.
        note: a C2SP signed note.

    Returns:
        True where the note was written now.

    Raises:
        RetentionError: the file cannot be written.

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
        raise RetentionError(msg) from None
    return True
