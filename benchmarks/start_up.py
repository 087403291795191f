"""What every command pays before it begins: ``retention --help`` beside a Python that does nothing."""

from __future__ import annotations

import sys

from benchmarks.measure import Contender, measured, race
from benchmarks.table import Heading, show

_LEAST_RUNS = 10


def bench(runs: int) -> None:
    """Measure and print; the processes are short, so they are run at least ten times."""
    runs = max(runs, _LEAST_RUNS)
    contenders = [
        Contender("retention --help", lambda: measured((sys.executable, "-m", "retention", "--help"))[0]),
        Contender("python -c pass", lambda: measured((sys.executable, "-c", "pass"))[0]),
    ]
    show(Heading("start-up", 0, "whole processes"), contenders, race(contenders, runs), runs)
