"""The exports that a schedule wrote are fetched by SFTP, by clients of two makes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh
import pytest

from tests.kit import Office
from tests.simulator import running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.simulator import Simulator


@dataclass(frozen=True)
class Served:
    """A simulator, what it said about SFTP, and the folder that it serves."""

    simulator: Simulator
    sftp: dict[str, str]
    folder: Path

    async def sign_in(self, password: str) -> asyncssh.SSHClientConnection:
        return await asyncssh.connect(
            self.sftp["sftp_host"],
            int(self.sftp["sftp_port"]),
            username=self.sftp["sftp_user"],
            password=password,
            known_hosts=asyncssh.import_known_hosts(f"* {self.sftp['sftp_host_key']}"),
            config=None,
        )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("exports")
    with running_simulator("--directory", str(folder), "--sftp", "127.0.0.1:0") as simulator:
        told = simulator.told
        simulator.reset()
        yield Served(simulator, told, folder)


def test_a_source_fetches_what_was_exported_and_removes_it(served: Served, tmp_path: Path) -> None:
    exported = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00Z"}
    served.simulator.control.did("/simulator/export", "POST", **exported)
    waiting = served.folder / "export/message"
    assert list(waiting.iterdir())
    account = f"""kind = "sftp"
host = "127.0.0.1"
port = {served.sftp["sftp_port"]}
user = "export"
host_key = "{served.sftp["sftp_host_key"]}"
sign_in = "password"
"""
    office = Office(tmp_path, "sqlite:///register.db")
    office.environment["RETENTION_HOOTSUITE_INBOX_SFTP_PASSWORD"] = served.sftp["sftp_password"]
    office.configure(('kind = "csv-export"\n', account))
    office.found()
    (one,) = office.told("ingest")["imports"]
    assert one["registered"] > 0
    assert not list(waiting.iterdir())


def test_nothing_above_the_folder_is_reached(served: Served) -> None:
    folder = served.folder
    (folder.parent / "secret").write_text("not for clients", encoding="utf-8")
    (folder / "link").symlink_to(folder.parent / "secret")

    async def tried() -> list[str]:
        ends = []
        async with await served.sign_in(served.sftp["sftp_password"]) as link, link.start_sftp_client() as client:
            for what in (client.open("../secret"), client.open("link"), client.open("new", "w"), client.mkdir("f")):
                with pytest.raises(asyncssh.SFTPError) as refused:
                    await what
                ends.append(type(refused.value).__name__)
        return ends

    assert asyncio.run(tried()) == [
        "SFTPNoSuchFile",
        "SFTPPermissionDenied",
        "SFTPPermissionDenied",
        "SFTPOpUnsupported",
    ]


def test_a_wrong_password_does_not_open(served: Served) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(served.sign_in("a guess"))


def test_sftp_without_a_folder_is_wrong_usage() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "retention", "simulate", "--sftp", "127.0.0.1:0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "--directory" in done.stderr
