"""Find the line of a key in a TOML file, for error messages. ``tomllib`` keeps no positions."""

from __future__ import annotations

import re
from collections import Counter

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\s-]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")

Place = tuple[str | int, ...]


def lines_of(text: str) -> dict[Place, int]:
    """Map the path of every table and key to its line, counted from 1. Elements of ``[[...]]`` count from 0."""
    places: dict[Place, int] = {}
    seen: Counter[str] = Counter()
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[2]
            parts = tuple(part.strip() for part in name.split("."))
            table = (*_parent(parts, seen), parts[-1])
            if header[1] == "[[":
                places.setdefault(table, number)
                table = (*table, seen[name])
                seen[name] += 1
            places.setdefault(table, number)
        elif key := _KEY.match(line):
            places.setdefault((*table, *key[1].split(".")), number)
    return places


def _parent(table: tuple[str, ...], seen: Counter[str]) -> Place:
    """Give the path above a table, with the index of the array element that is open at this line."""
    place: list[str | int] = []
    for depth, part in enumerate(table[:-1], start=1):
        place.append(part)
        if count := seen[".".join(table[:depth])]:
            place.append(count - 1)
    return tuple(place)


def line_of(place: Place, places: dict[Place, int]) -> int | None:
    """Give the line of a path, or of the nearest table or key around it."""
    for end in range(len(place), 0, -1):
        if (line := places.get(place[:end])) is not None:
            return line
    return None
