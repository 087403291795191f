"""SIGTERM and Ctrl-C stop a command between two batches; it says so, and the next one goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults.facts import story_told_by, wrong_with
from tests.faults.meanwhile import finish, number_of, register, running, wait_until
from tests.kit import row

if TYPE_CHECKING:
    from tests.kit import Office

MESSAGES = 400
SIGNALS = [signal.SIGTERM, signal.SIGINT]
BATCHES = "SELECT count(*) FROM purge_batch"


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_stops_a_purge_between_two_batches_and_the_next_one_goes_on(
    office: Office, number: signal.Signals
) -> None:
    register(office, MESSAGES, batch_size=1)
    with running(office, "purge") as purge:
        wait_until(office, BATCHES)
        purge.process.send_signal(number)
        ended = purge.end()
    assert (ended.code, ended.out) == (3, ""), ended.err
    assert "stopped as asked, between two batches; nothing is half done" in ended.err
    done = number_of(office, BATCHES)
    assert 0 < done < MESSAGES
    assert number_of(office, "SELECT count(*) FROM message") == MESSAGES - done
    assert number_of(office, "SELECT count(*) FROM run WHERE state = 'stopped' AND checkpoint_size > 0") == 1
    assert wrong_with(office) == []

    office.configure(("batch_size = 10", "batch_size = 500"))
    last = finish(office)
    assert (last.state, last.disposed, last.due_after, last.residue) == ("done", MESSAGES - done, 0, 0)
    assert wrong_with(office) == []
    assert len(story_told_by(office).of("disposal")) == MESSAGES


def test_a_signal_stops_an_import_between_two_batches_and_the_next_one_goes_on(sqlite_office: Office) -> None:
    many = 35_000
    sqlite_office.drop("export.csv", (row(f"message-{number}") for number in range(many)))
    with running(sqlite_office, "ingest") as ingest:
        wait_until(sqlite_office, 'SELECT coalesce(max(records), 0) FROM "import"')
        ingest.process.send_signal(signal.SIGTERM)
        ended = ingest.end()
    assert (ended.code, ended.out) == (3, ""), ended.err
    assert "stopped as asked" in ended.err
    read = number_of(sqlite_office, 'SELECT records FROM "import"')
    assert 0 < read < many
    assert number_of(sqlite_office, "SELECT count(*) FROM message") == read
    assert sqlite_office.cli("ingest").returncode == 0
    assert number_of(sqlite_office, "SELECT registered FROM \"import\" WHERE state = 'done'") == many
    assert number_of(sqlite_office, "SELECT count(*) FROM message") == many
    assert wrong_with(sqlite_office) == []
