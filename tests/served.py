"""``retention serve`` as its own process, under a service manager that notes what it is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

import requests

from retention.store import jobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from retention.store.jobs import JobState
    from tests.kit import Office

_WAIT = 100
OFF = {"run": "", "ingest": "", "verify": "", "heartbeat": ""}


def scheduled(office: Office, more: str = "", **times: str) -> Office:
    """Give an office a schedule of jobs: those that are named, and nothing else."""
    spelled = "\n".join(f'{name} = "{when}"' for name, when in {**OFF, **times}.items())
    office.configure(("[purge]", f'{more}\n[serve]\nlisten = "127.0.0.1:0"\n[serve.jobs]\n{spelled}\n[purge]'))
    return office


@dataclass
class Served:
    """A service that runs. ``notes`` are what its manager was told, ``log`` what it wrote, once it has ended."""

    process: subprocess.Popen[str]
    url: str | None
    notes: list[str] = field(default_factory=list)
    log: str = ""

    @property
    def status(self) -> str:
        """What it said last about how things stand."""
        return next((note for note in reversed(list(self.notes)) if note.startswith("STATUS=")), "")

    def get(self, path: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{self.url}{path}", timeout=_WAIT)


@contextmanager
def serving(office: Office, now: datetime, *, code: int | None = 0, manager: bool = True) -> Iterator[Served]:
    """Run the service in drill time; it is ended by SIGTERM and must end with ``code``, if that is given."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("")  # Linux gives it a name of its own
        name = heard.getsockname()
        environment = {**os.environ, **office.environment, "WATCHDOG_USEC": "200000"}
        if manager:
            environment["NOTIFY_SOCKET"] = "@" + name[1:].decode()
        command = [sys.executable, "-m", "retention", "serve", "--config", str(office.config)]
        with subprocess.Popen(
            [*command, "--now", now.isoformat(), "--format", "json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=office.folder,
        ) as process:
            served = Served(process, None)
            Thread(target=_hear, args=(heard, served.notes), daemon=True).start()
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                served.url = json.loads(line)["url"] if line else None
                yield served
            finally:
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGCONT)
                _, served.log = process.communicate(timeout=_WAIT)
                heard.shutdown(socket.SHUT_RD)
    if code is not None:
        assert process.returncode == code, served.log


def _hear(heard: socket.socket, notes: list[str]) -> None:
    try:
        while told := heard.recv(4096):
            notes.append(told.decode())
    except OSError:
        return


def states(office: Office) -> dict[str, JobState]:
    """Give what the database says of the jobs."""
    context = office.open()
    try:
        with context.database.read() as connection:
            return jobs.load(connection)
    finally:
        context.database.close()
