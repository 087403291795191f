"""Jobs as processes of their own: the same command line that a timer or cron would call, with the same exit codes.

They are processes because the residue scan opens the files of a SQLite database, and whoever closes such a file takes
every lock away that his process has on it; and because a job that breaks must not take the service with it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING

from retention.logs import get_logger
from retention.service.notify import VARIABLES
from retention.settings import BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from retention.service.jobs import Job

_LARGEST = 64 * 1024
"""Characters of an output that are logged."""

_PATIENCE = 60.0
"""Seconds that a process has to end between two batches."""

_log = get_logger("service")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job's process ended, and the JSON that it put out, if it did."""

    code: int
    told: object = None
    stopped: bool = False


@dataclass
class Children:
    """Starts processes, and asks them to end. ``config`` and ``base`` may change while it is used."""

    config: Path
    base: Path
    more: Callable[[], Sequence[str]]
    longest: float
    _running: dict[int, subprocess.Popen[str]] = field(default_factory=dict)
    _asked: set[int] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _closed: bool = False

    def run(self, job: Job) -> Ended:
        """Do a job as a process; what it says goes to the log line by line."""
        environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        environment[BASE] = str(self.base)
        with self._lock:
            if self._closed:
                return Ended(1, stopped=True)
            process = subprocess.Popen(  # noqa: S603  # the program itself, with words of our own
                # -P: a file in the working folder must not stand in for a module.
                [sys.executable, "-P", "-m", "retention", *job.words, "--config", str(self.config), *self.more()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="backslashreplace",
                env=environment,
            )
            self._running[process.pid] = process
        output = _Reader(process.stdout)
        said = Thread(target=_pass_on, args=(process.stderr, job.name), daemon=True)
        said.start()
        try:
            code = self._wait(process, job.name)
        finally:
            with self._lock:
                stopped = process.pid in self._asked
                self._asked.discard(process.pid)
                del self._running[process.pid]
        said.join()
        return Ended(code, output.told(), stopped)

    def stop(self) -> None:
        """Ask every process to end, which it does between two batches."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End every process at once; what it had not committed is not done."""
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Start no more processes."""
        with self._lock:
            self._closed = True

    def _wait(self, process: subprocess.Popen[str], name: str) -> int:
        """Wait for the end; a process that takes too long is asked to end, and is ended where it does not."""
        for seconds, number in ((self.longest, signal.SIGTERM), (_PATIENCE, signal.SIGKILL)):
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                _log.error("a job takes too long and is ended", job=name)
                process.send_signal(number)
        return process.wait()

    def _signal(self, number: int) -> None:
        with self._lock:
            for process in self._running.values():
                self._asked.add(process.pid)
                process.send_signal(number)


class _Reader:
    """Reads what a process puts out, as it comes, and keeps the beginning."""

    def __init__(self, stream: IO[str] | None) -> None:
        self._kept: list[str] = []
        self._thread = Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def told(self) -> object:
        self._thread.join()
        text = "".join(self._kept)
        if len(text) > _LARGEST:
            return {"left_out": "more than is logged"}
        with suppress(ValueError):
            return json.loads(text)
        return None

    def _read(self, stream: IO[str] | None) -> None:
        size = 0
        with suppress(OSError, ValueError):
            while stream is not None and (piece := stream.read(4096)):
                if size <= _LARGEST:
                    self._kept.append(piece)
                size += len(piece)
        if stream is not None:
            stream.close()


def _pass_on(stream: IO[str] | None, name: str) -> None:
    """Pass on the log lines of a process as they are, and anything else as a line of ours."""
    if stream is None:
        return
    with stream, suppress(OSError, ValueError):
        for line in stream:
            if line.startswith("{"):
                sys.stderr.write(line)
                sys.stderr.flush()
            elif line.strip():
                _log.warning("a job says", job=name, line=line.strip()[:1000])
