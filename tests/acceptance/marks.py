"""Marked values: every value of an input is a text that occurs nowhere else, so that it can be looked for later."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import MetaData, select

from retention.store.engine import open_database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_MARK = re.compile(rb"qz[0-9]{4}xw", re.IGNORECASE)
_HEX = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})(?![0-9a-f])")
_HASHES = ("md5", "sha1", "sha256", "sha512")


@dataclass
class Marks:
    """Hands out marks and remembers of what kind of value each of them is."""

    kinds: dict[str, str] = field(default_factory=dict)
    _hashed: dict[bytes, str] = field(default_factory=dict)

    def new(self, kind: str) -> str:
        """Make a mark for a value of a kind."""
        mark = f"qz{len(self.kinds):04d}xw"
        self.kinds[mark] = kind
        for name in _HASHES:
            digest = hashlib.new(name, mark.encode(), usedforsecurity=False).hexdigest()
            self._hashed[digest.encode()] = f"hash of {kind}"
        return mark

    def of_kind(self, kind: str) -> list[str]:
        """Give the marks of a kind in the order in which they were made."""
        return [mark for mark, found in self.kinds.items() if found == kind]

    def kinds_in(self, data: bytes | str) -> set[str]:
        """Tell of which kinds the marks in some data are: in any case, UTF-8, UTF-16 or a hash in hex."""
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        plain = {self.kinds[found.decode().lower()] for found in _MARK.findall(raw.replace(b"\0", b""))}
        return plain | {self._hashed[found] for found in _HEX.findall(raw) if found in self._hashed}

    def kinds_in_tables(self, url: str) -> set[tuple[str, str]]:
        """Tell which kinds stand in which column of a database: pairs of kind and ``table.column``."""
        return {(kind, column) for column, value in _cells(url) for kind in self.kinds_in(value)}

    def kinds_in_files(self, places: Iterable[Path], *, but: Iterable[Path] = ()) -> set[tuple[str, str]]:
        """Tell which kinds stand in which file, or in its name: pairs of kind and name."""
        passed_over = tuple(but)
        return {
            (kind, path.name)
            for place in places
            for path in sorted(place.rglob("*"))
            if path.is_file() and not any(path.is_relative_to(other) for other in passed_over)
            for kind in self.kinds_in(path.read_bytes()) | self.kinds_in(path.name)
        }


def _cells(url: str) -> Iterator[tuple[str, bytes]]:
    database = open_database(url)
    try:
        with database.read() as connection:
            tables = MetaData()
            tables.reflect(connection)
            for table in tables.sorted_tables:
                for row in connection.execute(select(table)).mappings():
                    for name, value in row.items():
                        yield f"{table.name}.{name}", _as_bytes(value)
    finally:
        database.close()


def _as_bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode("utf-8", "surrogatepass")
