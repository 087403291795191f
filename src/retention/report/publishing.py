"""Put what is published where others find it: complete or not at all, readable by everyone."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from retention.errors import RetentionError

_READABLE = 0o644


def publish(page: bytes, path: Path) -> None:
    """Write a page, or figures, into a file beside its place and then into its place.

    Raises:
        RetentionError: the file cannot be written.

    """
    draft = None
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(page)
            os.fchmod(out.fileno(), _READABLE)  # whatever the umask
            out.flush()
            os.fsync(out.fileno())
        Path(draft).replace(path)
    except OSError as error:
        if draft is not None:
            with suppress(OSError):
                Path(draft).unlink(missing_ok=True)
        msg = f"{path}: cannot be written ({error.strerror})"
        raise RetentionError(msg) from None
