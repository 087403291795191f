"""What every source promises. The rest of the program knows sources only by this file and the catalog.

A source hands over *items* (a file, a page set). An item is read as a stream: each element is one message, one row
problem or one notice, in the order of the item, and reading the same item again gives the same elements, so that an
import which was cut off can go on after the last committed element. Sources read; they never write to the database and
never delete anything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from retention.model import IncomingMessage, RowNotice, RowProblem


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One thing to import: a stable file, known by the digest of its bytes.

    ``digest`` is ``sha256:`` and 64 hex digits. ``window_from`` and ``window_to`` are what the item's name says it
    covers (aware, UTC), or None where the name says nothing. ``stamp`` identifies the bytes on disk (device, inode,
    size, mtime in ns), so that a file that changes while it is read is noticed.
    """

    path: Path
    name: str
    digest: str
    stamp: tuple[int, int, int, int]
    window_from: datetime | None
    window_to: datetime | None


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file in the landing folder that is not an item: why, and whether a person must look at it."""

    name: str
    reason: str
    needs_attention: bool


class Source(ABC):
    """A place messages come from."""

    name: str

    @property
    def identity(self) -> str:
        """Name the source whose identifiers its messages carry; of one identity, the same identifier is one message."""
        return self.name

    @abstractmethod
    def discover(self, *, at: float) -> Iterator[SourceItem | SkippedFile]:
        """List what can be imported now, in order of name. ``at`` is the machine's clock, seconds since 1970."""

    @abstractmethod
    def open_item(self, path: Path) -> SourceItem:
        """Describe a file that a person named; raises FileRefusedError where it is not a readable regular file."""

    @abstractmethod
    def read(self, item: SourceItem) -> Iterator[IncomingMessage | RowProblem | RowNotice]:
        """Stream the item's records: one message or one problem for each row, and notices between them.

        Raises FileRefusedError before the first record where the whole item is unfit, and later where the rest of it
        cannot be read (damaged archive, file changed meanwhile); records already given stay valid.
        """

    @abstractmethod
    def is_unchanged(self, item: SourceItem) -> bool:
        """Tell whether the bytes on disk are still those that the item's stamp and digest describe."""
