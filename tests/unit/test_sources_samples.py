"""Samples of every format that has a name, and what reading them gives, frozen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from retention.model import IncomingMessage, RowProblem, from_epoch, iso
from retention.sources.catalog import ARCHIVES, PRESETS, build_source
from tests.unit.sources_kit import Element, read_path

SAMPLES = Path(__file__).parents[1] / "samples"
GOLDEN: dict[str, list[list[Any]]] = json.loads((SAMPLES / "golden.json").read_text(encoding="utf-8"))

FORMATS: dict[str, dict[str, Any]] = {
    "ringcentral-engage.csv": {"preset": "ringcentral-engage", "time_zone": "Europe/Paris"},
    "brandwatch-engage.csv": {
        "preset": "brandwatch-engage",
        "time_zone": "Europe/London",
        "date_format": "%d/%m/%Y %H:%M",
    },
    "sprout-social.csv": {
        "preset": "sprout-social",
        "time_zone": "America/New_York",
        "date_format": "%m/%d/%Y %I:%M %p",
    },
    "intercom.csv": {"preset": "intercom", "time_zone": "UTC"},
    "direct-messages.js": {"preset": "x-archive", "own_account": "7001"},
    "direct-messages-group.js": {"preset": "x-archive", "own_account": "7001"},
    "facebook-message_1.json": {"preset": "facebook-archive", "own_account": "Statistics Office"},
    "instagram-message_1.json": {"preset": "instagram-archive", "own_account": ["statistics.office"]},
    "linkedin-messages.csv": {
        "preset": "linkedin-archive",
        "own_account": "https://www.linkedin.com/in/statistics-office/",
    },
}


def told(element: Element) -> list[Any]:
    if isinstance(element, IncomingMessage):
        kind = element.message_class
        return [
            *("message", element.line, element.message_id, element.conversation_id, element.contact_id),
            *(iso(from_epoch(element.received_at)), kind.network, kind.channel, kind.direction, kind.visibility),
            kind.message_type,
        ]
    name = "problem" if isinstance(element, RowProblem) else "notice"
    return [name, element.line, element.column, element.reason]


def read_sample(name: str) -> list[list[Any]]:
    keys = FORMATS[name]
    kind = "archive" if keys["preset"] in ARCHIVES else "csv-export"
    source = build_source(kind, name="sample", path=SAMPLES, **keys)
    return [told(element) for element in read_path(source, SAMPLES / name)]


@pytest.mark.parametrize("name", FORMATS)
def test_a_sample_reads_as_it_always_did(name: str) -> None:
    assert read_sample(name) == GOLDEN[name]


def test_every_format_with_a_name_has_a_sample() -> None:
    assert {keys["preset"] for keys in FORMATS.values()} == {*PRESETS, *ARCHIVES} - {"hootsuite-inbox"}
    assert GOLDEN.keys() == FORMATS.keys()
