"""However long the log, verification and exports read it once, page by page, and keep next to nothing of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import event

from tests.integration_audit.long_log import BATCHES, DISPOSALS

if TYPE_CHECKING:
    from tests.integration_audit.trail import Trail

ENTRIES = 1 + BATCHES * (DISPOSALS + 1)
ROOT = Path(__file__).parents[2]


def test_long_log_is_verified_and_exported_in_the_memory_of_a_page_or_a_batch(tmp_path: Path) -> None:
    """Measure with a log of 100,001 entries, whose text alone would take 15 MiB in Python; 50,001 by default."""
    command = [sys.executable, "-m", "tests.integration_audit.long_log", f"sqlite:///{tmp_path / 'long.db'}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=110)
    assert done.returncode == 0, done.stderr
    jobs = json.loads(done.stdout)
    assert [jobs[job]["answer"] for job in ("verify", "lines", "rows")] == [ENTRIES, ENTRIES, ENTRIES - 1 - BATCHES]
    assert jobs["verify"]["peak"] < 3, jobs
    assert jobs["lines"]["peak"] < 12, jobs
    assert jobs["rows"]["peak"] < 12, jobs
    assert jobs["verify"]["statements"] < ENTRIES / 1000, jobs


def test_short_log_is_verified_with_few_questions_to_the_database(trail: Trail) -> None:
    statements: list[None] = []

    def note(*_: object) -> None:
        statements.append(None)

    event.listen(trail.database.engine, "before_cursor_execute", note)
    try:
        assert trail.verify().ok
    finally:
        event.remove(trail.database.engine, "before_cursor_execute", note)
    assert len(statements) <= 11
