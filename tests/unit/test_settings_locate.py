"""Where a key stands in a TOML file, whatever stands around it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.settings.locate import Place, line_of, lines_of

NESTED = """\
# a comment with [brackets] and key = 1
top = 1
[database]
url = "x"            # url = 2
[schedule]
time_zone = "Europe/London"
[[schedule.rule]]
name = "first"
match = { visibility = "private" }
[[schedule.rule]]
name = "second"
[schedule.rule.match]
network = [
  "fb",
  "keep = 3",
]
keep = "P1D"
[[source]]
name = "one"
[source.columns]
message_id = "id"
[[source]]
name = "two"
[source.columns]
message_id = "id"
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("top",), 2),
        (("database",), 3),
        (("database", "url"), 4),
        (("schedule", "time_zone"), 6),
        (("schedule", "rule"), 7),
        (("schedule", "rule", 0), 7),
        (("schedule", "rule", 0, "name"), 8),
        (("schedule", "rule", 0, "match", "visibility"), 9),
        (("schedule", "rule", 0, "keep"), 7),
        (("schedule", "rule", 1), 10),
        (("schedule", "rule", 1, "name"), 11),
        (("schedule", "rule", 1, "match"), 12),
        (("schedule", "rule", 1, "match", "network"), 13),
        (("schedule", "rule", 1, "match", "network", 1), 13),
        (("schedule", "rule", 1, "match", "keep"), 17),
        (("source", 0, "name"), 19),
        (("source", 0, "columns", "message_id"), 21),
        (("source", 1), 22),
        (("source", 1, "columns"), 24),
        (("source", 1, "columns", "message_id"), 25),
        (("source", 1, "columns", "received_at"), 24),
        (("nowhere",), None),
        ((), None),
    ],
)
def test_a_place_is_found_or_else_what_is_around_it(place: Place, line: int | None) -> None:
    assert line_of(place, lines_of(NESTED)) == line


@pytest.mark.parametrize(
    ("text", "place", "line"),
    [
        ('a.b."c d" = 1', ("a", "b", "c d"), 1),
        ("'quoted key' = 1", ("quoted key",), 1),
        ('["a b".c]\nd = 1', ("a b", "c", "d"), 2),
        ("[ a . b ]\n  c  =  1", ("a", "b", "c"), 2),
        ('t = """\n[a]\nb = 1\n"""\n[a]\nb = 2', ("a", "b"), 6),
        ("t = '''\n[a]\nb = 1'''\n[a]\nb = 2", ("a", "b"), 5),
        ('t = """x""" # """\n[a]\nb = 2', ("a", "b"), 3),
        ('t = """a \\""" b = 1\nb = 2"""\nb = 3', ("b",), 3),
        ('t = """a""""\nb = 3', ("b",), 2),
        ('t = "a\u2028b\u0085c"\nb = 3', ("b",), 2),
        ("t = 1 # form\x0cfeed\nb = 3", ("b",), 2),
        ("t = [ # [\n  1,\n]\nb = 3", ("b",), 4),
        ('t = { u = "}" }\nb = 3', ("b",), 2),
        ("[[a]]\n[[a.b]]\nc = 1\n[[a]]\n[[a.b]]\nc = 2", ("a", 1, "b", 0, "c"), 6),
        ("[a]\r\nb = 1\r\n", ("a", "b"), 2),
    ],
)
def test_texts_comments_and_line_ends_do_not_shift_the_count(text: str, place: Place, line: int) -> None:
    assert line_of(place, lines_of(text)) == line


@dataclass
class Written:
    """A TOML file in the making, and where each of its keys was put."""

    lines: list[str] = field(default_factory=list)
    places: dict[Place, int] = field(default_factory=dict)

    def put(self, text: str, place: Place | None = None) -> None:
        self.lines.extend(text.split("\n"))
        if place is not None:
            self.places[place] = len(self.lines) - text.count("\n")


VALUES = st.sampled_from(
    [
        *("1", "true", '"text"', '"# = ["', "'[x]'", "[1, 2]", '[\n  "[a]",\n  "b = 1", # ]\n]'),
        *('"""\n[fake]\nfake = 1\n"""', "'''\n[[fake]]\n'''", "{ a = 1, b = [2] }", '"\u2028"', '""', '"""\\""""""'),
    ]
)
BETWEEN = st.sampled_from(["", "# [comment]", "  # key = 1", "\t"])
KEYS = st.lists(st.sampled_from(["a", "b-c", "d_e", "9"]), unique=True, max_size=3)


@st.composite
def files(draw: st.DrawFn) -> Written:
    written = Written()
    for key in draw(KEYS):
        written.put(f"{key} = {draw(VALUES)}", (key,))
    for table in draw(st.lists(st.sampled_from(["t1", "t2", "t3"]), unique=True)):
        is_array = draw(st.booleans())
        for number in range(draw(st.integers(1, 3)) if is_array else 1):
            place: Place = (table, number) if is_array else (table,)
            written.put(f"[[{table}]]" if is_array else f"[ {table} ] # x", place)
            for key in draw(KEYS):
                written.put(draw(BETWEEN))
                written.put(f"  {key}  = {draw(VALUES)}", (*place, key))
            if draw(st.booleans()):
                written.put(f"[{table}.inner]", (*place, "inner"))
                written.put(f'"q r" = {draw(VALUES)}', (*place, "inner", "q r"))
    return written


def _is_at(data: Any, place: Place) -> bool:  # noqa: ANN401  # what TOML holds
    for part in place:
        data = data[part]
    return data is not None


@given(files())
def test_every_key_of_any_file_is_found_at_its_line(written: Written) -> None:
    text = "\n".join(written.lines)
    data = tomllib.loads(text)
    assert all(_is_at(data, place) for place in written.places)
    found = lines_of(text)
    assert {place: line_of(place, found) for place in written.places} == written.places
    assert not any("fake" in place for place in found)


@given(st.text())
def test_no_text_is_too_strange_to_look_for_keys_in(text: str) -> None:
    last = text.count("\n") + 1
    assert all(1 <= line <= last for line in lines_of(text).values())
