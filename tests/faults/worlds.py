"""Copies of one prepared office, database included, as it stands before any part of the job.

Each disturbed part gets a fresh copy and does nothing that was done well before it. A copy lies always in the same
place, because the register keeps the paths of files.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from tests.faults.job import PARTS, Part, prepared, take_part
from tests.kit import Office
from tests.postgres import KeptRows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


class World(Protocol):
    """Gives copies of one office, one at a time."""

    def copy(self, part: Part = "ingest") -> AbstractContextManager[Office]:
        """Lend a copy in which everything before this part was done and nobody disturbed it."""


class SqliteWorld:
    """An office whose database is a file among its others."""

    def __init__(self, folder: Path) -> None:
        """Set the office up, and keep it before each part."""
        self._folder = folder
        office = prepared(folder / "office", f"sqlite:///{folder / 'office' / 'register.db'}")
        self._url = office.url
        for part in PARTS:
            shutil.copytree(office.folder, folder / part)
            take_part(office, part)

    @contextmanager
    def copy(self, part: Part = "ingest") -> Iterator[Office]:
        """Lend a copy."""
        yield _put_back(self._folder, part, self._url)


class PostgresWorld:
    """An office in a database of a server; its rows are put back, because making a database costs more."""

    def __init__(self, folder: Path, url: str) -> None:
        """Set the office up in an empty database, and keep it before each part."""
        self._folder = folder
        self._rows: dict[Part, KeptRows] = {}
        office = prepared(folder / "office", url)
        for part in PARTS:
            shutil.copytree(office.folder, folder / part)
            self._rows[part] = KeptRows(url, f"before_{part}")
            take_part(office, part)

    @contextmanager
    def copy(self, part: Part = "ingest") -> Iterator[Office]:
        """Put the database back to what it was before a part, and lend it with a copy of the folder."""
        rows = self._rows[part]
        assert rows.put_back()
        yield _put_back(self._folder, part, rows.url)


def _put_back(folder: Path, part: Part, url: str) -> Office:
    shutil.rmtree(folder / "office")
    shutil.copytree(folder / part, folder / "office")
    return Office(folder / "office", url)
