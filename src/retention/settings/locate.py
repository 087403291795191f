"""Find the line of a key in a TOML file, for error messages. ``tomllib`` keeps no positions."""

from __future__ import annotations

import re
from collections import Counter

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_NAME = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_NAME})[ \t]*\]")
_KEY = re.compile(rf"[ \t]*({_NAME})[ \t]*=")
_OPENING = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*|[\[\]{}]')
_CLOSING = {'"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL), "'''": re.compile(r".*?'{3,5}", re.DOTALL)}

Place = tuple[str | int, ...]


def lines_of(text: str) -> dict[Place, int]:
    """Map the path of every table and key to its line, counted from 1. Elements of ``[[...]]`` count from 0."""
    places: dict[Place, int] = {}
    seen: Counter[Place] = Counter()
    table: Place = ()
    state = _State()
    # TOML knows two line ends; str.splitlines() would count others that may stand in a text.
    for number, line in enumerate(text.split("\n"), start=1):
        if state.between_values:
            if header := _HEADER.match(line):
                table = _open(_parts(header[2]), seen, places, number, is_array=header[1] == "[[")
            elif key := _KEY.match(line):
                places.setdefault((*table, *_parts(key[1])), number)
        state.read(line)
    return places


class _State:
    """Whether the next line continues a text, an array or an inline table that an earlier line began."""

    def __init__(self) -> None:
        self._text = ""
        self._depth = 0

    @property
    def between_values(self) -> bool:
        return not self._text and not self._depth

    def read(self, line: str) -> None:
        position = 0
        while True:
            if self._text:
                end = _CLOSING[self._text].match(line, position)
                if end is None:
                    return
                self._text, position = "", end.end()
            token = _OPENING.search(line, position)
            if token is None:
                return
            position = token.end()
            if token[0] in _CLOSING:
                self._text = token[0]
            else:
                self._depth = max(0, self._depth + (token[0] in "[{") - (token[0] in "]}"))


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, name))


def _open(
    name: tuple[str, ...], seen: Counter[Place], places: dict[Place, int], number: int, *, is_array: bool
) -> Place:
    """Note a header's place; the element of an array of tables has the array's own place too."""
    table: Place = (*_parent(name, seen), name[-1])
    places.setdefault(table, number)
    if is_array:
        seen[table] += 1
        table = (*table, seen[table] - 1)
        places.setdefault(table, number)
    return table


def _parent(name: tuple[str, ...], seen: Counter[Place]) -> Place:
    """Give the path above a table, with the index of each array's element that is open at this line."""
    place: Place = ()
    for part in name[:-1]:
        place = (*place, part)
        if count := seen[place]:
            place = (*place, count - 1)
    return place


def line_of(place: Place, places: dict[Place, int]) -> int | None:
    """Give the line of a path, or of the nearest table or key around it."""
    for end in range(len(place), 0, -1):
        if (line := places.get(place[:end])) is not None:
            return line
    return None
