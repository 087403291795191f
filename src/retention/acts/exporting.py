"""Take an export of the audit log. Every export is itself an entry, written before the first line is given out."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Literal

from retention.acts.remarks import keep_remark
from retention.audit.entry import entry
from retention.audit.export import Selection, write_csv, write_jsonl
from retention.errors import RetentionError, UsageError
from retention.upkeep import sound_log

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from retention.context import Context

ExportFormat = Literal["jsonl", "csv"]


def export_log(
    context: Context, selection: Selection, how: ExportFormat, out: IO[str], *, now: datetime, person: str
) -> int:
    """Write an export to a stream; give the number of lines or rows. ``person`` is who asked, as far as we know.

    Raises:
        BrokenLogError: the log does not verify; what was written before the first bad entry is what was hashed.

    """
    with sound_log(context, now):
        with context.database.write() as connection:
            who = keep_remark(connection, person)
            context.log.append(connection, [entry("exported", now, what=f"audit-log-{how}", by=who)])
        with context.database.read() as connection:
            if how == "csv":
                return write_csv(connection, selection, out, context.installation.origin)
            return write_jsonl(connection, selection, out)


def export_to_file(
    context: Context,
    selection: Selection,
    how: ExportFormat,
    path: Path,
    *,
    now: datetime,
    person: str,
    replace: bool = False,
) -> int:
    """Write an export to a file that appears complete or not at all, readable by its owner only.

    Raises:
        UsageError: something of that name is there, and nobody said that it may be replaced.
        RetentionError: the file cannot be written.
        BrokenLogError: the log does not verify.

    """
    if not replace and os.path.lexists(path):
        msg = f"{path}: is there already; name another file, or replace it with --force"
        raise UsageError(msg)
    draft = path.with_name(f".{path.name}.part")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            rows = export_log(context, selection, how, out, now=now, person=person)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    except RetentionError:
        draft.unlink(missing_ok=True)
        raise
    except OSError as error:
        draft.unlink(missing_ok=True)
        msg = f"{path}: the export cannot be written ({error.strerror})"
        raise RetentionError(msg) from None
    return rows
