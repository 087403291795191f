"""A page set: what a listing was told, in a file of lines, each a JSON object.

    {"from": "2026-11-01T00:00:00Z", "to": "2026-11-22T12:00:00Z", "version": 1}
    {"at": "2026-11-02T09:00:00Z", "id": "4138476039", "profile": "115185509", "state": "SENT"}
    {"code": 5000, "error": "0f6e…"}                           what Hootsuite left out, and the id of the error
    {"next": "1793610000000:4138476039:0", "records": 51}      the end of a page, and the cursor behind it
    {"end": 51}                                                the end of the set

The file that is being written is the durable cursor: each page is synced with the line that ends it, so that a process
that is killed goes on behind the last page that is whole. No text and no name is taken over from Hootsuite.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from retention.errors import ApiError
from retention.model import from_epoch, iso
from retention.sources.files.fields import FieldError
from retention.sources.interface import Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO

    from retention.sources.files.times import LocalClock

SUFFIX = ".pages.jsonl"
LONGEST_LINE = 4096
VERSION = 1

_MODE = 0o600
_LONGEST_VALUE = 200
_PART = ".part"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_IN_NAME = "%d%m%Y%H%M%S"
_UNFIT = "?"


def taken_over(message: object) -> dict[str, str]:
    """Take over what is needed of a message as Hootsuite spells it; a value that cannot be used becomes ``?``."""
    fields: dict[str, Any] = message if isinstance(message, dict) else {}
    profile = fields.get("socialProfile")
    told = {
        "id": fields.get("id"),
        "at": fields.get("scheduledSendTime"),
        "state": fields.get("state"),
        "profile": profile.get("id") if isinstance(profile, dict) else None,
    }
    return {name: _usable(value) for name, value in told.items()}


def unfit(record: dict[str, Any]) -> tuple[str, str] | None:
    """Say which field of a message cannot be used and why, or None where it is fit."""
    for name, field in (("id", "id"), ("state", "state"), ("profile", "socialProfile")):
        value = record.get(name)
        if not isinstance(value, str) or not _ID.fullmatch(value):
            return field, "is missing or is not what is published"
    return None


def line_of(record: dict[str, Any]) -> bytes:
    """Spell one line."""
    return json.dumps(record, sort_keys=True).encode("ascii") + b"\n"


class Writer:
    """The page set of one window on its way; made anew, or taken up behind its last whole page."""

    def __init__(self, folder: Path, source: str, window: Window, clock: LocalClock) -> None:
        """Open the file; ``clock`` reads Hootsuite's times."""
        self._folder, self._window = folder, window
        self._seconds = clock.reader()
        self._path = folder / f".{source}-{_spelled(window)}{_PART}"
        self.cursor = ""
        self.finished = False
        self._records, self._complete = 0, True
        self._file = self._opened()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Close the file; what was not put together stays as a part."""
        self._file.close()

    def add(self, messages: list[Any], errors: list[tuple[int, str]], cursor: str | None) -> None:
        """Add one page, durably."""
        lines = []
        for message in messages:
            record = taken_over(message)
            self._complete = self._complete and self._is_fit(record)
            lines.append(line_of(record))
        for code, trace in errors:
            self._complete = False
            lines.append(line_of({"error": trace, "code": code}))
        self._records += len(lines)
        lines.append(line_of({"next": cursor, "records": self._records}))
        self._file.write(b"".join(lines))
        self._sync()
        self.cursor, self.finished = cursor or "", cursor is None

    def forget(self) -> None:
        """Begin the window anew, because Hootsuite does not know the cursor any more."""
        self.cursor, self.finished, self._records, self._complete = "", False, 0, True
        self._file.seek(0)
        self._begin()

    def put_together(self) -> Path:
        """End the file and give it its name, which says what it covers only where nothing is missing."""
        self._file.write(line_of({"end": self._records}))
        self._sync()
        name = _spelled(self._window)
        if self._complete:
            name = "-".join(moment.strftime(_IN_NAME) for moment in self._window)
        else:
            name = f"{name}-incomplete"
        path = self._folder / f"messages-{name}{SUFFIX}"
        self._path.replace(path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return path

    def _opened(self) -> BinaryIO:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        file: BinaryIO = os.fdopen(handle, "r+b")
        self._file = file
        whole = self._take_up()
        file.seek(whole)
        if whole:
            file.truncate()
        else:
            self._begin()
        return file

    def _begin(self) -> None:
        self._file.truncate()
        self._file.write(line_of({"version": VERSION, "from": iso(self._window.start), "to": iso(self._window.end)}))
        self._sync()

    def _take_up(self) -> int:
        """Read what is there, and give the place behind its last whole page, 0 where there is none."""
        whole, complete = 0, True
        for record in lines_in(self._file):
            if "next" in record:
                self.cursor, self.finished = record["next"] or "", record["next"] is None
                self._records, self._complete = record["records"], complete
                whole = self._file.tell()
            elif "error" in record or ("id" in record and not self._is_fit(record)):
                complete = False
        return whole

    def _is_fit(self, record: dict[str, Any]) -> bool:
        if unfit(record) is not None:
            return False
        try:
            self._seconds(record["at"])
        except FieldError:
            return False
        return True

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


def lines_in(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """Read lines up to the first that is not whole or not ours."""
    file.seek(0)
    while (line := file.readline(LONGEST_LINE)).endswith(b"\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(record, dict):
            return
        yield record


def parts_of(folder: Path, source: str) -> list[Window]:
    """Give the windows of the page sets that were begun and not put together, the earliest first."""
    pattern = re.compile(rf"\.{re.escape(source)}-([0-9]+)-([0-9]+){re.escape(_PART)}")
    try:
        found = [match for path in folder.iterdir() if (match := pattern.fullmatch(path.name))]
    except OSError as error:
        msg = f"the landing folder {folder} cannot be listed ({error.strerror})"
        raise ApiError(msg) from None
    windows = []
    for match in found:
        with suppress(ValueError, OverflowError, OSError):
            windows.append(Window(from_epoch(int(match[1])), from_epoch(int(match[2]))))
    return sorted(windows)


def _usable(value: object) -> str:
    short = isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= _LONGEST_VALUE
    return str(value) if short else _UNFIT


def _spelled(window: Window) -> str:
    return "-".join(str(int(moment.timestamp())) for moment in window)
