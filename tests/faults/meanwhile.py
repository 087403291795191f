"""Commands that run as processes of their own while a test looks on, and what the test sees of them."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from retention import cycle
from retention.store.engine import open_database
from retention.watcher import Watcher
from tests.kit import row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from retention.store.runs import Run
    from tests.kit import Office

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Running:
    """A command under way."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Keep its process."""
        self.process = process

    def end(self) -> Ended:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        return Ended(self.process.returncode, out, err)


@contextmanager
def running(office: Office, command: str) -> Iterator[Running]:
    """Start a command of an office, and let nothing of it outlive the block."""
    arguments = [sys.executable, "-m", "retention", command, "--config", str(office.config)]
    arguments += ["--now", office.now.isoformat()]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, cwd=office.folder, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def wait_until(office: Office, query: str) -> None:
    """Wait until a query on an office's database gives a number above zero."""
    database = open_database(office.url)
    try:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up:
            with database.read() as connection:
                if _number(connection, query):
                    return
            time.sleep(0.002)
    finally:
        database.close()
    pytest.fail(f"waited in vain for: {query}")


def number_of(office: Office, query: str) -> int:
    """Ask an office's database for a number."""
    database = open_database(office.url)
    try:
        with database.read() as connection:
            return _number(connection, query)
    finally:
        database.close()


def register(office: Office, messages: int, *, batch_size: int, held_every: int = 0) -> None:
    """Register messages, a minute apart, and move on to when all of them are due; set how many go in a batch."""
    rows = (
        row(
            f"message-{number:04}",
            f"2026-09-{1 + number // 1440:02} {number // 60 % 24:02}:{number % 60:02}:00",
            contact="held-contact" if held_every and number % held_every == 0 else "contact-1",
        )
        for number in range(messages)
    )
    office.drop("export.csv", rows)
    context = office.open()
    cycle.ingest(context, office.now, Watcher())
    context.database.close()
    office.now += timedelta(days=100)
    office.configure(("batch_size = 10", f"batch_size = {batch_size}"))


def finish(office: Office) -> Run:
    """Purge once more, to the end."""
    context = office.open()
    try:
        return cycle.purge(context, office.now + timedelta(minutes=1), Watcher())[1]
    finally:
        context.database.close()


def _number(connection: Connection, query: str) -> int:
    return int(connection.exec_driver_sql(query).scalar_one())
