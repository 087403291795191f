"""How deep the tests go: a fixed sample of what is many by default, more where the environment has a ``DEPTH``.

``DEPTH=full``, to which ``.ci/run`` goes, strikes more points of the job, compares every day of a century, lives longer
lives, draws more examples and asks PostgreSQL all that SQLite is asked. ``DEPTH=all`` strikes every point that
there is, which takes a quarter of an hour longer. Every test runs in every depth and demands the same of what it looks
at; what it looks at is settled by the code, never by the speed of the machine.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pytest

T = TypeVar("T")

_DEPTHS = ("usual", "full", "all")
_ASKED = os.environ.get("DEPTH") or "usual"
if _ASKED not in _DEPTHS:
    msg = f"DEPTH is one of {', '.join(_DEPTHS)}, not {_ASKED}"
    raise ValueError(msg)

FULL = _ASKED != "usual"
EVERYTHING = _ASKED == "all"
_ENOUGH = 25


def deep(full: T, usual: T) -> T:
    """Give the first in the full depth and beyond it, else the second."""
    return full if FULL else usual


def tries(many: int) -> int:
    """Say how many examples a property draws: twice as many in the full depth; else a quarter, but 25 where it can."""
    return 2 * many if FULL else min(many, max(many // 4, _ENOUGH))


_ON_POSTGRES = {"postgresql", "postgres_day", "purged_postgres"}  # how fixtures of several databases name it


# Of these files of tests of both databases PostgreSQL is asked each fourth test: what they look at is decided in
# Python, and asks of the register what others, and the rest of the same file, ask on PostgreSQL as well.
_MOSTLY_ON_SQLITE = (
    "integration/test_anchors.py",
    "integration/test_approvals.py",
    "integration/test_belts.py",
    "integration/test_coverage.py",
    "integration/test_explain.py",
    "integration/test_ingest_resumed.py",
    "integration/test_ingested_files.py",
    "integration/test_keys.py",
    "integration/test_ledger.py",
    "integration/test_log_export.py",
    "integration/test_notify_occasions.py",
    "integration/test_notify_passes.py",
    "integration/test_purge_plan.py",
    "integration/test_purge_rules.py",
    "integration/test_record.py",
    "integration/test_redated.py",
    "integration/test_restored.py",
    "integration/test_sources_configured.py",
    "integration/test_status.py",
    "integration/test_upstream.py",
    "integration/test_watching.py",
    "integration/test_webhook_events.py",
    "integration/test_webhook_evidence.py",
)
_EACH = 4

# These are about what is asked of the database itself: PostgreSQL is asked all of their tests, of others each second.
_OF_THE_DATABASE = (
    "faults/test_every_point.py",
    "integration/test_holds_property.py",
    "integration/test_lease.py",
    "integration/test_migrations.py",
    "integration/test_purge_batches.py",
    "integration/test_serve_hosts.py",
    "integration/test_setup_cut_off.py",
    "integration/test_statements.py",
)
_OF_OTHERS = 2
_LONG = ("integration/test_serve_drill.py",)
"""Many days of two hosts: in the usual depth on SQLite alone; how hosts on PostgreSQL agree is looked at by itself."""


def _step(file: str) -> int:
    """Of how many tests of a file PostgreSQL is asked one."""
    if file.endswith(_OF_THE_DATABASE):
        return 1
    return _EACH if file.endswith(_MOSTLY_ON_SQLITE) else _OF_OTHERS


def left_out(tests: list[pytest.Item]) -> set[pytest.Item]:
    """Give what the usual depth does not ask PostgreSQL, of tests that are asked of both databases.

    Of a test with several cases SQLite is asked all of them and PostgreSQL the first by name, because what differs
    between databases is what is asked of them, and cases mostly differ in the data. Of most files each second or fourth
    test by name is asked of PostgreSQL, beginning with the first.
    """
    found: set[pytest.Item] = set()
    met: dict[str, list[str]] = {}
    for test in () if FULL else sorted(tests, key=lambda test: test.nodeid):
        cases = getattr(test, "callspec", None)
        if cases is None or test.get_closest_marker("every_case") is not None:
            continue
        if any(isinstance(value, str) and value in _ON_POSTGRES for value in cases.params.values()):
            file, _, name = test.nodeid.partition("[")[0].partition("::")
            names = met.setdefault(file, [])
            if name in names or file.endswith(_LONG) or len(names) % _step(file):
                found.add(test)
            if name not in names:
                names.append(name)
    return found
