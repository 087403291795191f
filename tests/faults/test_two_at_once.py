"""One run at a time: the second is turned away; a run that was killed is in nobody's way."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retention import cycle
from retention.cycle import Watcher
from retention.errors import Exit, LockHeldError
from tests.faults.facts import wrong_with
from tests.faults.meanwhile import finish, number_of, register, running, wait_until
from tests.kit import row

if TYPE_CHECKING:
    from tests.kit import Office

BATCHES = "SELECT count(*) FROM purge_batch"
TAKEN = "SELECT count(*) FROM lease WHERE holder <> ''"


def test_of_two_purges_one_works_and_the_other_is_turned_away(office: Office) -> None:
    messages = 1_000  # the first must still be at work when the second has started, whatever else the machine does
    register(office, messages, batch_size=1)
    with running(office, "purge") as first:
        wait_until(office, BATCHES)
        second = office.cli("purge")
        assert first.process.poll() is None, "the first purge was too short to show anything"
        ended = first.end()
    assert (second.returncode, second.stdout) == (Exit.LOCKED, "")
    assert f"another run holds the register (process {first.process.pid} on " in second.stderr
    assert ended.code == 0, ended.err
    assert number_of(office, "SELECT count(*) FROM run") == 1
    assert number_of(office, BATCHES) == messages
    assert wrong_with(office) == []


def test_of_two_ingests_one_works_and_the_other_is_turned_away(office: Office) -> None:
    messages = 12_000
    office.drop("export.csv", (row(f"message-{number}") for number in range(messages)))
    context = office.open()
    with running(office, "ingest") as first:
        wait_until(office, TAKEN)
        with pytest.raises(LockHeldError) as refused:
            cycle.ingest(context, office.now, Watcher())
        ended = first.end()
    context.database.close()
    assert refused.value.exit_code == Exit.LOCKED
    assert ended.code == 0, ended.err
    assert number_of(office, "SELECT registered FROM \"import\" WHERE state = 'done'") == messages
    assert number_of(office, 'SELECT count(*) FROM "import"') == 1
    assert wrong_with(office) == []


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
