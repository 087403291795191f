"""The demo that newcomers see tells its stories to their ends, and what it shows as a command can be typed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.acceptance.desk import ask
from tests.depth import FULL
from tests.warm import run_command

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PROGRAM = [sys.executable, "-m", "retention"]
SERVES = {"serve", "simulate"}
ASKS = {"ingest", "run"}
"""What the second office does with the simulator, which has ended with the story."""

ONCE = ("was used by run", "is no active hold", "replace it with --force", "is there already", "is closed")
"""What is said of a command that was typed in the story and can be done once."""

COMMAND = re.compile(rf"{re.escape(sys.executable)} -m retention [^\n;()]*")


def test_the_demo_tells_both_its_stories_and_what_it_prints_can_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RETENTION_")}

    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    done = typed(*PROGRAM, "demo", "--directory", "my demo")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert done.stderr == ""
    told = done.stdout
    for sign in ("ORDERED", "is attested", "ABSENT", "PRESENT", "deleted there by calls", "INBOUND_MESSAGE_RECEIVED"):
        assert sign in told
    hints = told[told.index("Now try:") :].splitlines()[1:]
    commands = [hint for hint in hints if " --config " in hint]
    assert len(commands) >= 4
    for command in commands:
        after = run_command(shlex.split(command)[3:], environment, tmp_path)
        assert after.stderr == "", command
        assert "DRILL" in after.stdout, command

    # What stands within the story: the commands themselves and those that messages name.
    assert not re.search(r"(?:^|: | {2,})retention [a-z]+(?! does)\b", told, re.MULTILINE)
    within = {found.group().strip().replace(" DAY", " 2026-04-01") for found in COMMAND.finditer(told)} - set(commands)
    assert len(within) > 40
    monkeypatch.chdir(tmp_path)
    environ = {name: value for name, value in os.environ.items() if name.startswith("RETENTION_")}
    for name in environ:
        monkeypatch.delenv(name)
    [given] = re.findall(r"^\$ export CREDENTIALS_DIRECTORY=(.*)$", told, re.MULTILINE)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", *shlex.split(given))
    shapes = {re.sub(r"[0-9a-f]*[0-9][0-9a-fTZ:-]*", "N", command): command for command in sorted(within)}
    for command in sorted(within) if FULL else shapes.values():
        words = shlex.split(command)[3:]
        if words[0] in SERVES or (words[0] in ASKS and "every-way-in" in command):
            continue
        again = ask(*words)
        done_already = any(told in again.err for told in ONCE)
        assert again.code in {0, 3, 4, 5, 12} or done_already, (command, again.both)
