"""One run at a time: the second is turned away; a run that was killed is in nobody's way."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from retention import arrivals, cycle
from retention.errors import Exit
from retention.ingest.importing import Terms
from retention.watcher import Watcher
from tests.faults.facts import wrong_with
from tests.faults.meanwhile import finish, number_of, register, running, wait_until
from tests.kit import row

if TYPE_CHECKING:
    import subprocess

    import pytest

    from tests.kit import Office

BATCHES = "SELECT count(*) FROM purge_batch"


def test_of_two_purges_one_works_and_the_other_is_turned_away(office: Office) -> None:
    messages = 30
    register(office, messages, batch_size=10)
    second = _Second(office, "purge", BATCHES)
    context = office.open()
    _, first = cycle.purge(context, office.now, Watcher(stop=second.try_once))
    context.database.close()
    second.was_turned_away()
    assert (first.state, first.disposed, first.batches) == ("done", messages, 3)
    assert number_of(office, "SELECT count(*) FROM run") == 1
    assert number_of(office, BATCHES) == 3
    assert wrong_with(office) == []


def test_of_two_ingests_one_works_and_the_other_is_turned_away(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = 30
    monkeypatch.setattr(arrivals, "Terms", partial(Terms, batch_size=10))
    office.drop("export.csv", (row(f"message-{number}") for number in range(messages)))
    second = _Second(office, "ingest", 'SELECT count(*) FROM "import"')
    context = office.open()
    cycle.ingest(context, office.now, Watcher(stop=second.try_once))
    context.database.close()
    second.was_turned_away()
    assert number_of(office, "SELECT registered FROM \"import\" WHERE state = 'done'") == messages
    assert number_of(office, 'SELECT count(*) FROM "import"') == 1
    assert wrong_with(office) == []


class _Second:
    """A command that is tried, as a process of its own, between two batches of this process's run."""

    def __init__(self, office: Office, command: str, begun: str) -> None:
        """Set which command it is, and a query that counts what the first one has done."""
        self._office, self._command, self._begun = office, command, begun
        self._tried: list[subprocess.CompletedProcess[str]] = []

    def try_once(self) -> None:
        """Try it, once the first one has done something."""
        if not self._tried and number_of(self._office, self._begun):
            self._tried.append(self._office.cli(self._command))

    def was_turned_away(self) -> None:
        """Demand that it was tried and said why it did nothing."""
        [done] = self._tried
        assert (done.returncode, done.stdout) == (Exit.LOCKED, "")
        assert f"another run holds the register (process {os.getpid()} on " in done.stderr


def test_a_killed_run_is_taken_over_at_once_even_while_nobody_has_buried_it(sqlite_office: Office) -> None:
    messages = 200
    register(sqlite_office, messages, batch_size=1)
    with running(sqlite_office, "purge") as purge:
        wait_until(sqlite_office, BATCHES)
        os.kill(purge.process.pid, signal.SIGKILL)
        _wait_for_the_zombie(purge.process.pid)
        sqlite_office.configure(("batch_size = 10", "batch_size = 1000"))
        last = finish(sqlite_office)
    assert last.state == "done"
    assert number_of(sqlite_office, "SELECT count(*) FROM run WHERE state = 'interrupted'") == 1
    assert number_of(sqlite_office, "SELECT sum(disposed) FROM purge_batch") == messages
    assert wrong_with(sqlite_office) == []


def _wait_for_the_zombie(process: int) -> None:
    stat = Path(f"/proc/{process}/stat")
    while stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.001)
