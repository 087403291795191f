"""Telling a story by commands: each is shown before it is run, and must end as the story says.

How a command is run is handed in, because the command line lies above this room.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retention.errors import RetentionError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

RunCommand = Callable[[list[str]], tuple[int, str]]
"""Runs a command; gives its exit code and what it wrote on stdout."""

Show = Callable[[str], None]

_HINT = re.compile(r"(?m)(?P<before>^ {2,}|: )retention (?P<words>[a-z][^\n;()]*[^\n;().,\s])")
"""A command that a message names, after a colon or on a line of its own."""


@dataclass(frozen=True)
class Narrator:
    """Tells what happens in one office, whose folder has the configuration ``retention.toml``.

    Whatever it shows as a command can be typed as it stands: ``program`` is what calls this program from here.
    """

    folder: Path
    run: RunCommand
    show: Show
    program: str = "retention"

    def say(self, text: str) -> None:
        """Say what comes next, and why."""
        self.show(f"\n# {text}")

    def step(self, command: list[str], now: datetime, expected: set[int] | None = None) -> None:
        """Show a command, run it and show what it says.

        Raises:
            RetentionError: it did not end with one of the expected exit codes, 0 unless said.

        """
        full = self.full(command, now)
        self.show(f"$ {self.program} {shlex.join(full)}")
        code, told = self._run(full, expected or {0})
        told = _HINT.sub(lambda hint: f"{hint['before']}{self._typed(hint['words'], now)}", told)
        self.show("\n".join(f"  {line}" for line in told.rstrip().splitlines()))
        if code:
            self.show(f"  [exit {code}]")

    def ask(self, command: list[str], now: datetime, expected: set[int] | None = None) -> dict[str, Any]:
        """Run a command without showing it and give what it says as JSON.

        Raises:
            RetentionError: it did not end with one of the expected exit codes, 0 unless said.

        """
        _, told = self._run([*self.full(command, now), "--format", "json"], expected or {0})
        answer: dict[str, Any] = json.loads(told)
        return answer

    def quietly(self, command: list[str], now: datetime) -> None:
        """Run a command without showing it.

        Raises:
            RetentionError: it failed.

        """
        self._run(self.full(command, now), {0})

    def full(self, command: list[str], now: datetime) -> list[str]:
        """Give a command with the configuration and the time of the drill."""
        return [*command, "--config", str(self.folder / "retention.toml"), "--now", now.strftime("%Y-%m-%dT%H:%MZ")]

    def _typed(self, words: str, now: datetime) -> str:
        """Spell a command that a message names so that it speaks of this office."""
        return f"{self.program} {words} {shlex.join(self.full([], now))}"

    def _run(self, command: list[str], expected: set[int]) -> tuple[int, str]:
        code, told = self.run(command)
        if code not in expected:
            msg = f"the demo expected `retention {command[0]}` to end otherwise than with exit {code}: {told}"
            raise RetentionError(msg)
        return code, told
