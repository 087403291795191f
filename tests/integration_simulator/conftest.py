from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulator import running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator import Simulator


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("sftp"))


@pytest.fixture(scope="session")
def _process(exports: str) -> Iterator[Simulator]:
    with running_simulator("--directory", exports) as simulator:
        yield simulator


@pytest.fixture
def simulator(_process: Simulator) -> Simulator:
    """Give the one process of this worker, with a world that nobody has touched."""
    _process.reset()
    return _process
