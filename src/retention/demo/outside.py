"""What is outside of the office: Hootsuite, played by the simulator, and the office's own receiver of events.

Both are processes of their own, started by the command line as a person would, and ended with the story.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from retention.errors import RetentionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.demo.narration import Show

_SECONDS = 30


@contextmanager
def started(command: list[str], show: Show, program: str) -> Iterator[dict[str, Any]]:
    """Run a command that serves, for the block; give the line of JSON that it says when it is ready.

    Raises:
        RetentionError: it ended before it was ready.

    """
    show(f"$ {program} {shlex.join(command)} &")
    arguments = [sys.executable, "-m", "retention", *command, "--format", "json"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                msg = f"`retention {command[0]}` did not start: {process.communicate()[1].strip()}"
                raise RetentionError(msg)
            told: dict[str, Any] = json.loads(line)
            yield told
        finally:
            process.terminate()
            process.communicate()


@dataclass(frozen=True)
class Hootsuite:
    """The simulator's control endpoint: what people and time do at Hootsuite."""

    told: dict[str, Any]
    show: Show

    def does(self, method: str, path: str, **fields: object) -> dict[str, Any]:
        """Make something happen there, and show the call as it can be typed.

        Raises:
            RetentionError: the simulator does not answer, or refuses.

        """
        url = f"{self.told['control']}/{path}"
        self.show(f"$ curl -X {method} {url}" + (f" -d '{json.dumps(fields)}'" if fields else ""))
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.request(method, url, json=fields or None, timeout=_SECONDS)
                answer.raise_for_status()
                said: dict[str, Any] = answer.json()
            except requests.RequestException as error:
                msg = f"the simulator did not do {path} ({type(error).__name__})"
                raise RetentionError(msg) from None
        return said
