"""How deep the tests go: a fixed sample of what is many by default, more where the environment has a ``DEPTH``.

``DEPTH=full``, to which ``.ci/run`` goes, strikes more points of the job, compares every day of a century, lives longer
lives, draws more examples and asks PostgreSQL every case that SQLite is asked. ``DEPTH=all`` strikes every point that
there is, which takes a quarter of an hour longer. Every test runs in every depth and demands the same of what it looks
at; what it looks at is settled by the code, never by the speed of the machine.
"""

from __future__ import annotations

import os
from typing import TypeVar

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
