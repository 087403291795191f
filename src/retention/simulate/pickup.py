"""The SFTP server that Hootsuite delivers scheduled exports to, and that customers fetch them from."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from hmac import compare_digest
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko import common
from paramiko import sftp as protocol

from retention.simulate.derive import hexadecimal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retention.simulate.answers import Fields

USER = "export"
_BACKLOG = 16
_KEY_BYTES, _PASSWORD_BYTES = 32, 12


@dataclass(frozen=True)
class Account:
    """Who the server is and whom it lets in; both follow from the seed."""

    password: str
    host_key: paramiko.PKey

    @classmethod
    def of(cls, seed: int) -> Account:
        """Derive the account of a world."""
        raw = bytes.fromhex(hexadecimal(seed, "sftp-host-key", _KEY_BYTES))
        private = Ed25519PrivateKey.from_private_bytes(raw)
        written = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        key = paramiko.Ed25519Key.from_private_key(StringIO(written.decode("ascii")))
        return cls(hexadecimal(seed, "sftp-password", _PASSWORD_BYTES), key)


@contextmanager
def pickup(folder: Path, address: str, port: int, account: Account) -> Iterator[Fields]:
    """Serve a folder over SFTP for the block; give what a client needs.

    Raises:
        OSError: the folder cannot be made, or the address cannot be listened on.

    """
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # clients that hang up are no news
    folder.mkdir(parents=True, exist_ok=True)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family, backlog=_BACKLOG) as door:
        Thread(target=_welcome, args=(door, folder.resolve(), account), name="sftp", daemon=True).start()
        yield {
            "sftp_host": address,
            "sftp_port": door.getsockname()[1],
            "sftp_user": USER,
            "sftp_password": account.password,
            "sftp_host_key": f"{account.host_key.get_name()} {account.host_key.get_base64()}",
        }


def _welcome(door: socket.socket, folder: Path, account: Account) -> None:
    while True:
        try:
            link, _ = door.accept()
        except OSError:  # the door was closed: the end
            return
        session = paramiko.Transport(link)
        session.add_server_key(account.host_key)
        session.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, folder)
        try:
            session.start_server(server=_Door(account))
        except (paramiko.SSHException, EOFError, OSError):
            session.close()


class _Door(paramiko.ServerInterface):
    """Lets in who knows the password."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 - one account
        return "password"

    def check_auth_password(self, username: str, password: str) -> Any:  # noqa: ANN401 - the library's number
        known = compare_digest(password.encode(), self._account.password.encode()) and username == USER
        return common.AUTH_SUCCESSFUL if known else common.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> Any:  # noqa: ANN401, ARG002 - the library's number
        return common.OPEN_SUCCEEDED if kind == "session" else common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


class _Files(paramiko.SFTPServerInterface):
    """One folder to read and remove from. Nothing above it is reached, and nothing is written."""

    def __init__(self, server: paramiko.ServerInterface, folder: Path) -> None:
        super().__init__(server)
        self._folder = folder

    def list_folder(self, path: str) -> Any:  # noqa: ANN401 - a list, or the number of an error
        return self._answered(path, lambda real: [self._attributes(one, one.name) for one in real.iterdir()])

    def stat(self, path: str) -> Any:  # noqa: ANN401 - attributes, or the number of an error
        return self._answered(path, lambda real: self._attributes(real, real.name))

    lstat = stat

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> Any:  # noqa: ANN401, ARG002 - a handle, or the number of an error
        if flags & (os.O_WRONLY | os.O_RDWR):
            return protocol.SFTP_PERMISSION_DENIED
        return self._answered(path, lambda real: _Reading(real, flags))

    def remove(self, path: str) -> Any:  # noqa: ANN401 - as above
        failed = self._answered(path, Path.unlink)
        return protocol.SFTP_OK if failed is None else failed

    def _answered(self, path: str, act: Callable[[Path], object]) -> object:
        real = self._folder / self.canonicalize(path).lstrip("/")
        try:
            return act(real) if real.resolve().is_relative_to(self._folder) else protocol.SFTP_PERMISSION_DENIED
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    @staticmethod
    def _attributes(real: Path, name: str) -> paramiko.SFTPAttributes:
        return paramiko.SFTPAttributes.from_stat(real.lstat(), name)


class _Reading(paramiko.SFTPHandle):
    """An export that is being read."""

    def __init__(self, real: Path, flags: int) -> None:
        super().__init__(flags)
        self.readfile = real.open("rb")

    def stat(self) -> paramiko.SFTPAttributes:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))
