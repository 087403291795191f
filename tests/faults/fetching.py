"""A warm process that forks one child for each fetch that is to be disturbed, much as the nursery does.

    python -m tests.faults.fetching

reads one order a line on stdin (JSON: folder, url, source, how, at) and answers with the points that the child passed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import stamina

from retention import cycle
from retention.sources.sftp import client, part
from retention.watcher import Watcher
from tests.faults.nursery import ROOT, Outcome
from tests.faults.points import How, Point, Points
from tests.kit import Office

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SYNC = 40_000


def ingest(office: Office, source: tuple[str, str]) -> None:
    """Fetch and ingest once; parts are made durable often."""
    office.configure(source)
    context = office.open()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(part, "SYNC", SYNC)
            cycle.ingest(context, office.now, Watcher())
    finally:
        context.database.close()


@contextmanager
def opened_fetching() -> Iterator[Callable[[Office, tuple[str, str], How, int | None], Outcome]]:
    """Start the process, and give the function that lets a child fetch, struck at one point."""
    command = [sys.executable, "-m", "tests.faults.fetching"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:

        def disturb(office: Office, source: tuple[str, str], how: How, at: int | None = None) -> Outcome:
            assert process.stdin is not None
            assert process.stdout is not None
            order = {"folder": str(office.folder), "url": office.url, "source": source, "how": how, "at": at}
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            return Outcome(answer["signal"], "", answer["raw"], [Point(*point) for point in answer["points"]])

        yield disturb


def _serve() -> None:
    assert client.__name__ in sys.modules  # loaded before the first child is forked
    stamina.set_testing(True, attempts=2)
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _work(order, writing)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        answer = {"raw": "", "points": [], **(json.loads(said) if said else {})}
        answer["signal"] = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _work(order: dict[str, object], writing: int) -> None:
    answer = ""
    how: How = order["how"]  # type: ignore[assignment]  # as the other end wrote it
    at: int | None = order["at"]  # type: ignore[assignment]
    points = Points(how, at, Path(str(order["folder"])))
    try:
        office = Office(Path(str(order["folder"])), str(order["url"]))
        source: list[str] = order["source"]  # type: ignore[assignment]
        office.configure((source[0], source[1]))
        points.install()
        ingest(office, (source[0], source[1]))
    except BaseException:  # noqa: BLE001  # to be told by the test, not by a dead child
        answer = traceback.format_exc()
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        json.dump({"raw": answer, "points": points.seen}, pipe)
    os._exit(0)


if __name__ == "__main__":
    _serve()
