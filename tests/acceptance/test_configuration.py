"""Which configuration counts, and that the example which travels with the program works as it is."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from retention.resources import resource
from tests.acceptance.desk import ask, ask_office
from tests.kit import Office

if TYPE_CHECKING:
    from pathlib import Path

SENTENCE = (
    "Private messages from every source are kept for 3 months: one received on 30 November 2026 may be kept through "
    "28 February 2027 and is purged from 1 March."
)


def _office_that_keeps(folder: Path, period: str) -> Office:
    folder.mkdir(parents=True)
    office = Office(folder, f"sqlite:///{folder / 'register.db'}").found()
    office.configure(('keep = "P3M"', f'keep = "{period}"'))
    return office


def test_the_option_comes_before_the_environment_and_that_before_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, given = _office_that_keeps(tmp_path / "named", "P7D"), _office_that_keeps(tmp_path / "given", "P8D")
    found = _office_that_keeps(tmp_path / "work" / "config", "P9D")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("RETENTION_CONFIG", str(given.config))
    assert "are kept for 7 days" in ask("check", "--config", str(named.config)).out
    assert "are kept for 8 days" in ask("check").out
    monkeypatch.delenv("RETENTION_CONFIG")
    assert "are kept for 9 days" in ask("check").out
    found.config.rename(found.folder / "other.toml")
    answer = ask("check")
    assert answer.code == 2
    for place in ("--config", "$RETENTION_CONFIG", "./config/retention.toml", "/etc/retention/retention.toml"):
        assert place in answer.err


@pytest.mark.parametrize("named", ["missing.toml", "."])
def test_a_named_configuration_that_cannot_be_read_is_not_replaced_by_another(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _office_that_keeps(tmp_path / "config", "P3M")
    monkeypatch.chdir(tmp_path)
    by_option = ask("check", "--config", named)
    monkeypatch.setenv("RETENTION_CONFIG", named)
    by_environment = ask("check")
    assert (by_option.code, by_environment.code) == (2, 2)
    assert named in by_option.err
    assert named in by_environment.err


def test_check_says_the_schedule_back_in_the_promised_sentence(sqlite_office: Office) -> None:
    sqlite_office.now = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    answer = ask_office(sqlite_office, "check")
    assert answer.code == 0
    assert SENTENCE in answer.out


def test_check_names_a_landing_folder_that_is_not_there_and_the_command_that_makes_it(sqlite_office: Office) -> None:
    sqlite_office.landing.rmdir()
    answer = ask_office(sqlite_office, "check")
    assert answer.code == 2
    assert f"mkdir -p {sqlite_office.landing}" in answer.err
    assert "in order: hootsuite-inbox" not in answer.out


def test_a_new_user_follows_what_the_program_says_and_the_example_works_unchanged(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RETENTION_")}

    def run(line: str) -> subprocess.CompletedProcess[str]:
        words = shlex.split(line)
        command = [sys.executable, "-m", "retention", *words[1:]] if words[0] == "retention" else words
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
        )

    written = run("retention init --write-config config/retention.toml")
    assert written.returncode == 0, written.stderr
    example = (resource("config") / "retention.toml").read_bytes()
    assert (tmp_path / "config" / "retention.toml").read_bytes() == example
    made = run(f"retention {written.stdout.strip().rpartition('retention ')[2]}")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-1] == "Next: retention check"
    checked = run("retention check")
    if checked.returncode == 2:
        advice = checked.stderr.rpartition("make it with: ")[2].strip()
        assert run(advice).returncode == 0
        checked = run("retention check")
    assert checked.returncode == 0, checked.stderr
    assert "are kept for 3 months" in checked.stdout
    done = run("retention run")
    assert done.returncode == 0, done.stderr
    assert run("retention init --write-config config/retention.toml").returncode == 2, "an edited file is never lost"
