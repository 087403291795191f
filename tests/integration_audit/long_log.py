"""Make a log of 100,001 entries, verify and export it, and say what that took; of 50,001 in the usual depth.

It is run as a process of its own, because coverage and tracemalloc together make every step a hundred times as long.
"""

from __future__ import annotations

import json
import os
import sys
import tracemalloc
from typing import TYPE_CHECKING

from sqlalchemy import event

from retention.audit.export import Selection, write_csv, write_jsonl
from retention.audit.verify import verify
from tests import tracing
from tests.depth import deep
from tests.integration_audit.trail import ORIGIN, Trail

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

BATCHES = deep(20, 10)
DISPOSALS = 4_999


def measured(trail: Trail, job: Callable[[Connection], int]) -> dict[str, float]:
    """Do a job; give its answer, the most memory it had allocated at once in MiB, how often it asked the database."""
    statements: list[None] = []

    def note(*_: object) -> None:
        statements.append(None)

    event.listen(trail.database.engine, "before_cursor_execute", note)
    tracing.start()
    with trail.database.read() as connection:
        answer = job(connection)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracing.stop()
    event.remove(trail.database.engine, "before_cursor_execute", note)
    return {"answer": answer, "peak": peak, "statements": len(statements)}


def main() -> None:
    """Print one object with a measurement for each job."""
    trail = Trail.found(sys.argv[1]).purge(BATCHES, DISPOSALS)
    keys = [trail.signer.verifier]
    with open(os.devnull, "w", encoding="utf-8", newline="") as nowhere:  # noqa: PTH123  # a device, not a file
        jobs: dict[str, Callable[[Connection], int]] = {
            "verify": lambda connection: verify(connection, ORIGIN, keys).size,
            "lines": lambda connection: write_jsonl(connection, Selection(), nowhere),
            "rows": lambda connection: write_csv(connection, Selection(), nowhere, ORIGIN),
        }
        json.dump({name: measured(trail, job) for name, job in jobs.items()}, sys.stdout)
    trail.database.close()


if __name__ == "__main__":
    main()
