"""Which rows are private, by the words in a column that tells kinds of messages apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.sources.sniff.columns import bare, few_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retention.sources.sniff.columns import Mapping
    from retention.sources.sniff.guess import Setting
    from retention.sources.sniff.table import Sample

_PRIVATE = ("private", "direct", "dm", "messenger", "privat", "direkt", "whatsapp")
_PUBLIC = ("public", "comment", "post", "mention", "review", "tweet", "reply", "wall", "kommentar", "beitrag")
_YES = ("true", "1", "yes", "y", "vrai", "oui", "ja")
_NO = ("false", "0", "no", "n", "faux", "non", "nein")
_TELLING = ("visibility", "private", "public", "type", "kind", "scope", "category")


@dataclass(frozen=True, slots=True)
class VisibilityGuess:
    """The two tests, why, and how many different values neither of them knows."""

    private_when: dict[str, Setting]
    public_when: dict[str, Setting] | None
    note: str
    found: bool
    unknown: int = 0


def guess_visibility(sample: Sample, mapping: Mapping) -> VisibilityGuess:
    """Find the column and the words; where there are none, all is left in doubt, so that it counts as private."""
    for name in filter(None, sample.header):
        if (guess := _by_switch(name, few_values(sample, name))) is not None:
            return guess
    for name in _telling_columns(sample, mapping):
        if (guess := _by_words(name, few_values(sample, name))) is not None:
            return guess
    column = mapping.columns.get("message_type") or mapping.columns.get("network") or mapping.columns["received_at"]
    return VisibilityGuess(
        {"column": column, "contains": ["private"]},
        {"column": column, "contains": ["public"]},
        "nothing in the file tells, so every row is taken as private",
        found=False,
    )


def _telling_columns(sample: Sample, mapping: Mapping) -> Iterable[str]:
    mapped = mapping.columns.get("message_type")
    named = [name for name in sample.header if any(word in bare(name) for word in _TELLING) or bare(name) == "art"]
    return dict.fromkeys([*([mapped] if mapped else []), *named])


def _by_switch(name: str, values: list[str]) -> VisibilityGuess | None:
    said = {value.casefold() for value in values}
    this = bare(name)
    about = next((word for word in ("private", "public") if word in this), None)
    if about is None or not said or not said <= {*_YES, *_NO}:
        return None
    yes: list[str] = [word for word in _YES if word in said] or ["true", "1", "yes"]
    no: list[str] = [word for word in _NO if word in said] or ["false", "0", "no"]
    private, public = (yes, no) if about == "private" else (no, yes)
    return VisibilityGuess(
        {"column": name, "equals": [*private]},
        {"column": name, "equals": [*public]},
        f'the column "{name}" is a switch',
        found=True,
    )


def _by_words(name: str, values: list[str]) -> VisibilityGuess | None:
    folded = [value.casefold() for value in values]
    private, public = _words(_PRIVATE, folded), _words(_PUBLIC, folded)
    if not private:
        return None
    unknown = sum(not any(word in value for word in (*private, *public)) for value in folded)
    return VisibilityGuess(
        {"column": name, "contains": [*private]},
        {"column": name, "contains": [*(public or ["public"])]},
        f'words found in the column "{name}"',
        found=True,
        unknown=unknown,
    )


def _words(words: tuple[str, ...], values: list[str]) -> list[str]:
    """Give the words that stand in a value as words; one that also stands within another word is of no use."""
    found = []
    for word in words:
        within = [value for value in values if word in value]
        alone = re.compile(rf"(?<![a-z]){word}")
        if within and all(alone.search(value) for value in within):
            found.append(word)
    return found
