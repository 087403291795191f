"""Run a command as a process of its own, to its end, and tell what it took."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from typing import IO

_LINUX = sys.platform.startswith("linux")
_BLOCK = 512  # what Linux counts written bytes in, whatever the disk
_KIB = 1024
_PEAK_UNIT = _KIB if _LINUX else 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took: seconds of processor, seconds by the clock, and bytes where the system counts them.

    ``written`` is what the kernel counted as going to a disk; it is nothing for a file system in memory.
    """

    cpu: float
    wall: float
    peak: float | None = None
    written: float | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do a job. ``run`` prepares, unmeasured, and then measures one process."""

    label: str
    run: Callable[[], Cost]


def race(contenders: Sequence[Contender], runs: int) -> list[Cost]:
    """Run the contenders in turn, A B A B, and give the median cost of each."""
    costs: list[list[Cost]] = [[] for _ in contenders]
    for _ in range(runs):
        for place, contender in enumerate(contenders):
            costs[place].append(contender.run())
    return [_middle(found) for found in costs]


def measured(
    command: Sequence[str | Path], *, script: Path | None = None, accepted: Iterable[int] = (0,)
) -> tuple[Cost, str]:
    """Run a command with a script on its standard input; give what it took and what it said on standard output.

    Where its exit code is not an accepted one, the benchmark ends and repeats what the command said.
    """
    # An installed program is compiled once; with this set, one in a checkout would be compiled anew by each process.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    source = os.devnull if script is None else script
    with open(source, "rb") as told, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:  # noqa: PTH123  # one of them is no Path
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdin=told, stdout=out, stderr=err, env=environment)  # noqa: S603  # commands of this package, no shell
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accepted:
            _give_up(command, process.returncode, out, err)
        cost = Cost(
            cpu=usage.ru_utime + usage.ru_stime,
            wall=wall,
            peak=usage.ru_maxrss * _PEAK_UNIT,
            written=usage.ru_oublock * _BLOCK if _LINUX else None,
        )
        return cost, _text(out)


def _give_up(command: Sequence[str | Path], code: int, out: IO[bytes], err: IO[bytes]) -> NoReturn:
    spelled = " ".join(str(part) for part in command)
    sys.exit(f"benchmarks: this ended with code {code}: {spelled}\n{_text(out)}{_text(err)}")


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")


def _middle(costs: list[Cost]) -> Cost:
    """Give the median of each figure by itself; what was not counted is missing."""
    peaks = [cost.peak for cost in costs if cost.peak is not None]
    written = [cost.written for cost in costs if cost.written is not None]
    return Cost(
        cpu=median(cost.cpu for cost in costs),
        wall=median(cost.wall for cost in costs),
        peak=median(peaks) if peaks else None,
        written=median(written) if written else None,
    )
