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

# In English, German, French, Spanish and Dutch. Without case; a word counts at the beginning of a word only.
_PRIVATE = (
    *("private", "direct", "dm", "messenger", "privat", "direkt", "whatsapp", "privé", "prive", "privad", "confiden"),
    *("vertraulich", "vertrouwelijk"),
)
_PUBLIC = (
    *("public", "comment", "post", "mention", "review", "tweet", "reply", "wall", "kommentar", "beitrag"),
    *(
        "öffentlich",
        "oeffentlich",
        "bewertung",
        "erwähnung",
        "públic",
        "publiek",
        "openba",
        "publik",
        "publiq",
        "comentario",
    ),
    *("mención", "reseña", "avis", "opmerking", "reactie", "vermelding"),
)
# Words that mean private only beside rows that are public: where somebody says "message" and "comment".
_WEAK = ("nachricht", "message", "mensaje", "inbox")
_NEGATED = re.compile(
    r"(?<![^\W\d_])(?:nicht|not|non|niet|no|un|pas)[\W_]*(?:öffentlich|oeffentlich|public|públic|publiek|openba|publik|publiq)"
)
_YES = ("true", "1", "yes", "y", "vrai", "oui", "ja", "sí", "si", "wahr", "waar")
_NO = ("false", "0", "no", "n", "faux", "non", "nein", "nee", "falsch", "onwaar")
_TELLING = (
    *("visibility", "private", "public", "type", "kind", "scope", "category", "sichtbarkeit", "öffentlich", "privat"),
    *("kategorie", "visibilité", "visibilite", "visibilidad", "privacidad", "tipo", "zichtbaarheid", "soort"),
)
_SAYS_PRIVATE = ("privat", "privé", "prive", "privad")
_SAYS_PUBLIC = ("public", "öffentlich", "públic", "publiq", "publiek", "openba")
_NEVER_KINDS = ("message_id", "received_at", "conversation_id", "contact", "channel")
_MOST_KINDS = 12
_LONGEST_KIND = 40


@dataclass(frozen=True, slots=True)
class VisibilityGuess:
    """The two tests, why, and how many different values neither of them knows."""

    private_when: dict[str, Setting]
    public_when: dict[str, Setting]
    note: str
    unknown: int = 0


def guess_visibility(sample: Sample, mapping: Mapping) -> VisibilityGuess | None:
    """Find the column and the words, or None where nothing tells: a test that never holds would be a silent lie."""
    for name in filter(None, sample.header):
        if (guess := _by_switch(name, few_values(sample, name))) is not None:
            return guess
    for name in _telling_columns(sample, mapping):
        if (guess := _by_words(name, few_values(sample, name))) is not None:
            return guess
    # A column of another name is believed where it has words of both kinds.
    for name in kind_columns(sample, mapping):
        if (guess := _by_words(name, few_values(sample, name), both=True)) is not None:
            return guess
    return None


def kind_columns(sample: Sample, mapping: Mapping) -> dict[str, int]:
    """Give the columns that could tell kinds apart, by their few and short values, with how many there are."""
    taken = {mapping.columns.get(field) for field in _NEVER_KINDS}
    found = {}
    for name in sample.header:
        values = few_values(sample, name) if name and name not in taken else []
        if 1 < len(values) <= _MOST_KINDS and max(map(len, values)) <= _LONGEST_KIND:
            found[name] = len(values)
    return found


def _telling_columns(sample: Sample, mapping: Mapping) -> Iterable[str]:
    mapped = mapping.columns.get("message_type")
    named = [name for name in sample.header if any(word in bare(name) for word in _TELLING) or bare(name) == "art"]
    return dict.fromkeys([*([mapped] if mapped else []), *named])


def _by_switch(name: str, values: list[str]) -> VisibilityGuess | None:
    said = {value.casefold() for value in values}
    about = _about(name.casefold())
    if about is None or not said or not said <= {*_YES, *_NO}:
        return None
    yes: list[str] = [word for word in _YES if word in said] or ["true", "1", "yes"]
    no: list[str] = [word for word in _NO if word in said] or ["false", "0", "no"]
    private, public = (yes, no) if about == "private" else (no, yes)
    return VisibilityGuess(
        {"column": name, "equals": [*private]},
        {"column": name, "equals": [*public]},
        f'the column "{name}" is a switch',
    )


def _about(name: str) -> str | None:
    if _NEGATED.search(name) or any(word in name for word in _SAYS_PRIVATE):
        return "private"
    return "public" if any(word in name for word in _SAYS_PUBLIC) else None


def _by_words(name: str, values: list[str], *, both: bool = False) -> VisibilityGuess | None:
    folded = [value.casefold() for value in values]
    negated = dict.fromkeys(match[0] for value in folded if (match := _NEGATED.search(value)))
    private = [*negated, *_words(_PRIVATE, folded)]
    rest = [value for value in folded if not any(word in value for word in private)]
    public = _words(_PUBLIC, rest)
    if public:
        open_values = [value for value in rest if any(word in value for word in public)]
        weak = [word for word in _words(_WEAK, rest) if not any(word in value for value in open_values)]
        private += weak
    if not private or (both and not public):
        return None
    unknown = sum(not any(word in value for word in (*private, *public)) for value in folded)
    return VisibilityGuess(
        {"column": name, "contains": [*private]},
        {"column": name, "contains": [*(public or ["public"])]},
        f'words found in the column "{name}"',
        unknown=unknown,
    )


def _words(words: tuple[str, ...], values: list[str]) -> list[str]:
    """Give the words that begin a word of a value; one that also stands within another word is of no use."""
    found: list[str] = []
    for word in words:
        within = [value for value in values if word in value]
        alone = re.compile(rf"(?<![^\W\d_]){word}")
        if not within or not all(alone.search(value) for value in within) or any(known in word for known in found):
            continue
        longer = [known for known in found if word in known]
        if not longer or any(not any(known in value for known in longer) for value in within):
            found.append(word)
    return found
