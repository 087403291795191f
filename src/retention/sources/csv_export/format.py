"""How to read one kind of CSV file: which columns, which rows are private, how times and characters are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.sources.files.text import encoding_problem
from retention.sources.files.times import date_format_problem, zone_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retention.model import Visibility

FIELDS = (
    "message_id",
    "conversation_id",
    "contact",
    "network",
    "channel",
    "direction",
    "received_at",
    "message_type",
)
"""What a column can be mapped to. Other columns, the text of the message among them, are never looked at."""

_ALWAYS_NEEDED = ("message_id", "received_at")


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """A test of one column: its trimmed value equals or contains one of these, whatever the case, or is any."""

    column: str
    equals: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    any: bool = False

    def __post_init__(self) -> None:
        """Fold the case once, not for every row."""
        object.__setattr__(self, "equals", tuple(text.strip().casefold() for text in self.equals))
        object.__setattr__(self, "contains", tuple(text.casefold() for text in self.contains))

    def matches(self, value: str) -> bool:
        """Tell whether a value of the column passes the test."""
        folded = value.strip().casefold()
        return self.any or folded in self.equals or any(part in folded for part in self.contains)


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """One way to write messages as CSV.

    ``columns`` gives the header of each mapped field. A field in ``required`` must be in the file, or the file is
    refused; another mapped field that the file lacks is empty in every row. ``public_when`` None makes public
    whatever ``private_when`` does not match; otherwise what neither matches is private, because a missed private
    message would break the promise, and a notice tells of it.
    """

    columns: Mapping[str, str]
    required: frozenset[str]
    private_when: ColumnMatch
    public_when: ColumnMatch | None = None
    date_format: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    time_zone: str = "UTC"

    def visibility(self, private_value: str, public_value: str) -> Visibility | None:
        """Judge a row by the values of the two columns that tell; None where they tell nothing."""
        if self.private_when.matches(private_value):
            return "private"
        if self.public_when is None or self.public_when.matches(public_value):
            return "public"
        return None

    def problems(self) -> list[str]:
        """List everything that makes this description unusable, each line with its key of the configuration."""
        found = [
            ("delimiter", _delimiter_problem(self.delimiter)),
            ("encoding", encoding_problem(self.encoding)),
            ("time_zone", zone_problem(self.time_zone)),
            ("date_format", date_format_problem(self.date_format) if self.date_format is not None else None),
            ("private_when", _match_problem(self.private_when)),
            ("public_when", _match_problem(self.public_when) if self.public_when is not None else None),
        ]
        return _column_problems(self.columns) + [f"{key}: {reason}" for key, reason in found if reason is not None]


def _column_problems(columns: Mapping[str, str]) -> list[str]:
    unknown = [field for field in columns if field not in FIELDS]
    lacking = [field for field in _ALWAYS_NEEDED if field not in columns]
    empty = [field for field, header in columns.items() if not header.strip()]
    return [
        *(f"columns.{field}: is not a field; the fields are {', '.join(FIELDS)}" for field in unknown),
        *(f"columns.{field}: is missing; name the column that holds it" for field in lacking),
        *(f"columns.{field}: must not be empty" for field in empty),
    ]


def _delimiter_problem(delimiter: str) -> str | None:
    # Letters, digits, quotes and blanks stand in the values themselves, so that no row could be told from another.
    if len(delimiter) == 1 and (delimiter == "\t" or (delimiter.isprintable() and not delimiter.isalnum())):
        return None if delimiter not in " \"'" else "must not be a quotation mark or a blank"
    return 'must be one character such as ",", ";", "|" or "\\t"'


def _match_problem(match: ColumnMatch) -> str | None:
    if not match.column.strip():
        return "column: must not be empty"
    if match.any:
        return "any = true takes every value: leave equals and contains out" if match.equals or match.contains else None
    if not match.equals and not any(match.contains):
        return "give equals = [...] or contains = [...], or any = true for every row"
    # An empty part is contained in every value.
    return None if all(match.contains) else "contains: must not hold an empty text"
