"""Copies of one prepared office, database included: each disturbed job gets a fresh one."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from tests.faults.job import prepared
from tests.kit import Office
from tests.postgres import KeptRows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


class World(Protocol):
    """Gives copies of one office that was set up and has not worked yet."""

    def copy(self) -> AbstractContextManager[Office]:
        """Lend a copy."""


class SqliteWorld:
    """An office whose database is a file among its others."""

    def __init__(self, folder: Path) -> None:
        """Set the office up."""
        self._folder = folder
        prepared(folder / "first", _sqlite_url(folder / "first"))

    @contextmanager
    def copy(self) -> Iterator[Office]:
        """Lend a copy and remove it afterwards."""
        folder = self._folder / uuid4().hex
        shutil.copytree(self._folder / "first", folder)
        yield Office(folder, _sqlite_url(folder))
        shutil.rmtree(folder)


class PostgresWorld:
    """An office in a database of a server; one copy is lent at a time, because making a database costs more."""

    def __init__(self, folder: Path, url: str) -> None:
        """Set the office up in an empty database and keep its rows."""
        self._folder = folder
        prepared(folder / "first", url)
        self._rows = KeptRows(url)

    @contextmanager
    def copy(self) -> Iterator[Office]:
        """Put the database back to what it was at first, and lend a copy of the folder, which is removed afterwards."""
        folder = self._folder / uuid4().hex
        shutil.copytree(self._folder / "first", folder)
        assert self._rows.put_back()
        yield Office(folder, self._rows.url)
        shutil.rmtree(folder)


def _sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'register.db'}"
