"""What every source promises. The rest of the program knows sources only by this file and the catalog.

A source hands over *items* (a file, a page set). An item is read as a stream: each element is one message, one row
problem or one notice, in the order of the item, and reading the same item again gives the same elements, so that an
import which was cut off can go on after the last committed element. Sources read; they never write to the database and
never delete anything.

Where files lie on another machine, a *pickup* fetches them into the landing folder of a source first. What was fetched
and when a file may be removed over there is decided elsewhere; a pickup does as it is told.

A page set is a file too. What an interface lists is not the same when it is asked twice, so a *listing* writes what it
was told, identifiers and times without any text, into the landing folder of the source of the same name, and the source
reads it from there. Which spans of time are to be listed is decided elsewhere; a listing does as it is told. A
*remover* deletes single messages where they came from, and says what became of each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta
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

    @property
    def window(self) -> tuple[datetime | None, datetime | None]:
        """What the item's name says it covers, both ends or neither."""
        return self.window_from, self.window_to


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


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One version of a file on a server: ``modified_at`` is what its clock said, seconds since 1970."""

    name: str
    size: int
    modified_at: int


class Pickup(ABC):
    """A folder on a server, from which files are fetched into the landing folder of the source of the same name.

    ``look``, ``fetch`` and ``remove`` raise PickupError where nothing can be asked of the server, HostKeyError where it
    is not the server that the configuration means. A connection is made when it is needed, and kept. ``settle_seconds``
    is how long a file must be unchanged, ``removes`` whether it may be removed over there once it is imported.
    """

    name: str
    landing: Path
    settle_seconds: float
    removes: bool

    @abstractmethod
    def look(self) -> Iterator[RemoteFile | SkippedFile]:
        """List the files that may be fetched, in no order, and those that must not be."""

    @abstractmethod
    def fetch(self, file: RemoteFile, part: Path, pulse: Callable[[], None]) -> str:
        """Write a file to ``part``, going on where an earlier attempt at the same version was cut off.

        Calls ``pulse`` often; what it raises ends the fetch and leaves the part. Gives the digest (``sha256:`` and 64
        hex digits) of what is on disk, which is durable and has the size that the server says. Raises RemoteFileError
        where the file is gone, is not this version any more or may not be read.
        """

    @abstractmethod
    def remove(self, file: RemoteFile) -> None:
        """Remove this version of a file; a file that is gone already, or is another one by now, is left as it is.

        Raises RemoteFileError where the server refuses.
        """

    @abstractmethod
    def describe(self) -> str:
        """Say in one line where files are fetched, as whom, and which host key is expected."""

    @abstractmethod
    def problems(self) -> list[str]:
        """Say, without connecting, what is missing on this machine."""

    @abstractmethod
    def close(self) -> None:
        """End the connection, where there is one."""


class Window(NamedTuple):
    """A span of time, both ends included (aware, UTC, whole seconds)."""

    start: datetime
    end: datetime


class Listing(ABC):
    """An interface that lists messages by time, page by page, into the landing folder of the source of the same name.

    Its methods raise ApiError where the interface does not give what it was asked for, and NotAuthorizedError where a
    person must act first; the other sources go on. No connection is made before it is needed.
    """

    name: str
    look_back: timedelta
    """How far before now the first listing begins."""
    overlap: timedelta
    """How much of what was listed before is listed again, because messages may have changed their time since."""
    longest: timedelta
    """The longest window that can be asked for."""

    @abstractmethod
    def unfinished(self) -> list[Window]:
        """Give the windows whose listing was cut off, so that they can be fetched to their end."""

    @abstractmethod
    def fetch(self, window: Window, pulse: Callable[[], None]) -> Path:
        """List a window to its end, going on behind the last durable page, and give the finished page set.

        Calls ``pulse`` before every page; what it raises ends the listing and leaves what was listed. Only the name of
        a page set in which nothing is missing says what it covers.
        """


Removal = Literal["deleted", "gone", "refused"]
"""What became of one message: deleted now, not there (any more), or not to be deleted as it is."""


class Remover(ABC):
    """An interface that deletes single messages of the source of the same name; raises like a listing."""

    name: str

    @abstractmethod
    def remove(self, message_id: str) -> Removal:
        """Delete one message for good."""
