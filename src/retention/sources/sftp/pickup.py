"""Fetch from an SFTP server over one connection, made anew a few times where it breaks."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from retention.errors import ConnectionLostError, PickupError, RemoteFileError
from retention.logs import get_logger
from retention.sources.interface import Pickup, RemoteFile, SkippedFile
from retention.sources.sftp import part as parts
from retention.sources.sftp.names import judge_name, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from paramiko import SFTPAttributes

    from retention.sources.sftp.account import Account
    from retention.sources.sftp.client import Client

T = TypeVar("T")

_TRIES = 3
_CHANGED = "changes while it is read; it is taken when it has settled"


class SftpPickup(Pickup):
    """A folder of an SFTP server."""

    def __init__(
        self,
        account: Account,
        folder: str,
        landing: Path,
        *,
        suffixes: Sequence[str],
        settle_seconds: float,
        removes: bool,
    ) -> None:
        """Take the account, the folder over there, the landing folder here and what may be done with the files."""
        self.name = account.source
        self.landing = landing
        self.settle_seconds = settle_seconds
        self.removes = removes
        self._account = account
        self._folder = folder.rstrip("/") or "/"
        self._suffixes = suffixes
        self._client: Client | None = None

    def look(self) -> Iterator[RemoteFile | SkippedFile]:
        """List the files that may be fetched, in no order, and those that must not be."""
        return iter(self._again(self._listed))

    def fetch(self, file: RemoteFile, part: Path, pulse: Callable[[], None]) -> str:
        """Write a file to ``part``, going on where an earlier attempt was cut off, and give its digest."""
        return self._again(partial(self._fetched, file, part, pulse))

    def remove(self, file: RemoteFile) -> None:
        """Remove this version of a file; a file that is gone already, or is another one by now, is left as it is."""
        self._again(partial(self._removed, file))

    def describe(self) -> str:
        """Say in one line where files are fetched, as whom, and which host key is expected."""
        account = self._account
        return (
            f"Source {self.name} fetches {self._folder} of {account.host}, port {account.port}, as {account.user}; "
            f"the pinned host key is {account.host_key.fingerprint}."
        )

    def problems(self) -> list[str]:
        """Say, without connecting, what is missing on this machine."""
        found = []
        try:
            _require_library()
        except PickupError as error:
            found.append(str(error))
        try:
            self._account.password() if self._account.sign_in == "password" else self._account.private_key()
        except PickupError as error:
            found.append(str(error))
        return found

    def close(self) -> None:
        """End the connection, where there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _again(self, act: Callable[[Client], T]) -> T:
        """Do something over the connection; where that breaks, a few times more over a new one."""

        def attempt() -> T:
            try:
                return act(self._connected())
            except ConnectionLostError as error:
                get_logger("sftp").warning("a connection is lost", source=self.name, reason=str(error))
                self.close()
                raise

        import stamina

        return stamina.retry(on=ConnectionLostError, attempts=_TRIES, timeout=None, wait_initial=1, wait_max=10)(
            attempt
        )()

    def _connected(self) -> Client:
        if self._client is None:
            _require_library()
            from retention.sources.sftp.client import Client

            self._client = Client(self._account)
        return self._client

    def _listed(self, client: Client) -> list[RemoteFile | SkippedFile]:
        names = client.names(self._folder.encode())
        return [found for raw, attributes in names if (found := self._judged(raw, attributes)) is not None]

    def _judged(self, raw: bytes, attributes: SFTPAttributes) -> RemoteFile | SkippedFile | None:
        from retention.sources.sftp.session import is_folder, is_regular

        if is_folder(attributes):
            return None
        name = judge_name(raw, self._suffixes)
        if not isinstance(name, str):
            return name
        if not is_regular(attributes):
            return refuse(raw, "is not a regular file, or the server does not say so; put the file itself there")
        size, modified_at = attributes.st_size, attributes.st_mtime
        if size is None or modified_at is None:
            return refuse(raw, "comes without size or time of change, so nobody can tell whether it is whole")
        return RemoteFile(name, size, modified_at)

    def _fetched(self, file: RemoteFile, path: Path, pulse: Callable[[], None], client: Client) -> str:
        with client.opened(self._path(file)) as handle, parts.opened(path) as part:
            _require_version(file, client.status(handle))

            def read(start: int, end: int) -> Iterator[bytes]:
                for block in client.read(handle, start, end):
                    pulse()
                    yield block

            part.fill(read, file.size)
            _require_version(file, client.status(handle))
            return part.digest()

    def _removed(self, file: RemoteFile, client: Client) -> None:
        found = client.status_of(self._path(file))
        if found is not None and _is_version(file, found):
            client.remove(self._path(file))

    def _path(self, file: RemoteFile) -> bytes:
        return f"{self._folder.rstrip('/')}/{file.name}".encode()


def _require_library() -> None:
    if find_spec("paramiko") is None:
        msg = 'a source of kind "sftp" needs the extra "sftp"; install it with: pip install "retention-enforcer[sftp]"'
        raise PickupError(msg)


def _is_version(file: RemoteFile, found: SFTPAttributes) -> bool:
    return (file.size, file.modified_at) == (found.st_size, found.st_mtime)


def _require_version(file: RemoteFile, found: SFTPAttributes) -> None:
    if not _is_version(file, found):
        raise RemoteFileError(_CHANGED, passing=True)
