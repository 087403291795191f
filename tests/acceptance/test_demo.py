"""The demo that newcomers see tells its stories to their ends."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def test_the_demo_tells_both_its_stories_and_its_hints_can_be_typed(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RETENTION_")}

    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "retention", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )

    done = typed("demo", "--directory", "shown")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert done.stderr == ""
    told = done.stdout
    for sign in ("ORDERED", "is attested", "ABSENT", "PRESENT", "deleted there by calls", "INBOUND_MESSAGE_RECEIVED"):
        assert sign in told
    hints = told[told.index("Now try:") :].splitlines()[1:]
    commands = [hint.split() for hint in hints if " --config " in hint]
    assert len(commands) >= 4
    for command in commands:
        after = typed(*command[1:])
        assert after.stderr == "", command
        assert "DRILL" in after.stdout, command
