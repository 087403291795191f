"""The command line in this process: ``main`` with its own standard streams, and its log set-up undone afterwards.

What a test says about the command line as such runs it as a process of its own, by ``Office.cli``. Where many commands
are needed and only their answers matter, this is twenty times quicker.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from unittest.mock import patch

from retention.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit import Office

GROUPS = {"hold", "findings", "audit", "notice", "upstream", "plan"}
CODES = {0, 1, 2, 3, 4, 5, 10, 11, 12, 13}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def both(self) -> str:
        """Both streams together."""
        return self.out + self.err


def ask(*arguments: str, text: str = "") -> Answer:
    """Run ``retention`` with these arguments as ``main`` does, reading ``text`` from standard input."""
    out, err, given = _stream(), _stream(), io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
    with (
        _logs_put_back(),
        patch.multiple(sys, argv=["retention", *arguments], stdin=given, stdout=out, stderr=err),
    ):
        try:
            main()
        except SystemExit as left:
            code = _code(left)
        else:
            message = "main came back; it always leaves by SystemExit"
            raise AssertionError(message)
    return Answer(code, _written(out), _written(err))


def ask_office(office: Office, *arguments: str, text: str = "") -> Answer:
    """Run a command on an office, in its drill time."""
    depth = 2 if arguments[0] in GROUPS else 1
    where = ["--config", str(office.config), "--now", office.now.isoformat()]
    return ask(*arguments[:depth], *where, *arguments[depth:], text=text)


def send_office(office: Office, *arguments: str, text: str = "") -> Answer:
    """Run a command on an office as a process of its own."""
    done = office.cli(*arguments, text=text)
    return Answer(done.returncode, done.stdout, done.stderr)


class Way(Protocol):
    """One of the two ways to run a command on an office."""

    def __call__(self, office: Office, *arguments: str, text: str = "") -> Answer:
        """Run it to its end."""


def told(way: Way, office: Office, *arguments: str) -> dict[str, Any]:
    """Run a command with ``--format json`` and give the one object it says, whatever its exit code."""
    answer = way(office, *arguments, "--format", "json")
    assert answer.out, answer.err
    said: dict[str, Any] = json.loads(answer.out)
    return said


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


def _code(left: SystemExit) -> int:
    assert isinstance(left.code, int)
    return left.code


@contextmanager
def _logs_put_back() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("retention")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
