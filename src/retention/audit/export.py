"""Export the log: JSON lines that are the leaves themselves, or a CSV with one row a disposal.

Both stream; at most one batch is in memory. In the CSV every cell that a spreadsheet would take for a formula gets an
apostrophe in front. Each entry is compared with the hash that was kept of it before it is given out, and the export
ends at the first that is another one: what was written by then was hashed, what follows is not given out at all.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from retention.audit.soundness import proven_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

DISPOSAL = '{"batch":'
# The fields of a disposal by position: a parser takes three times as long, and there is one for every message.
_FIELDS = re.compile(r',"network":"([^"]*)","pseudonym":"([^"]*)","received_on":"([^"]*)",')
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

COLUMNS = (
    "entry_index",
    "disposed_at",
    "received_on",
    "network",
    "pseudonym",
    "rule",
    "authority",
    "cutoff",
    "run",
    "batch",
    "plan_digest",
    "schedule_digest",
    "origin",
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries to export. ``since`` and ``until`` are ``YYYY-MM-DDTHH:MM:SSZ`` (until is exclusive) or None."""

    since: str | None = None
    until: str | None = None
    run: int | None = None

    def takes(self, entry: dict[str, Any]) -> bool:
        """Tell whether an entry that carries its time belongs to the selection.

        Args:
            entry: a parsed entry other than a disposal; disposals go with the batch that closes them.

        Returns:
            True where its time lies in the range and, where a run was asked for, it belongs to that run.

        """
        at = str(entry.get("at", ""))
        if (self.since is not None and at < self.since) or (self.until is not None and at >= self.until):
            return False
        return self.run is None or entry.get("run") == self.run


@dataclass(frozen=True, slots=True)
class Group:
    """An entry that carries its time, with the disposals before it that it closes: pairs of index and body."""

    index: int
    body: str
    entry: dict[str, Any]
    disposals: list[tuple[int, str]]


def write_jsonl(connection: Connection, selection: Selection, out: IO[str]) -> int:
    """Write the selected entries, one a line, exactly as they were hashed.

    Args:
        connection: a transaction that sees one state of the database.
        selection: which entries.
        out: a text stream with newline translation off.

    Returns:
        The number of lines.

    Raises:
        BrokenLogError: an entry is missing or was changed; those before it were written.

    """
    lines = 0
    for group in _groups(connection, selection):
        for _, body in [*group.disposals, (group.index, group.body)]:
            out.write(body + "\n")
            lines += 1
    return lines


def write_csv(connection: Connection, selection: Selection, out: IO[str], origin: str) -> int:
    """Write one row for each selected disposal, with what its batch says of it.

    Args:
        connection: a transaction that sees one state of the database.
        selection: which disposals.
        out: a text stream with newline translation off.
        origin: the log's origin, which ends every row; that of a drill says DRILL.

    Returns:
        The number of rows, the header not counted.

    Raises:
        BrokenLogError: an entry is missing or was changed; those before it were written, as far as a batch closes them.

    """
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    rows = 0
    for group in _groups(connection, selection):
        if group.entry.get("kind") == "batch":
            writer.writerows(disposal_rows(group, origin))
            rows += len(group.disposals)
    return rows


def disposal_rows(group: Group, origin: str) -> Iterator[list[str]]:
    """Give the cells of each disposal that a batch closes.

    Args:
        group: the batch with its disposals.
        origin: the log's origin.

    Yields:
        One cell for each of COLUMNS, safe for a spreadsheet.

    """
    batch = group.entry
    facts = [
        _guard(batch.get(key, ""))
        for key in ("rule", "authority", "cutoff", "run", "batch", "plan_digest", "schedule_digest")
    ]
    at = _guard(batch.get("at", ""))
    for index, body in group.disposals:
        found = _FIELDS.search(body)
        network, pseudonym, received_on = found.groups() if found else ("", "", "")
        yield [str(index), at, _guard(received_on), _guard(network), _guard(pseudonym), *facts, origin]


def _guard(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _groups(connection: Connection, selection: Selection) -> Iterator[Group]:
    disposals: list[tuple[int, str]] = []
    for index, body in proven_entries(connection):
        if body.startswith(DISPOSAL):
            disposals.append((index, body))
            continue
        entry = parsed(body)
        if selection.takes(entry):
            yield Group(index, body, entry, disposals)
        disposals = []
    if disposals and selection == Selection():  # nothing closes them, so nothing dates them
        yield Group(*disposals[-1], {}, disposals[:-1])


def parsed(body: str) -> dict[str, Any]:
    """Read an entry as far as it can be read.

    Args:
        body: its text.

    Returns:
        Its fields, or none where it is not a JSON object.

    """
    try:
        entry = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}
