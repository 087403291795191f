"""Somebody with an export that nobody here has seen, and no configuration: from ``source sniff`` to a first dry run."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.acceptance.desk import ask
from tests.unit.test_sniff import unknown

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOW = "2026-11-22T12:00:00+00:00"


def test_an_unknown_export_leads_to_a_first_dry_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RETENTION_CONFIG", raising=False)
    export = tmp_path / "export.csv"
    export.write_text(unknown(24), encoding="utf-8")
    # Writes the example, takes its source out and puts what sniff prints in its place.
    assert ask("init", "--write-config", "retention.toml").code == 0
    config = tmp_path / "retention.toml"
    text = config.read_text(encoding="utf-8")
    begin, end = text.index("[[source]]"), text.index("[purge]")
    sniffed = ask("source", "sniff", "export.csv", "--time-zone", "Europe/Berlin")
    assert (sniffed.code, sniffed.err) == (0, "")
    assert "Read so, the file has 24 messages, 16 private and 8 public" in sniffed.out
    config.write_text(text[:begin] + sniffed.out + text[end:], encoding="utf-8")
    where = ("--config", "retention.toml", "--now", NOW)
    assert ask("init", *where, "--drill").code == 0
    checked = ask("check", *where)
    assert checked.code == 0, checked.err
    assert "Sources are in order: export." in checked.out
    ingested = ask("ingest", *where, "--format", "json", "export.csv")
    assert ingested.code == 0, ingested.err
    (one,) = json.loads(ingested.out)["imports"]
    assert (one["rows"], one["registered"], one["not_covered"], one["rejected"]) == (24, 16, 8, 0)
    later = ("--config", "retention.toml", "--now", "2027-01-11T12:00:00+00:00")
    planned = ask("purge", *later, "--dry-run")
    assert planned.code in {0, 12}
    assert re.search(r"\bdirect-messages\b", planned.out)


def test_what_is_printed_may_be_appended_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export.csv").write_text(unknown(), encoding="utf-8")
    assert ask("init", "--write-config", "retention.toml").code == 0
    with (tmp_path / "retention.toml").open("a", encoding="utf-8") as config:
        config.write(ask("source", "sniff", "export.csv").out)
    assert ask("init", "--config", "retention.toml").code == 0
    checked = ask("check", "--config", "retention.toml")
    assert checked.code == 0, checked.err
    assert "Sources are in order: hootsuite-inbox, export." in checked.out


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    answer = ask("source", "sniff", str(tmp_path / "none.csv"))
    assert answer.code == 1
    assert "none.csv cannot be read" in answer.err
