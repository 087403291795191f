"""A warm process that forks one child for each job that is to be disturbed.

    python -m tests.faults.nursery

reads one order a line on stdin (JSON: folder, url, part, how, at), lets a child do that part, and answers with one line
on stdout: how the child ended, what it said, and the points that it passed. A child is forked from a process that has
one thread and no open database, and costs a few milliseconds where a fresh interpreter costs half a second.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
import tempfile
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import stamina

from retention.errors import RetentionError
from retention.logs import set_up_logs
from tests.dialects import share_compiled_statements
from tests.faults.job import PARTS, Part, prepared, take_part
from tests.faults.points import How, Point, Points
from tests.kit import Office

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


class Outcome(NamedTuple):
    """How a disturbed job ended: by a signal, by an error of ours, by a raw error, or well (all three empty)."""

    signal: int
    error: str
    raw: str
    points: list[Point]


class Nursery:
    """The other end of the process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Keep the process."""
        self._process = process

    def warm_up(self, office: Office, part: Part) -> None:
        """Let the process itself do a part, so that no child has to compile what this kind of database is asked."""
        self._ask(office, part, how="warm")

    def disturb(self, office: Office, part: Part, how: How, at: int | None = None) -> Outcome:
        """Let a child do a part of the job for an office, struck at one point."""
        answer = self._ask(office, part, how=how, at=at)
        return Outcome(answer["signal"], answer["error"], answer["raw"], [Point(*point) for point in answer["points"]])

    def _ask(self, office: Office, part: Part, **more: str | int | None) -> dict[str, Any]:
        order = {"folder": str(office.folder), "url": office.url, "part": part, **more}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def opened_nursery(log: Path) -> Iterator[Nursery]:
    """Start a nursery; what its children log goes to a file."""
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        yield Nursery(process)


def _serve() -> None:
    set_up_logs(verbose=False)
    logging.getLogger("retention").setLevel(logging.ERROR)
    stamina.set_testing(True, attempts=2)  # tries again, but without waiting
    share_compiled_statements()
    _warm_up()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        if order["how"] == "warm":
            take_part(Office(Path(order["folder"]), order["url"]), order["part"])
            sys.stdout.write("{}\n")
            sys.stdout.flush()
            continue
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _work(order, writing)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        answer: dict[str, Any] = {"error": "", "raw": "", "points": [], **(json.loads(said) if said else {})}
        answer["signal"] = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _warm_up() -> None:
    """Do the job once, so that no child has to load or compile what all of them need."""
    with tempfile.TemporaryDirectory() as folder:
        office = prepared(Path(folder), f"sqlite:///{folder}/register.db")
        for part in PARTS:
            take_part(office, part)


def _work(order: dict[str, Any], writing: int) -> None:
    answer = {"error": "", "raw": ""}
    office = Office(Path(order["folder"]), order["url"])
    points = Points(order["how"], order["at"], office.folder)
    points.part = order["part"]
    points.install()
    try:
        take_part(office, order["part"])
    except RetentionError as error:
        answer["error"] = f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001  # to be told by the test, not by a dead child
        answer["raw"] = traceback.format_exc()
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        json.dump({**answer, "points": points.seen}, pipe)
    os._exit(0)


if __name__ == "__main__":
    _serve()
