"""What was found out about a file, in a form that holds nothing personal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retention.errors import FileRefusedError
from retention.model import IncomingMessage, RowNotice, RowProblem

if TYPE_CHECKING:
    from pathlib import Path

    from retention.sources.interface import Source

Setting = str | list[str] | dict[str, "str | list[str] | bool"]

_REASONS = 20


@dataclass(slots=True)
class Counts:
    """What reading the whole file with the guessed configuration gave.

    ``reasons`` are those of problems and notices, each with how often; they name columns and never a value.
    """

    private: int = 0
    public: int = 0
    problems: int = 0
    refused: str | None = None
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def messages(self) -> int:
        """Rows that are messages."""
        return self.private + self.public


@dataclass(slots=True)
class Guess:
    """A table ``[[source]]`` for a file, why each key has its value, and what only a person can say.

    ``class_values`` are the values of columns that tell kinds of messages apart, by the field; no other values are in
    here. ``certain`` are the keys that follow from the file or from a published format. ``open`` are lines of
    configuration that are comments until a person answers; where there are any, the table is no configuration yet, and
    ``reading`` stands in for them while the rows are counted.
    """

    settings: dict[str, Setting]
    notes: dict[str, str] = field(default_factory=dict)
    certain: set[str] = field(default_factory=set)
    questions: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    class_values: dict[str, list[str]] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    reading: dict[str, Setting] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)

    def put(self, key: str, value: Setting, note: str, *, certain: bool) -> None:
        """Set a key, and why."""
        self.settings[key] = value
        self.notes[key] = note
        if certain:
            self.certain.add(key)


def count(source: Source, path: Path) -> Counts:
    """Read a file to its end and count what comes out."""
    counts = Counts()
    try:
        for element in source.read(source.open_item(path)):
            if isinstance(element, IncomingMessage):
                if element.message_class.visibility == "private":
                    counts.private += 1
                else:
                    counts.public += 1
            else:
                counts.problems += isinstance(element, RowProblem)
                _note(counts, element)
    except FileRefusedError as refusal:
        counts.refused = refusal.reason
    return counts


def _note(counts: Counts, element: RowProblem | RowNotice) -> None:
    reason = f'the column "{element.column}" {element.reason}' if element.column else element.reason
    if isinstance(element, RowNotice) and element.line:
        reason = f"line {element.line}: {reason}"
    if reason in counts.reasons or len(counts.reasons) < _REASONS:
        counts.reasons[reason] = counts.reasons.get(reason, 0) + 1
