"""Bytes of a file or of a part of an archive, with the errors of the libraries behind them wrapped."""

from __future__ import annotations

import io
import zlib
from typing import Protocol
from zipfile import BadZipFile

from retention.errors import FileRefusedError

MAX_UNFINISHED = 32 * 1024 * 1024
"""Bytes that may be read while no record ends. More means that the file is no export, or is made to fill the memory."""

_HEAD_BYTES = 4


class Readable(Protocol):
    """What gives bytes: an open file, or a part of an archive that is being unpacked."""

    def read(self, size: int, /) -> bytes:
        """Read up to ``size`` bytes; nothing means the end."""
        ...


class GuardedBytes(io.BufferedIOBase):
    """A stream of bytes that raises FileRefusedError where it is damaged or where records do not end."""

    name = ""  # asked for by the layer that decodes

    def __init__(self, stream: Readable) -> None:
        """Read the first bytes already, because they may tell the encoding."""
        self._stream = stream
        self._unfinished = 0
        self.head = self._take(_HEAD_BYTES)
        self._pending = self.head

    def readable(self) -> bool:
        """Say yes: this is for reading only."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to ``size`` bytes, or a portion where it is negative; nothing means the end."""
        if self._pending:
            head, self._pending = self._pending, b""
            return head
        return self._take(size if size is not None and size > 0 else io.DEFAULT_BUFFER_SIZE)

    def read1(self, size: int = -1, /) -> bytes:
        """Read as ``read`` does; the layer that decodes asks by this name."""
        return self.read(size)

    def mark_finished(self) -> None:
        """Note that the records so far have ended, so that the count of unfinished bytes begins again."""
        self._unfinished = 0

    def _take(self, size: int) -> bytes:
        try:
            portion = self._stream.read(size)
        except (BadZipFile, zlib.error, EOFError):
            reason = "is damaged or incomplete: the rest of the archive cannot be unpacked"
            raise FileRefusedError(reason) from None
        except OSError as error:
            # The gzip reader raises it without a number where the archive is at fault and not the disk.
            reason = error.strerror or "the rest of the archive cannot be unpacked"
            reason = f"is damaged or cannot be read: {reason}"
            raise FileRefusedError(reason) from None
        self._unfinished += len(portion)
        if self._unfinished > MAX_UNFINISHED:
            reason = (
                f"has a record of more than {MAX_UNFINISHED // 1024 // 1024} MiB, so it is not an export of messages"
            )
            raise FileRefusedError(reason)
        return portion
