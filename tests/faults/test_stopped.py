"""SIGTERM and Ctrl-C stop a command between two batches; it says so, and the next one goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from retention.errors import Exit
from tests.faults.facts import story_told_by, wrong_with
from tests.faults.meanwhile import finish, number_of, register
from tests.kit import row

if TYPE_CHECKING:
    from tests.kit import Office

MESSAGES = 60
SIGNALS = [signal.SIGTERM, signal.SIGINT]
# The signal comes when the first batch is committed, however quick the machine is.
_SIGNALLED = """
import os
from contextlib import contextmanager
from functools import partial
from retention import arrivals
from retention.cli import frame, main

@contextmanager
def bar(label, total):
    yield lambda count: os.kill(os.getpid(), {number})

frame._bar = bar
arrivals.Terms = partial(arrivals.Terms, batch_size=20)
main()
"""


def _signalled(office: Office, command: str, number: signal.Signals) -> subprocess.CompletedProcess[str]:
    """Run a command to which a signal comes after its first batch."""
    arguments = [command, "--config", str(office.config), "--now", office.now.isoformat()]
    return subprocess.run(
        [sys.executable, "-c", _SIGNALLED.format(number=int(number)), *arguments],
        cwd=office.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_stops_a_purge_between_two_batches_and_the_next_one_goes_on(
    office: Office, number: signal.Signals
) -> None:
    register(office, MESSAGES, batch_size=20)
    ended = _signalled(office, "purge", number)
    assert (ended.returncode, ended.stdout) == (Exit.PARTLY_DONE, ""), ended.stderr
    assert "stopped as asked, between two batches; nothing is half done" in ended.stderr
    assert number_of(office, "SELECT count(*) FROM purge_batch") == 1
    assert number_of(office, "SELECT count(*) FROM message") == MESSAGES - 20
    assert number_of(office, "SELECT count(*) FROM run WHERE state = 'stopped' AND checkpoint_size > 0") == 1
    status = office.told("status")
    assert (status["last_run"]["state"], status["last_run"]["disposed"]) == ("stopped", 20)
    assert status["registered"] == MESSAGES - 20
    assert wrong_with(office) == []

    office.configure(("batch_size = 10", "batch_size = 500"))
    last = finish(office)
    assert (last.state, last.disposed, last.due_after, last.residue) == ("done", MESSAGES - 20, 0, 0)
    assert wrong_with(office) == []
    assert len(story_told_by(office).of("disposal")) == MESSAGES


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_stops_an_import_between_two_batches_and_the_next_one_goes_on(
    sqlite_office: Office, number: signal.Signals
) -> None:
    sqlite_office.drop("export.csv", (row(f"message-{count}") for count in range(MESSAGES)))
    ended = _signalled(sqlite_office, "ingest", number)
    assert (ended.returncode, ended.stdout) == (Exit.PARTLY_DONE, ""), ended.stderr
    assert "stopped as asked" in ended.stderr
    assert number_of(sqlite_office, 'SELECT records FROM "import"') == 20
    assert number_of(sqlite_office, "SELECT count(*) FROM message") == 20
    assert sqlite_office.cli("ingest").returncode == 0
    assert number_of(sqlite_office, "SELECT registered FROM \"import\" WHERE state = 'done'") == MESSAGES
    assert number_of(sqlite_office, "SELECT count(*) FROM message") == MESSAGES
    assert wrong_with(sqlite_office) == []
