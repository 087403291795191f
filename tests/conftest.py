"""What every test may ask for: databases, installations, and how hard Hypothesis tries.

Most tests want a fresh installation and nothing else, so one is made once and copied, and on PostgreSQL one database
gets its rows back for each test instead of being made anew.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from tests.depth import deep, left_out
from tests.dialects import share_compiled_statements
from tests.kit import Office
from tests.measured import is_measured, unmeasured
from tests.postgres import KeptRows, running_postgres
from tests.sftp_server import running_sftp_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import PostgresServer
    from tests.sftp_server import SftpServer, SftpUser

_IN_MEMORY = Path("/dev/shm")  # noqa: S108  # pytest makes a private folder in it
_ROOM = 2 << 30  # bytes; a container often has 64 MiB there

# Hundreds of tests run the command as a process; compiling the program anew each time takes longer than what they do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What the tests make lives long or dies by its last reference; looking for cycles at the usual rate finds nothing.
gc.set_threshold(50_000, 20, 20)

# Files of tests go to memory where there is room: a disk makes every commit of SQLite wait and shows nothing more.
if os.access(_IN_MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))

share_compiled_statements()

# No deadline anywhere: how long an example takes says more about the machine than about the code.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=deep(200, 40))
settings.register_profile("dev", _PATIENT)
settings.register_profile("ci", _PATIENT, derandomize=True, print_blob=True, database=None)
settings.register_profile("thorough", _PATIENT, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start one more than there are processors: tests of services and signals mostly wait."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    further = left_out(items)
    if further:
        config.hook.pytest_deselected(items=[item for item in items if item in further])
        items[:] = [item for item in items if item not in further]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if is_measured(item):
        return (yield)
    with unmeasured():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
    """Measure nothing that is made for several tests: which of them comes first, and makes it, is chance."""
    if fixturedef.scope == "function":
        return (yield)
    with unmeasured():
        return (yield)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run one PostgreSQL for the tests of this process; each worker of pytest-xdist has its own."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """Give the address of the server's maintenance database, ``postgresql://…``."""
    return postgres_server.url("postgres")


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of an empty PostgreSQL database that is dropped after the test."""
    with postgres_server.database(f"test_{uuid4().hex}") as url:
        yield url


@pytest.fixture(scope="session")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    """Run one SFTP server for the tests of this process."""
    with running_sftp_server(tmp_path_factory.mktemp("sftp")) as server:
        yield server


@pytest.fixture
def sftp_user(sftp_server: SftpServer) -> SftpUser:
    """Give a user of the server, with an empty folder."""
    return sftp_server.user(f"user-{uuid4().hex}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Run the test twice, each time with the address of an empty database of another kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'register.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of an installation on SQLite that was set up as a drill and never used."""
    folder = tmp_path_factory.mktemp("founded")
    Office(folder, f"sqlite:///{folder / 'register.db'}").found()
    return folder


@pytest.fixture(scope="session")
def founded_on_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, KeptRows]]:
    """Give the folder and the rows of such an installation on PostgreSQL; its database is lent to test after test."""
    folder = tmp_path_factory.mktemp("founded")
    with postgres_server.database(f"kept_{uuid4().hex}") as url:
        Office(folder, url).found()
        yield folder, KeptRows(url)


@pytest.fixture
def sqlite_office(founded: Path, tmp_path: Path) -> Office:
    """Give a fresh installation on SQLite: a copy of the one that was set up."""
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    return Office(tmp_path, f"sqlite:///{tmp_path / 'register.db'}")


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    """Give a fresh installation, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        made: Office = request.getfixturevalue("sqlite_office")
        return made
    first: Path
    kept: KeptRows
    first, kept = request.getfixturevalue("founded_on_postgres")
    if not kept.put_back():  # the test before left another schema than migrations make
        return Office(tmp_path, kept.url).found()
    shutil.copytree(first, tmp_path, dirs_exist_ok=True)
    return Office(tmp_path, kept.url)
