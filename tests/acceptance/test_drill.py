"""Drills: their time can be told, and everything they produce says what it is. Nobody can pretend with a real one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.desk import ask, ask_office
from tests.kit import Office, row

if TYPE_CHECKING:
    from pathlib import Path

_PLACE = ("hold", "place", "--kind", "foi", "--reason", "r", "--owner", "o", "--review-on", "2099-01-01")
COMMANDS: list[tuple[str, ...]] = [
    ("check",),
    ("ingest",),
    ("purge", "--dry-run"),
    ("purge", "--dry-run", "--list"),
    ("purge",),
    ("run",),
    ("status",),
    ("explain", "message-1"),
    (*_PLACE, "--everything"),
    ("hold", "list"),
    ("hold", "release", "1", "--reason", "r"),
    ("findings", "list"),
    ("findings", "resolve", "1", "--reason", "r"),
    ("audit", "verify"),
    ("audit", "export"),
    ("audit", "checkpoint"),
    ("scan-residue", "message-1"),
]
IN_JSON = [
    *[("ingest",), ("purge", "--dry-run"), ("purge",), ("run",), ("status",), ("explain", "x"), ("hold", "list")],
    *[("findings", "list"), ("audit", "verify"), ("scan-residue", "message-1")],
]


def _real_office(folder: Path) -> Office:
    return Office(folder, f"sqlite:///{folder / 'register.db'}").found(drill=False)


def _with_everything(office: Office) -> Office:
    office.drop("a.csv", [row("message-1"), row("message-2"), row("")])
    return office


def test_on_a_real_database_no_command_takes_another_time(tmp_path: Path) -> None:
    office = _with_everything(_real_office(tmp_path))
    for command in [*COMMANDS, ("init",), ("init", "--drill")]:
        answer = ask_office(office, *command)
        assert (command, answer.code) == (command, 2)
        assert "drill" in answer.err
        assert answer.out == "" or command == ("check",), "what the rules mean may be said of any day"
    assert (office.landing / "a.csv").exists()


def test_a_drill_is_one_for_ever_and_a_real_database_never(tmp_path: Path, sqlite_office: Office) -> None:
    real = tmp_path / "real"
    real.mkdir()
    _real_office(real)
    refused = ask("init", "--drill", "--config", str(real / "retention.toml"))
    assert (refused.code, refused.out) == (2, "")
    again = ask("init", "--config", str(sqlite_office.config))
    assert again.code == 0
    assert "DRILL" in again.out


def test_every_text_that_a_drill_puts_out_says_so(sqlite_office: Office) -> None:
    _with_everything(sqlite_office)
    silent = []
    for command in COMMANDS[1:] + COMMANDS[:1]:
        answer = ask_office(sqlite_office, *command)
        assert answer.code in {0, 3, 4}, (command, answer.err)
        if "DRILL" not in answer.out:
            silent.append(command)
    assert silent == []


def test_every_object_that_a_drill_puts_out_says_so(sqlite_office: Office) -> None:
    for command in IN_JSON:
        answer = ask_office(sqlite_office, *command, "--format", "json")
        assert json.loads(answer.out)["drill"] is True, command


def test_nothing_that_a_real_office_puts_out_speaks_of_a_drill(tmp_path: Path) -> None:
    office = _real_office(tmp_path)
    where = ("--config", str(office.config))
    for command in COMMANDS:
        depth = 2 if command[0] in {"hold", "findings", "audit"} else 1
        answer = ask(*command[:depth], *where, *command[depth:])
        assert "not foreseen" not in answer.err
        assert "DRILL" not in answer.out
    for command in IN_JSON:
        depth = 2 if command[0] in {"hold", "findings", "audit"} else 1
        answer = ask(*command[:depth], *where, *command[depth:], "--format", "json")
        assert json.loads(answer.out).get("drill", False) is False


@pytest.mark.parametrize(
    "instant",
    ["yesterday", "2026-11-22", "2026-11-22T12:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", ""],
)
def test_a_time_without_offset_or_off_the_calendar_is_wrong_usage(sqlite_office: Office, instant: str) -> None:
    answer = ask("status", "--config", str(sqlite_office.config), "--now", instant)
    assert answer.code == 2
    assert "write an instant" in answer.err
