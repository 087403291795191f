"""A process that dies anywhere between its first step and its last is made good by the next one.

The job (listing three windows page by page, importing them, purging, deleting at the interface) is killed at points of
every kind: a commit, before and after; a step on a file; a call, before it is made and after it was answered. Eight
points by one seed, one of each turn of the kinds; ``DEPTH=full`` tries a hundred.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest

from retention import cycle
from retention.audit.verify import verify
from retention.sources.hootsuite_api import listing
from retention.sources.hootsuite_api.wire import Wire
from retention.upstream import api
from retention.watcher import Watcher
from tests.depth import deep
from tests.faults.points import Points
from tests.integration_api.branch import Branch
from tests.integration_api.test_removal import LATER, due, left, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.simulator import Simulator

KILLS = deep(100, 8)
SEED = 2026


def job(branch: Branch) -> None:
    branch.ingest()
    branch.close()
    cycle.purge(branch.context, LATER, Watcher())
    branch.close()


def disturbed(branch: Branch, at: int | None) -> tuple[int, list[list[Any]]]:
    """Do the job in a child that dies at a point; give its signal, and without a point all that it passed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        points = Points("count" if at is None else "kill", at, branch.office.folder)
        points.install()
        Wire._exchange = watched(points, Wire._exchange)  # type: ignore[method-assign]  # noqa: SLF001  # in the child alone
        job(branch)
        with os.fdopen(writing, "w") as pipe:
            json.dump(points.seen if at is None else [], pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, json.loads(said or "[]")


def watched(points: Points, exchange: Callable[..., Any]) -> Callable[..., Any]:
    def watch(wire: Wire, asked: Any) -> Any:  # noqa: ANN401  # handed on
        points.reach("file", f"before {asked.method} {asked.path}", OSError)
        answer = exchange(wire, asked)
        points.reach("file", f"after {asked.method} {asked.path}", OSError)
        return answer

    return watch


def chosen(seen: list[list[Any]]) -> list[int]:
    """Choose points: calls, commits and steps on files alike, and a few of the rest."""
    chance = random.Random(SEED)  # noqa: S311  # chooses what to try
    by_kind: dict[str, list[int]] = {}
    for number, _, kind, what in seen:
        by_kind.setdefault("call" if what.startswith(("before", "after")) else kind, []).append(number)
    found: list[int] = []
    kinds = ["call", "commit", "call", "file", "call", "committed", "file", "statement"]
    while len(found) < KILLS:
        among = by_kind.get(kinds[len(found) % len(kinds)]) or [number for number, *_ in seen]
        found.append(chance.choice(among))
    return found


@pytest.mark.timeout(600)
@pytest.mark.unmeasured
def test_a_process_killed_anywhere_is_made_good_by_the_next(
    hootsuite: Simulator, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_PAGE", 10)
    monkeypatch.setattr(api, "GROUP", 3)
    monkeypatch.setenv("RETENTION_POSTS_CLIENT_SECRET", hootsuite.told["client_secret"])
    branch = begun(hootsuite, template, tmp_path / "undisturbed")
    everything, wanted = branch.everything(), due(branch)  # the same in every world of the seed
    outcome, seen = disturbed(branch, None)
    assert outcome == 0
    kills = 0
    for number, at in enumerate(chosen(seen)):
        branch = begun(hootsuite, template, tmp_path / str(number))
        outcome, _ = disturbed(branch, at)
        kills += outcome == signal.SIGKILL
        job(branch)
        check(branch, everything, wanted, f"point {at}: {seen[at]}")
        shutil.rmtree(branch.office.folder)
    assert kills > KILLS * 3 // 4


def begun(hootsuite: Simulator, template: Path, folder: Path) -> Branch:
    hootsuite.reset(messages=60)
    shutil.copytree(template, folder)
    branch = Branch(folder, hootsuite)
    branch.configure(upstream="api")
    return branch


def check(branch: Branch, everything: set[str], wanted: set[str], where: str) -> None:
    assert branch.registered() == everything - wanted, where
    assert branch.everything() == everything - wanted, where
    counts = told(branch)
    assert counts == {"intended": len(wanted), "deleted": len(wanted)}, where
    assert (left(branch), branch.findings(), list(branch.office.landing.iterdir())) == (0, [], []), where
    context = branch.context
    with context.database.read() as connection:
        assert verify(connection, context.installation.origin, context.verifiers).ok, where
        rows = "SELECT sum(registered), sum(CASE WHEN state = 'done' THEN 0 ELSE 1 END) FROM \"import\""
        assert tuple(connection.exec_driver_sql(rows).one()) == (len(everything), 0), where
    branch.close()
