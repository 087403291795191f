"""``retention status`` for monitoring: exit codes of a plugin, a file for the textfile collector."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.desk import ask, ask_office, send_office
from tests.kit import row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit import Office

CONTACT = "contact-that-must-not-show"


@pytest.mark.parametrize(
    ("day", "code", "word"), [(1, 0, "OK"), (2, 0, "OK"), (20, 2, "CRITICAL")], ids=["kept", "due", "broken"]
)
def test_plugin_exits_with_the_codes_of_plugins(sqlite_office: Office, day: int, code: int, word: str) -> None:
    sqlite_office.now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    sqlite_office.drop("a.csv", [row("m-1", "2026-08-01 09:00:00", contact=CONTACT, content="my text")])
    assert ask_office(sqlite_office, "ingest").code == 0
    sqlite_office.now = datetime(2026, 11, day, 12, tzinfo=UTC)
    answer = ask_office(sqlite_office, "status", "--format", "nagios")
    assert answer.code == code
    assert answer.out.startswith(f"RETENTION {word} - ")
    assert answer.out.count("\n") == 1
    assert answer.out.count("|") == 1
    for personal in (CONTACT, "m-1", "my text"):
        assert personal not in answer.both


def test_plugin_warns_where_the_promise_is_at_risk(sqlite_office: Office) -> None:
    sqlite_office.drop("a.csv", [row("m-1", "nonsense")])
    ask_office(sqlite_office, "ingest")
    answer = ask_office(sqlite_office, "status", "--format", "nagios")
    assert (answer.code, answer.out.startswith("RETENTION WARNING - DRILL findings are open")) == (1, True)


def test_plugin_that_cannot_tell_says_unknown(sqlite_office: Office, tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere.toml")
    for arguments in (
        ("--config", missing, "--format", "nagios"),
        ("--config", missing, "--format=nagios"),
        ("--config", str(sqlite_office.config), "--format", "nagios", "--now", "yesterday"),
        ("--config", str(sqlite_office.config), "--format", "nagios", "--no-such-option"),
        ("--config", str(sqlite_office.config), "--format", "nagios", "--output", "figures.prom"),
    ):
        answer = ask("status", *arguments)
        assert answer.code == 3, arguments
        assert answer.out.startswith("RETENTION UNKNOWN - ")
        assert answer.out.count("\n") == 1
    (sqlite_office.folder / "register.db").write_bytes(b"this is no database")
    answer = ask_office(sqlite_office, "status", "--format", "nagios")
    assert (answer.code, answer.out.split(" - ")[0]) == (3, "RETENTION UNKNOWN")


def test_plugin_answers_unknown_to_an_error_that_was_not_foreseen(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        message = "contact-1 wrote something"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("retention.standing.status_in", fail)
    answer = ask_office(sqlite_office, "status", "--format", "nagios")
    assert answer.code == 3
    assert answer.out == "RETENTION UNKNOWN - an error that was not foreseen (ZeroDivisionError)\n"


def test_other_formats_fail_as_every_command_does(sqlite_office: Office, tmp_path: Path) -> None:
    answer = ask("status", "--config", str(tmp_path / "nowhere.toml"))
    assert (answer.code, answer.out) == (2, "")
    answer = ask_office(sqlite_office, "status", "--output", str(tmp_path / "figures.prom"))
    assert (answer.code, "goes with --format prometheus" in answer.err) == (2, True)


def test_figures_are_put_in_place_whole_and_readable(sqlite_office: Office, tmp_path: Path) -> None:
    place = tmp_path / "collector" / "retention.prom"
    answer = ask_office(sqlite_office, "status", "--format", "prometheus", "--output", str(place))
    assert (answer.code, "cannot be written" in answer.err) == (1, True)
    place.parent.mkdir()
    answer = send_office(sqlite_office, "status", "--format", "prometheus", "--output", str(place))
    assert (answer.code, answer.out) == (0, ""), answer.err
    assert place.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in place.parent.iterdir()] == ["retention.prom"]
    shown = ask_office(sqlite_office, "status", "--format", "prometheus")
    assert (shown.code, shown.out) == (0, place.read_text())
    assert len(list(text_string_to_metric_families(shown.out))) > 20
