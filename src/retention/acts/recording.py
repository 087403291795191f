"""Draw the disposal record of a run, and give it out. What is given out is an entry of the log with its digest."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from retention.acts.remarks import keep_remark
from retention.audit.entry import entry
from retention.errors import LogError, RetentionError
from retention.report.record import Record, ended_run, gather
from retention.upkeep import verify_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from retention.context import Context

RecordFormat = Literal["pdf", "html", "json"]


def draw(context: Context, run_id: int, now: datetime, tick: Callable[[int], None] = lambda _: None) -> Record:
    """Verify the log, then gather the facts of a run.

    Raises:
        UsageError: there is no such run, or none that a record can be drawn of yet.
        LogError: the log does not verify, or does not say what the register says.

    """
    with context.database.read() as connection:
        ended_run(connection, run_id)  # verifying a long log first would only delay the answer
    found = verify_log(context, now, tick)
    if not found.ok:
        msg = f"no record is drawn from a log that does not verify: {found.problems[0]}"
        raise LogError(msg)
    with context.database.read() as connection:
        return gather(connection, context.installation, run_id)


def give_out(context: Context, document: bytes, how: RecordFormat, *, now: datetime, person: str) -> None:
    """Write the entry that a document is given out; ``person`` is who asked, as far as we know."""
    digest = f"sha256:{sha256(document).hexdigest()}"
    with context.database.write() as connection:
        who = keep_remark(connection, person)
        given = entry("exported", now, what=f"disposal-record-{how}", by=who, digest=digest)
        context.log.append(connection, [given])


def write_document(document: bytes, path: Path) -> None:
    """Write a file that appears complete or not at all, readable by its owner only.

    Raises:
        RetentionError: the file cannot be written.

    """
    draft = path.with_name(f".{path.name}.part")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(document)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        msg = f"{path}: the record cannot be written ({error.strerror})"
        raise RetentionError(msg) from None
