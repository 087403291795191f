"""Canonical JSON (RFC 8785) for the restricted values that entries are made of.

One value has one spelling, so that a hash over the bytes is a hash over the meaning. The subset is chosen so that
nothing needs judgement: ASCII keys and text, whole numbers that every JSON reader holds exactly, no floats, no nulls.
Within it, sorting by code point is the sorting by UTF-16 unit that RFC 8785 section 3.2.3 asks for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Value: TypeAlias = "bool | int | str | Sequence[Value] | Mapping[str, Value]"
Plain: TypeAlias = "bool | int | str | list[Plain] | dict[str, Plain]"

MAX_ENTRY_BYTES = 65_535  # tlog-tiles bundles carry the length of an entry in 16 bits
_MAX_INTEGER = 2**53
_MAX_DEPTH = 16

# DEL must stay as it is (RFC 8785 section 3.2.2.2), which ensure_ascii would escape; non-ASCII text is refused before.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def canonical(obj: Mapping[str, Value]) -> bytes:
    """Spell an object in the one canonical way.

    Args:
        obj: ASCII keys; values are ASCII text, integers between -2**53 and 2**53 (both excluded), booleans, lists or
            tuples, and objects of the same kind, at most 16 deep.

    Returns:
        2 to 65535 bytes of ASCII, without a newline at the end (RFC 8785 section 3.2).

    Raises:
        ValueError: the object holds anything else or is longer. The message names the place, never the value.

    """
    body = _encode(_object(obj, "entry", 0)).encode("ascii")
    if len(body) > MAX_ENTRY_BYTES:
        msg = f"an entry must not be longer than {MAX_ENTRY_BYTES} bytes, this one has {len(body)}"
        raise ValueError(msg)
    return body


def _object(value: Mapping[Any, object], place: str, depth: int) -> dict[str, Plain]:
    if depth >= _MAX_DEPTH:
        msg = f"an entry must not be nested deeper than {_MAX_DEPTH} levels"
        raise ValueError(msg)
    if not all(isinstance(key, str) and key.isascii() for key in value):
        msg = f"{place}: every key must be ASCII text"
        raise ValueError(msg)
    return {key: _plain(item, f"{place}.{key}", depth + 1) for key, item in value.items()}


def _plain(value: object, place: str, depth: int) -> Plain:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) < _MAX_INTEGER:
            return int(value)
        msg = f"{place}: an integer must be below 2**53"
        raise ValueError(msg)
    if isinstance(value, str):
        if value.isascii():
            return str(value)
        msg = f"{place}: text must be ASCII"
        raise ValueError(msg)
    return _nested(value, place, depth)


def _nested(value: object, place: str, depth: int) -> Plain:
    if isinstance(value, Mapping):
        return _object(value, place, depth)
    if isinstance(value, list | tuple):
        if depth >= _MAX_DEPTH:
            msg = f"an entry must not be nested deeper than {_MAX_DEPTH} levels"
            raise ValueError(msg)
        return [_plain(item, f"{place}[{n}]", depth + 1) for n, item in enumerate(value)]
    msg = f"{place}: neither text, integer, boolean, list nor object"
    raise ValueError(msg)
