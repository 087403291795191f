"""Help is the manual: every command shows an example that is valid, and the exit codes that it can have."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import click
import pytest

from retention.cli.app import retention
from retention.errors import Exit
from tests.acceptance.desk import CODES, ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEAVES_A_REPORT = {
    "ingest",
    "purge",
    "run",
    "status",
    "explain",
    "hold list",
    "findings list",
    "audit verify",
    "source sniff",
    "notify",
}
EVERY_COMMAND = {
    *("init", "check", "ingest", "purge", "run", "status", "explain", "scan-residue", "demo", "simulate", "notify"),
    *("hold place", "hold release", "hold list", "findings list", "findings resolve"),
    *("audit verify", "audit export", "audit checkpoint", "source sniff", "source authorize"),
    *("plan list", "plan show", "plan approve"),
    *("deploy install", "deploy uninstall"),
}


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = [pytest.param(path, command, id=" ".join(path)) for path, command in _commands(retention)]


def test_the_promised_commands_are_there() -> None:
    assert {" ".join(path) for path, _ in _commands(retention)} >= EVERY_COMMAND


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_help_shows_what_the_command_does_an_example_and_its_exit_codes(
    path: tuple[str, ...], command: click.Command
) -> None:
    answer = ask(*path, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert "Example:\n" in answer.out
    listed = answer.out.partition("Exit codes:\n")[2]
    codes = {int(code) for code in re.findall(r"^ +(\d+)  \S", listed, re.MULTILINE)}
    assert codes >= {0, 1, 2, 10}
    assert codes <= CODES
    documented = {parameter.name: getattr(parameter, "help", "") for parameter in command.params}
    undocumented = [
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not documented[parameter.name]
    ]
    assert undocumented == []


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_the_example_in_the_help_is_a_valid_command(
    path: tuple[str, ...], command: click.Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "purged-ids.txt").touch()
    example = re.search(r"Example:\n((?: {2,}.*\n)+)", ask(*path, "--help").out)
    assert example is not None
    words = shlex.split(example[1])
    assert tuple(words[: 1 + len(path)]) == ("retention", *path)
    # Parses and checks every argument, and runs nothing.
    command.make_context(path[-1], words[1 + len(path) :]).close()


def test_the_help_of_the_whole_lists_every_exit_code_that_there_is() -> None:
    answer = ask("--help")
    listed = {int(code) for code in re.findall(r"^ +(\d+)  \S", answer.out, re.MULTILINE)}
    assert listed == {int(code) for code in Exit} == CODES


def test_every_command_that_reports_can_report_in_json() -> None:
    choices = {
        " ".join(path): list(parameter.type.choices)
        for path, command in _commands(retention)
        for parameter in command.params
        if parameter.name == "form" and isinstance(parameter.type, click.Choice)
    }
    assert {path for path in LEAVES_A_REPORT if choices.get(path, [])[:2] == ["text", "json"]} == LEAVES_A_REPORT


def test_every_command_on_an_installation_takes_a_configuration_and_drill_time() -> None:
    lacking = [
        " ".join(path)
        for path, command in _commands(retention)
        if not {"config", "now"} <= {parameter.name for parameter in command.params}
    ]
    assert lacking == ["source authorize", "source sniff", "demo", "simulate", "deploy install", "deploy uninstall"], (
        "these come before a configuration or make their own"
    )


def test_without_a_command_the_help_is_shown_and_usage_is_wrong() -> None:
    answer = ask()
    assert answer.code == 2
    assert "Usage:" in answer.err


def test_the_version_is_told() -> None:
    answer = ask("--version")
    assert answer.code == 0
    assert re.fullmatch(r"retention, version \d+\.\d+\.\d+\S*\n", answer.out)
