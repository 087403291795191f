"""The demo that newcomers see tells its stories to their ends."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.warm import run_command

if TYPE_CHECKING:
    from pathlib import Path


def test_the_demo_tells_both_its_stories_and_its_hints_can_be_typed(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RETENTION_")}

    done = subprocess.run(
        [sys.executable, "-m", "retention", "demo", "--directory", "shown"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert done.stderr == ""
    told = done.stdout
    for sign in ("ORDERED", "is attested", "ABSENT", "PRESENT", "deleted there by calls", "INBOUND_MESSAGE_RECEIVED"):
        assert sign in told
    hints = told[told.index("Now try:") :].splitlines()[1:]
    commands = [hint.split() for hint in hints if " --config " in hint]
    assert len(commands) >= 4
    for command in commands:
        after = run_command(command[1:], environment, tmp_path)
        assert after.stderr == "", command
        assert "DRILL" in after.stdout, command
