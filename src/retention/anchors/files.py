"""An anchor file: every checkpoint appended and synced."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from retention.audit.anchor import append_note
from retention.errors import AnchorError

if TYPE_CHECKING:
    from retention.anchors.interface import Kind, Outgoing
    from retention.audit.memory import AnchorFile


class FileAnchor:
    """Appends to a file, which is never begun anew by itself."""

    kind: Kind = "file"

    def __init__(self, file: AnchorFile) -> None:
        """Remember the file."""
        self.name, self._path, self.required = file
        self.place = str(file.path)

    def inspect(self) -> None:
        """Look whether the file, or the folder that it would be made in, can be written.

        Raises:
            AnchorError: it cannot.

        """
        place = self._path if self._path.exists() else next(one for one in self._path.parents if one.exists())
        if not os.access(place, os.W_OK):
            msg = f"anchor: {self._path} cannot be written by this user; give it write access, or name another place"
            raise AnchorError(msg)

    def publish(self, out: Outgoing) -> bytes:
        """Append the note unless the file ends with it already.

        Raises:
            AnchorError: the file is gone though it took checkpoints before, or cannot be written.

        """
        if out.seen is not None and not self._path.exists():
            msg = f"{self._path}: the anchor is missing, though checkpoints were written to it; put it back"
            raise AnchorError(msg)
        append_note(self._path, out.note)
        return b""
