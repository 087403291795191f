"""One object has one spelling, and it is the one that RFC 8785 gives."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from retention.audit.canonical import MAX_ENTRY_BYTES, canonical

if TYPE_CHECKING:
    from collections.abc import Callable

ascii_text = st.text(st.characters(max_codepoint=0x7F))
integers = st.integers(-(2**53) + 1, 2**53 - 1)
values = st.recursive(
    st.booleans() | integers | ascii_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_text, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(ascii_text, values, max_size=6))
def test_spelling_is_that_of_an_independent_library(obj: dict[str, Any]) -> None:
    assert canonical(obj) == rfc8785.dumps(obj)


@given(st.dictionaries(ascii_text, values, max_size=6))
def test_what_is_read_back_is_spelled_the_same_again(obj: dict[str, Any]) -> None:
    body = canonical(obj)
    assert json.loads(body) == obj
    assert canonical(json.loads(body)) == body


def test_keys_are_sorted_and_nothing_is_padded() -> None:
    assert canonical({"v": 1, "at": "x", "list": [True, {"b": -1, "a": ""}]}) == (
        b'{"at":"x","list":[true,{"a":"","b":-1}],"v":1}'
    )


def test_delete_character_stays_and_other_control_characters_are_escaped() -> None:
    assert canonical({"a": "\x7f\n\x01"}) == b'{"a":"\x7f\\n\\u0001"}'


def test_tuples_and_read_only_objects_count_as_lists_and_objects() -> None:
    assert canonical(MappingProxyType({"a": (1, MappingProxyType({"b": 2}))})) == b'{"a":[1,{"b":2}]}'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.5, "entry.a: neither text, integer, boolean, list nor object"),
        (None, "entry.a: neither"),
        (b"x", "entry.a: neither"),
        (2**53, "entry.a: an integer must be below"),
        (-(2**53), "entry.a: an integer must be below"),
        ("ä", "entry.a: text must be ASCII"),
        ("\ud800", "entry.a: text must be ASCII"),
        (["x", None], r"entry\.a\[1\]: neither"),
        ({"ä": 1}, "entry.a: every key must be ASCII"),
        ({1: 1}, "entry.a: every key must be ASCII"),
        ({"b": {"c": 0.0}}, "entry.a.b.c: neither"),
    ],
)
def test_what_is_outside_the_subset_is_refused_by_its_place_and_not_by_its_value(value: object, reason: str) -> None:
    obj: dict[str, Any] = {"a": value}
    with pytest.raises(ValueError, match=reason):
        canonical(obj)


def test_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(ValueError, match="text must be ASCII") as caught:
        canonical({"a": "Zoë"})
    assert "Zo" not in str(caught.value)


def test_longest_entry_is_accepted_and_one_byte_more_is_refused() -> None:
    frame = len(canonical({"a": ""}))
    assert len(canonical({"a": "x" * (MAX_ENTRY_BYTES - frame)})) == MAX_ENTRY_BYTES
    with pytest.raises(ValueError, match="65536"):
        canonical({"a": "x" * (MAX_ENTRY_BYTES - frame + 1)})


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_sixteen_levels_are_accepted_and_one_more_is_refused(wrap: Callable[[Any], Any]) -> None:
    value: Any = 1
    for _ in range(15):
        value = wrap(value)
    assert canonical({"a": value})
    with pytest.raises(ValueError, match="deeper than 16"):
        canonical({"a": wrap(value)})


def test_object_that_contains_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    with pytest.raises(ValueError, match="deeper than 16"):
        canonical(endless)
