"""The anchor file: every signed checkpoint, appended and synced, best on another disk or mount.

What left the database cannot be taken back by whoever edits the database. Notes follow each other, separated by one
empty line more than a note has inside.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

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
            if file.read().endswith(data):
                return False
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        msg = (
            f"{path}: the checkpoint cannot be written to the anchor ({error.strerror}); check the folder and its owner"
        )
        raise RetentionError(msg) from None
    return True
