"""The manual and the completions: of every command, and read without complaint by those who render them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from retention.cli.app import SUMMARIES, retention
from retention.cli.manual import completions, pages
from retention.errors import Exit

if TYPE_CHECKING:
    from pathlib import Path

PAGES = dict(pages(retention))
SHELLS = {path: text for path, text in completions(retention) if text}


def test_every_command_has_a_page_with_its_options_example_and_exit_codes() -> None:
    assert {"retention.1", "retention-run.1", "retention-hold-place.1", "retention-deploy-install.1"} <= {*PAGES}
    page = PAGES["retention-purge.1"]
    for expected in (r"\fB\-\-dry\-run\fR", ".SH EXAMPLES", "retention purge \\-\\-dry\\-run", r"\fB\-h, \-\-help\fR"):
        assert expected in page
    for code in Exit:
        assert f".TP\n\\fB{int(code)}\\fR\n" in PAGES["retention.1"]


def test_a_paragraph_of_the_help_is_one_of_the_page() -> None:
    described = PAGES["retention-purge.1"].partition(".SH DESCRIPTION\n")[2].partition('.SH "OPTIONS"')[0]
    assert ".PP\nWithout " in described
    assert not re.search(r"^ ", described, re.MULTILINE)


def test_no_line_of_a_page_is_taken_for_an_order_by_mistake() -> None:
    orders = {"TH", "SH", "TP", "PP", "nf", "fi", "BR"}
    for name, text in PAGES.items():
        assert text.isascii(), name
        assert {line[1:].split()[0] for line in text.splitlines() if line.startswith((".", "'"))} <= orders, name


@pytest.mark.parametrize(
    "linter", [["mandoc", "-T", "lint", "-W", "warning"], ["groff", "-man", "-ww", "-z"]], ids=["mandoc", "groff"]
)
def test_the_renderers_of_manuals_have_nothing_to_say(tmp_path: Path, linter: list[str]) -> None:
    found = shutil.which(linter[0])
    if found is None:
        pytest.skip(f"{linter[0]} is not on this machine")
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run([found, *linter[1:], *tmp_path.iterdir()], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_there_is_a_completion_for_each_shell() -> None:
    assert [path.rpartition("/")[2] for path in SHELLS] == ["retention", "_retention", "retention.fish"]
    assert all("_RETENTION_COMPLETE=" in text for text in SHELLS.values())


@pytest.mark.parametrize(("shell", "text"), [*zip(["bash", "zsh", "fish"], SHELLS.values(), strict=True)])
def test_a_shell_can_read_its_completion(tmp_path: Path, shell: str, text: str) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not on this machine")
    file = tmp_path / "completion"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run([found, "-n", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def complete(words: str, position: int) -> list[str]:
    env = {
        **os.environ,
        "COMP_WORDS": words,
        "COMP_CWORD": str(position),
        "_RETENTION_COMPLETE": "bash_complete",
    }
    code = "import sys; sys.argv = ['retention']; from retention.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_and_options_are_completed() -> None:
    assert complete("retention sta", 1) == ["status"]
    assert complete("retention hold pl", 2) == ["place"]
    assert "--dry-run" in complete("retention purge --", 2)
    assert "--version" in complete("retention --", 1)


def test_what_the_list_of_commands_says_is_what_each_says_of_itself() -> None:
    context = click.Context(retention)
    said = {}
    for name in retention.list_commands(context):
        command = retention.get_command(context, name)
        assert command is not None
        said[name] = command.get_short_help_str(100)
    assert said == SUMMARIES
