"""The first record of a file: where each column that we need stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from retention.sources.csv_export.format import CsvFormat

PRIVATE_WHEN, PUBLIC_WHEN = "private_when", "public_when"
"""Names of the two columns that tell visibility, beside the fields of the format."""

_ROW = ("message_id", "conversation_id", "contact", "received_at")
_CLASS = ("network", "channel", "direction", "message_type", PRIVATE_WHEN, PUBLIC_WHEN)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the needed columns stand in a row and how the configuration names them.

    A column that the file lacks has the place after the last one.
    """

    columns: Mapping[str, str]
    width: int
    of_row: tuple[int, ...]
    of_class: tuple[int, ...]


def _columns_of(csv_format: CsvFormat) -> dict[str, str]:
    """Give the header that the configuration names for each field and for the columns that tell visibility."""
    columns = dict(csv_format.columns)
    columns[PRIVATE_WHEN] = csv_format.private_when.column
    if csv_format.public_when is not None:
        columns[PUBLIC_WHEN] = csv_format.public_when.column
    return columns


def read_layout(records: Iterator[tuple[int, list[str] | None]], csv_format: CsvFormat) -> Layout:
    """Take the header off the records. Raises FileRefusedError where the file has none that fits."""
    line, header = _first_record(records)
    if header is None:
        reason = "has a header that is not valid CSV; check delimiter ="
        raise FileRefusedError(reason, line=line)
    places = _places(header)
    columns = _columns_of(csv_format)
    _require_columns(line, header, columns, csv_format)
    found = {field: places[_folded(name)] for field, name in columns.items() if _folded(name) in places}
    if csv_format.private_when.any:
        found.pop(PRIVATE_WHEN)  # whatever it holds: its values must not count as so many kinds of rows
    width = len(header)
    return Layout(
        columns=columns,
        width=width,
        of_row=tuple(found.get(field, width) for field in _ROW),
        of_class=tuple(found.get(field, width) for field in _CLASS),
    )


def _first_record(records: Iterator[tuple[int, list[str] | None]]) -> tuple[int, list[str] | None]:
    for line, row in records:
        if row is None or any(cell.strip() for cell in row):
            return line, row
    reason = "is empty: it has no header"
    raise FileRefusedError(reason)


def _require_columns(line: int, header: list[str], columns: dict[str, str], csv_format: CsvFormat) -> None:
    counts = Counter(_folded(cell) for cell in header)
    required = csv_format.required | {PRIVATE_WHEN, PUBLIC_WHEN}
    missing = [name for field, name in columns.items() if field in required and not counts[_folded(name)]]
    if missing:
        named = ", ".join(f'"{name}"' for name in dict.fromkeys(missing))
        hint = "; its header is one single column: check delimiter =" if len(header) == 1 else ""
        reason = f"lacks the column {named}" if len(set(missing)) == 1 else f"lacks the columns {named}"
        raise FileRefusedError(reason + hint, line=line, column=missing[0])
    twice = next((name for name in columns.values() if counts[_folded(name)] > 1), None)
    if twice is not None:
        reason = f'has the column "{twice}" more than once'
        raise FileRefusedError(reason, line=line, column=twice)


def _places(header: list[str]) -> dict[str, int]:
    return {_folded(cell): place for place, cell in enumerate(header)}


def _folded(name: str) -> str:
    return name.strip().strip("\ufeff").strip().casefold()
