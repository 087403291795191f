"""A reader keeps SQLite's write-ahead log open: erasure tries again, then says that it was blocked, then mends it."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from retention.store import sqlite
from tests.faults.meanwhile import finish, number_of, register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit import Office

MESSAGES = 30
PAUSE = 0.0051  # seconds; no other pause is like it
_READ = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
print(connection.execute("SELECT count(*) FROM message").fetchone()[0], flush=True)
sys.stdin.readline()
"""
OPEN = "SELECT count(*) FROM finding WHERE kind = 'erasure-blocked' AND resolved_at IS NULL"
RESIDUE = "SELECT count(*) FROM finding WHERE kind = 'residue' AND resolved_at IS NULL"


class Reader:
    """A reader in a process of its own, which sees the register as it was when it began."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{MESSAGES}\n"
        self._process = process

    def close(self) -> None:
        self._process.communicate("\n")


@pytest.fixture
def reader(sqlite_office: Office) -> Iterator[Reader]:
    """Lend a reader that looks on while everything is purged."""
    register(sqlite_office, MESSAGES, batch_size=10)
    command = [sys.executable, "-c", _READ, str(sqlite_office.folder / "register.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Reader(process)
        process.kill()


def _readable(office: Office) -> bool:
    """Look for a purged identifier from outside: a process that read these files would lose its locks on them."""
    files = [str(path) for path in office.folder.glob("register.db*")]
    return subprocess.run(["grep", "--quiet", "--text", "1:message-0000", *files], check=False).returncode == 0  # noqa: S607  # any grep will do


def test_a_reader_that_stays_is_a_finding_until_a_later_run_can_erase(
    sqlite_office: Office, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAUSE", PAUSE)
    blocked = finish(sqlite_office)
    assert (blocked.state, blocked.disposed, blocked.due_after) == ("done", MESSAGES, 0)
    assert number_of(sqlite_office, OPEN) == 1
    assert blocked.residue
    found = number_of(sqlite_office, RESIDUE)  # a finding for each file: the write-ahead log, and what it is behind of
    assert found >= 1
    assert _readable(sqlite_office)
    assert sqlite_office.cli("status").returncode in {4, 5}

    finish(sqlite_office)
    assert number_of(sqlite_office, OPEN) == 1, "the reader is still there, and the finding is not opened twice"
    assert number_of(sqlite_office, RESIDUE) == found, "a run that disposed of nothing has looked for nothing"

    reader.close()
    again = finish(sqlite_office)
    assert (again.state, again.disposed, again.residue) == ("done", 0, 0)
    assert number_of(sqlite_office, OPEN) == number_of(sqlite_office, RESIDUE) == 0
    assert not _readable(sqlite_office)


def test_a_reader_that_goes_meanwhile_is_waited_for(
    sqlite_office: Office, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if pauses.count(PAUSE) == 3:
            reader.close()

    monkeypatch.setattr(sqlite, "CHECKPOINT_PAUSE", PAUSE)
    monkeypatch.setattr(time, "sleep", sleep)
    done = finish(sqlite_office)
    assert pauses.count(PAUSE) == 3
    assert (done.state, done.disposed, done.residue) == ("done", MESSAGES, 0)
    assert number_of(sqlite_office, "SELECT count(*) FROM finding") == 0
    assert not _readable(sqlite_office)
