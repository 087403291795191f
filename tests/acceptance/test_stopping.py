"""Whoever stops a purge, at the keyboard or by the service manager, stops it between two batches and loses nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from retention.store import runs
from retention.store.engine import open_database
from tests.acceptance.desk import ask_office, told
from tests.kit import row

if TYPE_CHECKING:
    from tests.kit import Office

MESSAGES = 2_000


def _wait_for_the_first_batches(office: Office) -> None:
    database = open_database(office.url)
    try:
        for _ in range(6_000):
            with database.read() as connection:
                last = runs.last(connection)
            if last is not None and last.batches > 1:
                return
            time.sleep(0.01)
    finally:
        database.close()
    pytest.fail("the purge did not begin within a minute")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_purge_that_is_asked_to_stop_does_so_between_two_batches(
    sqlite_office: Office, number: signal.Signals
) -> None:
    sqlite_office.drop("a.csv", [row(f"message-{count}") for count in range(MESSAGES)])
    assert ask_office(sqlite_office, "ingest").code == 0
    sqlite_office.now += timedelta(days=100)
    where = ("--config", str(sqlite_office.config), "--now", sqlite_office.now.isoformat())
    command = [sys.executable, "-m", "retention", "purge", *where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        _wait_for_the_first_batches(sqlite_office)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (3, ""), err
    assert "stopped as asked, between two batches" in err
    status = told(ask_office, sqlite_office, "status")
    assert status["last_run"]["state"] == "stopped"
    left = MESSAGES - status["last_run"]["disposed"]
    assert 0 < left == status["registered"]
    assert ask_office(sqlite_office, "audit", "verify").code == 0
    sqlite_office.configure(("batch_size = 10", "batch_size = 1000"))
    again = told(ask_office, sqlite_office, "purge")
    assert (again["run"]["disposed"], again["run"]["due_after"]) == (left, 0)
