from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import stamina

from tests.integration_api.branch import Branch
from tests.simulator import running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.simulator import Simulator


@pytest.fixture(scope="session")
def _hootsuite() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def hootsuite(_hootsuite: Simulator) -> Iterator[Simulator]:
    """Give the simulator of this worker with a new world; calls that fail are made again at once, thrice in all."""
    _hootsuite.reset()
    with stamina.set_testing(True, attempts=3):
        yield _hootsuite


@pytest.fixture(scope="session")
def template(_hootsuite: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of an office that was set up and has done nothing yet."""
    folder = tmp_path_factory.mktemp("template")
    Branch(folder, _hootsuite)
    return folder


@pytest.fixture
def branch(hootsuite: Simulator, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Branch]:
    """Give an office that asks the simulator."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    made = Branch(tmp_path, hootsuite)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()
