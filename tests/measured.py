"""Which tests are measured by coverage: examples written for the rooms that must be covered to the last branch.

Whatever is traced takes half as long again or more, so everything else runs without: tests of other rooms, properties
(Hypothesis is traced as well, and what chance finds should not count), what PostgreSQL does once more after SQLite, and
what is marked as ``unmeasured`` because it goes through the same lines ten thousand times. What those pass in the rooms
does not count, so a branch is covered only where a test that looks at it goes through it, and the figure is the same in
every order of the tests.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from coverage import Coverage
from hypothesis import is_hypothesis_test

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

_FOLDERS = {"attacks", "integration", "integration_api", "integration_audit"}
_FILES = ("test_audit_", "test_keys_", "test_policy_", "test_residue", "test_upstream_")
# Of those folders, tests of other rooms, which pass through these only.
_NOT_FILES = (
    "test_approvals",
    "test_explain",
    "test_failures",
    "test_ingest.py",
    "test_ingest_resumed",
    "test_log_export",
    "test_migrations",
    "test_permission",
    "test_serve",
    "test_setup",
    "test_sftp_refused",
    "test_sources",
    "test_statements",
    "test_status",
    "test_webhook_events",
    "test_webhook_server",
)
_resting: list[Coverage] = []


def is_measured(test: pytest.Item) -> bool:
    """Tell whether a test is."""
    inside = test.path.parent.name in _FOLDERS and not test.path.name.startswith(_NOT_FILES)
    looks = inside or test.path.name.startswith(_FILES)
    chance = is_hypothesis_test(getattr(test, "function", None))
    marked = test.get_closest_marker("unmeasured") is not None
    return looks and not chance and not marked and "postgres" not in test.name


@contextmanager
def unmeasured() -> Iterator[None]:
    """Do without coverage for a while, if it is there at all."""
    coverage = Coverage.current()
    if coverage is None or _resting:
        yield
        return
    coverage.stop()
    _resting.append(coverage)
    try:
        yield
    finally:
        _resting.clear()
        coverage.start()
