"""Sources are made from plain values, and what is wrong with them is told by key, all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retention.errors import ConfigError
from retention.model import IncomingMessage
from retention.sources.catalog import KINDS, PRESETS, build_source
from retention.sources.csv_export import FIELDS
from tests.unit.sources_kit import read_path

COLUMNS = {"message_id": "id", "received_at": "at"}
DM = {"column": "kind", "equals": "dm"}


def problems(kind: str = "csv-export", **changes: Any) -> list[str]:  # noqa: ANN401 - whatever build_source takes
    settings = {"name": "x", "path": Path("landing"), "time_zone": "Europe/London", **changes}
    with pytest.raises(ConfigError) as caught:
        build_source(kind, **settings)
    return caught.value.problems


def test_an_unknown_kind_lists_the_known_ones() -> None:
    assert problems("carrier-pigeon") == [f"kind: is not known; the kinds of this version are {', '.join(KINDS)}"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "preset"),
        ({"preset": "hootsuite-inbox", "columns": COLUMNS}, "preset"),
        ({"preset": "nobody"}, "preset"),
        ({"columns": COLUMNS}, "private_when"),
        ({"columns": {"message_id": "id"}, "private_when": DM}, "columns.received_at"),
        ({"columns": {**COLUMNS, "text": "body"}, "private_when": DM}, "columns.text"),
        ({"columns": {**COLUMNS, "channel": " "}, "private_when": DM}, "columns.channel"),
        ({"columns": COLUMNS, "private_when": {"column": "kind"}}, "private_when"),
        ({"columns": COLUMNS, "private_when": {"equals": "dm"}}, "private_when"),
        ({"columns": COLUMNS, "private_when": {"column": "kind", "equals": "dm", "any": True}}, "private_when"),
        ({"columns": COLUMNS, "private_when": {"column": "kind", "contains": ["dm", ""]}}, "private_when"),
        ({"preset": "hootsuite-inbox", "public_when": {"column": "kind"}}, "public_when"),
        ({"preset": "hootsuite-inbox", "time_zone": "London"}, "time_zone"),
        ({"preset": "hootsuite-inbox", "encoding": "utf-7"}, "encoding"),
        ({"preset": "hootsuite-inbox", "date_format": "%d/%m/%Y"}, "date_format"),
        ({"preset": "hootsuite-inbox", "delimiter": ""}, "delimiter"),
        ({"preset": "hootsuite-inbox", "delimiter": ";;"}, "delimiter"),
        ({"preset": "hootsuite-inbox", "delimiter": '"'}, "delimiter"),
        ({"preset": "hootsuite-inbox", "delimiter": "\n"}, "delimiter"),
        ({"preset": "hootsuite-inbox", "delimiter": "a"}, "delimiter"),
        ({"preset": "hootsuite-inbox", "settle_seconds": -1.0}, "settle_seconds"),
        ({"preset": "hootsuite-inbox", "settle_seconds": float("nan")}, "settle_seconds"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(changes: dict[str, Any], key: str) -> None:
    (problem,) = problems(**changes)
    assert problem.startswith(f"{key}: ")


def test_every_problem_is_told_at_once() -> None:
    told = problems(
        columns={"channel": ""}, private_when={}, time_zone="x", encoding="x", delimiter="", date_format="x"
    )
    keys = [problem.split(":")[0] for problem in told]
    assert keys == [
        "columns.message_id", "columns.received_at", "columns.channel", "delimiter", "encoding", "time_zone",
        "date_format", "private_when",
    ]  # fmt: skip


def test_every_preset_is_complete() -> None:
    for preset in PRESETS.values():
        assert preset.problems() == []
        assert set(preset.columns) <= set(FIELDS)


def test_a_mapped_message_type_alone_is_judged_by_the_usual_words(tmp_path: Path) -> None:
    columns = {**COLUMNS, "message_type": "kind"}
    source = build_source("csv-export", name="x", path=tmp_path, time_zone="UTC", columns=columns)
    path = tmp_path / "a.csv"
    path.write_text("id,at,kind\n1,2026-01-15 10:20,Private\n2,2026-01-15 10:20,Comment\n")
    messages = [element for element in read_path(source, path) if isinstance(element, IncomingMessage)]
    assert [message.message_class.visibility for message in messages] == ["private", "public"]
