"""Which tests are measured by coverage: those that were written for the rooms that must be covered to the last branch.

Whatever is traced takes half as long again or more. Everything else runs without: what it passes in those rooms on its
way does not count, so a branch of them is covered only where a test that looks at them goes through it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDERS = {"integration", "integration_api", "integration_audit"}
_UNIT = ("test_audit_", "test_policy_", "test_purge_", "test_upstream_", "test_keys_", "test_key_")
_resting: list[Coverage] = []


def is_measured(path: Path) -> bool:
    """Tell whether the tests of a file are."""
    folder = path.parent.name
    return folder in _FOLDERS or (folder == "unit" and path.name.startswith(_UNIT))


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
