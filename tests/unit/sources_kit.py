"""Small exports written to disk and read back through the catalog, for the tests of sources."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from retention.model import IncomingMessage, RowNotice, RowProblem
from retention.sources.catalog import build_source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from retention.sources.interface import Source

Element = IncomingMessage | RowProblem | RowNotice

HEADER = [
    "Message ID",
    "Conversation ID",
    "Medium",
    "Channel",
    "Channel Display Name",
    "Contact Profile ID",
    "Contact Primary Identifier",
    "Contact Secondary Identifier",
    "Created at",
    "Direction",
    "Message Type",
    "Content",
    "Sentiment",
    "Post URL",
]


def hootsuite(folder: Path, **changes: Any) -> Source:  # noqa: ANN401 - whatever build_source takes
    """Make a source with the preset, in London unless told otherwise."""
    settings = {"name": "inbox", "path": folder, "time_zone": "Europe/London", "preset": "hootsuite-inbox", **changes}
    return build_source("csv-export", **settings)


def row(number: int = 1, **changes: str) -> list[str]:
    """Write one row of a message export; changes are given by header with underscores for blanks."""
    values = dict.fromkeys(HEADER, "") | {
        "Message ID": f"m{number}",
        "Conversation ID": f"c{number}",
        "Medium": "twit",
        "Channel": "ons-twitter",
        "Contact Profile ID": f"p{number}",
        "Contact Primary Identifier": "SECRET-handle",
        "Contact Secondary Identifier": "SECRET name",
        "Created at": "2026-01-15 10:20:30",
        "Direction": "inbound",
        "Message Type": "twitter_private_message",
        "Content": 'SECRET "text", of two\nlines',
    }
    values.update({key.replace("_", " "): value for key, value in changes.items()})
    return list(values.values())


def table(rows: Iterable[list[str]], *, header: list[str] | None = None, delimiter: str = ",") -> str:
    """Write a CSV file as text."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(HEADER if header is None else header)
    writer.writerows(rows)
    return text.getvalue()


def read_path(source: Source, path: Path) -> list[Element]:
    """Read one file to its end."""
    return list(source.read(source.open_item(path)))


def read_bytes(folder: Path, content: bytes, name: str = "export.csv", **changes: Any) -> list[Element]:  # noqa: ANN401
    """Write a file and read it through the preset."""
    path = folder / name
    path.write_bytes(content)
    return read_path(hootsuite(folder, **changes), path)


def read_rows(folder: Path, *rows: list[str], **changes: Any) -> list[Element]:  # noqa: ANN401
    """Write rows under the usual header and read them through the preset."""
    return read_bytes(folder, table(rows).encode(), **changes)


def only_message(elements: list[Element]) -> IncomingMessage:
    """Give the one message where there is nothing else."""
    (element,) = elements
    assert isinstance(element, IncomingMessage)
    return element


def only_problem(elements: list[Element]) -> RowProblem:
    """Give the one problem where there is nothing else."""
    (element,) = elements
    assert isinstance(element, RowProblem)
    return element
