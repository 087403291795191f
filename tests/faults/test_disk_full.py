"""A disk that is really full: the system refuses to let any file grow, and the commands say so and lose nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults.facts import wrong_with
from tests.faults.meanwhile import finish, number_of, register

if TYPE_CHECKING:
    from tests.kit import Office

MESSAGES = 2_000
_LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
from retention.cli import main
main()
"""


def _with_small_files(office: Office, command: str, kilobytes: int) -> subprocess.CompletedProcess[str]:
    """Run a command that cannot write any file beyond a size."""
    arguments = [command, "--config", str(office.config), "--now", office.now.isoformat()]
    return subprocess.run(
        [sys.executable, "-c", _LIMITED.format(limit=kilobytes * 1024), *arguments],
        cwd=office.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize("kilobytes", [0, 40, 200])
def test_a_purge_on_a_full_disk_fails_clearly_and_goes_on_when_there_is_room(
    sqlite_office: Office, kilobytes: int
) -> None:
    register(sqlite_office, MESSAGES, batch_size=100)
    failed = _with_small_files(sqlite_office, "purge", kilobytes)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "retention: the database says: " in failed.stderr
    assert "Traceback" not in failed.stderr
    assert wrong_with(sqlite_office) == []
    done = number_of(sqlite_office, "SELECT coalesce(sum(disposed), 0) FROM run")
    assert number_of(sqlite_office, "SELECT count(*) FROM message") == MESSAGES - done
    last = finish(sqlite_office)
    assert (last.state, last.disposed, last.due_after) == ("done", MESSAGES - done, 0)
    assert wrong_with(sqlite_office) == []
