"""SQLite for the measurements: one file in the installation's folder, and the sqlite3 command line beside us."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from benchmarks.databases import SQLITE
from benchmarks.measure import measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from benchmarks.measure import Cost

FILE = "register.db"

# What our own connections are set to, so that a ratio compares work and not caches.
_SAME_TERMS = "PRAGMA cache_size = -16384;\nPRAGMA secure_delete = ON;\nPRAGMA synchronous = FULL;\n"


class Sqlite:
    """SQLite's side of :class:`benchmarks.databases.Kind`."""

    name = SQLITE
    title = "SQLite"

    def __init__(self) -> None:
        """Look for the command line."""
        self._program = shutil.which("sqlite3")
        self.tool = "sqlite3" if self._program else "sqlite3 of Python"

    def url(self, folder: Path) -> str:
        """Give the address of the file."""
        return f"sqlite:///{folder / FILE}"

    def create(self, folder: Path) -> None:
        """Do nothing: setting up makes the file."""

    def duplicate(self, original: Path, copy: Path) -> None:  # noqa: ARG002  # part of the protocol; the folder's copy has the file
        """Bring the copy to the disk, so that its writing is not done during a measurement."""
        handle = os.open(copy / FILE, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self, folder: Path) -> None:
        """Do nothing: the file goes with the folder."""

    def measured(self, command: Sequence[str | Path], *, accepted: Iterable[int] = (0,)) -> tuple[Cost, str]:
        """Run one of our commands and measure it."""
        return measured(command, accepted=accepted)

    def script(self, folder: Path, text: str) -> Cost:
        """Run a script on the file by the command line, or by Python in a process of its own, and measure it."""
        script = folder / "script.sql"
        script.write_text(_SAME_TERMS + text, encoding="utf-8")
        command: Sequence[str | Path] = (sys.executable, "-m", "benchmarks.standin", "sqlite", folder / FILE)
        if self._program:
            command = (self._program, "-batch", "-bail", folder / FILE)
        return measured(command, script=script)[0]
