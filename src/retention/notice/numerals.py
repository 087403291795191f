"""Numbers in English words, both ways."""

from __future__ import annotations

import re

_WORD = re.compile(r"[\w']+")
_UNITS: tuple[str, ...] = tuple(
    _WORD.findall(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen"
    )
)
_TENS: list[str] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {
    **{word: number for number, word in enumerate(_UNITS)},
    **{word: 10 * number for number, word in enumerate(_TENS, 2)},
}
_HUNDRED, _THOUSAND, _TWENTY = 100, 1000, 20
_ONE_WORD = "|".join(sorted([*_VALUES, "hundred", "thousand"], key=len, reverse=True))
SPELLED = rf"(?:{_ONE_WORD})(?:(?:[\s-]+|\s+and\s+)(?:{_ONE_WORD})){{0,11}}"
"""A pattern of any number in words; it may fit nonsense, which :func:`number_of` refuses."""


def say_number(number: int) -> str:
    """Spell a number below ten thousand: ``three``, ``ninety``, ``one hundred and eighty``."""
    if number < _TWENTY:
        return _UNITS[number]
    if number < _HUNDRED:
        tens, unit = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_UNITS[unit]}" if unit else "")
    size, name = (_HUNDRED, "hundred") if number < _THOUSAND else (_THOUSAND, "thousand")
    many, rest = divmod(number, size)
    joint = " " if rest >= _HUNDRED else " and "
    return f"{say_number(many)} {name}" + (f"{joint}{say_number(rest)}" if rest else "")


def number_of(text: str) -> int | None:
    """Read digits, ``a`` or number words; None where they are no whole number that :func:`say_number` would spell."""
    folded = text.casefold().strip()
    if folded in {"a", "an"}:
        return 1
    if re.fullmatch(r"[0-9]{1,5}", folded):
        return int(folded)
    words = [word for word in re.split(r"[\s-]+", folded) if word != "and"]
    total, group = 0, 0
    for word in words:
        if word == "hundred":
            group = (group or 1) * _HUNDRED
        elif word == "thousand":
            total, group = (group or 1) * _THOUSAND, 0
        elif word in _VALUES:
            group += _VALUES[word]
        else:
            return None
    number = total + group
    said = [word for word in re.split(r"[\s-]+", say_number(number)) if word != "and"] if number < 10**4 else []
    return number if said == (["one", *words] if words[:1] in (["hundred"], ["thousand"]) else words) else None
