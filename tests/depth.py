"""How deep the tests go: a fixed sample of what is many by default, more where the environment has a ``DEPTH``.

``DEPTH=full``, to which ``.ci/run`` goes, strikes more points of the job, compares every day of a century, lives longer
lives, draws more examples and asks PostgreSQL every case that SQLite is asked. ``DEPTH=all`` strikes every point that
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


def left_out(tests: list[pytest.Item]) -> set[pytest.Item]:
    """Give the further cases on PostgreSQL, which the usual depth leaves out.

    Every test of both databases runs on both. Of one with several cases SQLite is asked all of them and PostgreSQL the
    first by name: what differs between databases is what is asked of them, and cases mostly differ in the data.
    """
    found: set[pytest.Item] = set()
    met: set[str] = set()
    for test in () if FULL else sorted(tests, key=lambda test: test.nodeid):
        cases = getattr(test, "callspec", None)
        if cases is None or test.get_closest_marker("every_case") is not None:
            continue
        if any(isinstance(value, str) and value in _ON_POSTGRES for value in cases.params.values()):
            name = test.nodeid.partition("[")[0]
            if name in met:
                found.add(test)
            met.add(name)
    return found
