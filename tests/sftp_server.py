"""A real SFTP server in a process of its own, which misbehaves as it is told.

    python -m tests.sftp_server FOLDER

Every user has a folder of their own below FOLDER and may have a file ``USER.json`` beside it, which says what is wrong:

    cut_after, cuts   the connection is torn once that many bytes were sent, as often as ``cuts`` says
    silent            reads are never answered
    short             no read gets more than so many bytes
    refuse_remove     files may not be removed
    refuse_read       files may not be opened
    strange           names that a listing has beside the real ones, in latin-1
    vanish, grow      a file that is removed, or gets a line more, once it was listed or opened
    many              a listing has that many names

``USER.log`` has a line for everything that a user asked for.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ROOT = Path(__file__).parents[1]
FOLDER = "export/message"
PASSWORD = "a pass of words"  # noqa: S105  # of this server only
REFUSED = "not for you"
_cuts: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class SftpServer:
    """The other end of the process: ``moved_port`` is the same server under another host key."""

    folder: Path
    port: int
    moved_port: int
    host_key: str
    fingerprint: str
    moved_fingerprint: str

    def user(self, name: str) -> SftpUser:
        """Give a user with an empty folder."""
        user = SftpUser(self, name)
        user.exports.mkdir(parents=True)
        return user


@dataclass(frozen=True, slots=True)
class SftpUser:
    """One user of the server: what is in their folder and how they are treated."""

    server: SftpServer
    name: str

    @property
    def exports(self) -> Path:
        """The folder that exports wait in."""
        return self.server.folder / self.name / FOLDER

    @property
    def key_file(self) -> Path:
        """A private key that lets every user in."""
        return self.server.folder / "id"

    def treat(self, **how: object) -> None:
        """Say what is to go wrong from the next session on."""
        (self.server.folder / f"{self.name}.json").write_text(json.dumps(how), encoding="utf-8")

    def asked(self, what: str = "") -> list[str]:
        """Give what the user has asked for since the last time."""
        log = self.server.folder / f"{self.name}.log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line for line in lines if line.startswith(what)]

    def source(self, *changes: tuple[str, str]) -> tuple[str, str]:
        """Give the change of an office's configuration that makes its source fetch from here."""
        text = f"""kind = "sftp"
host = "127.0.0.1"
port = {self.server.port}
user = "{self.name}"
host_key = "{self.server.host_key}"
key_file = "{self.key_file}"
"""
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return ('kind = "csv-export"\n', text)


@contextmanager
def running_sftp_server(folder: Path) -> Iterator[SftpServer]:
    """Run the server for the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.sftp_server", str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield SftpServer(folder, **json.loads(process.stdout.readline()))
        process.kill()


class _Door(asyncssh.SSHServer):
    """Lets users in with the one key or the one password."""

    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key.export_public_key()

    def begin_auth(self, username: str) -> bool:
        return bool(username)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return bool(username) and key.export_public_key() == self._key

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return bool(username) and password == PASSWORD


class _Files(asyncssh.SFTPServer):
    """The files of one user."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], folder: Path) -> None:
        self._user = str(channel.get_extra_info("username"))
        super().__init__(channel, chroot=str(folder / self._user).encode())
        self._folder = folder
        told = folder / f"{self._user}.json"
        self._how: dict[str, Any] = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
        self._sent = 0
        self._note("connect")

    def _note(self, line: str) -> None:
        with (self._folder / f"{self._user}.log").open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")

    def _real(self, name: str) -> Path:
        return self._folder / self._user / FOLDER / name

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        self._note("list")
        async for one in super().scandir(path):
            yield one
        attributes = asyncssh.SFTPAttrs(permissions=0o100644, size=7, mtime=1, atime=1)
        for name in self._how.get("strange", []):
            yield asyncssh.SFTPName(name.encode("latin-1"), attrs=attributes)
        for number in range(self._how.get("many", 0)):
            yield asyncssh.SFTPName(b"%d.csv" % number, attrs=attributes)
        if name := self._how.get("vanish"):
            self._real(name).unlink()

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if self._how.get("refuse_read"):
            raise asyncssh.SFTPPermissionDenied(REFUSED)
        return super().open(path, pflags, attrs)

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        self._note(f"read {offset}")
        if self._how.get("silent"):
            await asyncio.Event().wait()
        if name := self._how.pop("grow", None):
            with self._real(name).open("ab") as file:
                file.write(b"one line more\r\n")
        data = super().read(file_obj, offset, min(size, self._how.get("short", size)))
        assert isinstance(data, bytes)
        self._sent += len(data)
        torn = self._how.get("cut_after", self._sent) < self._sent
        if torn and _cuts[self._user] < self._how["cuts"]:
            _cuts[self._user] += 1
            self._how["cut_after"] = sys.maxsize  # reads that are under way in this session count no more
            self.channel.get_connection().abort()
        return data

    def remove(self, path: bytes) -> None:
        self._note("remove")
        if self._how.get("refuse_remove"):
            raise asyncssh.SFTPPermissionDenied(REFUSED)
        super().remove(path)


async def _serve(folder: Path) -> None:
    key, moved, own = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
    own.write_private_key(str(folder / "id"))
    (folder / "id").chmod(0o600)

    async def listening(host_key: asyncssh.SSHKey) -> int:
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=partial(_Door, own),
            server_host_keys=[host_key],
            sftp_factory=partial(_Files, folder=folder),
        )
        servers.append(server)
        return server.get_port()

    servers: list[asyncssh.SSHAcceptor] = []
    ready = {
        "port": await listening(key),
        "moved_port": await listening(moved),
        "host_key": key.export_public_key().decode().strip(),
        "fingerprint": key.get_fingerprint(),
        "moved_fingerprint": moved.get_fingerprint(),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the tests are over, however they end


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
