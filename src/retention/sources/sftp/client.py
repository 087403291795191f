"""One connection to one server, and what can be asked over it.

The host key is compared before anything is said about who we are. There is no agent, no file of known hosts, no other
way to sign in than the configured one and no compression. Every error leaves here as one of ours, without a word of the
server's own texts, which may hold anything.
"""

from __future__ import annotations

import logging
import socket
import struct
from contextlib import contextmanager, suppress
from io import StringIO
from typing import TYPE_CHECKING

import paramiko
from paramiko import sftp as protocol

from retention.errors import ConnectionLostError, HostKeyError, PickupError, RemoteFileError
from retention.sources.sftp.host_key import fingerprint_of
from retention.sources.sftp.session import Refusal, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.sources.sftp.account import Account

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 20.0
KEEPALIVE_SECONDS = 20

logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # it tells addresses and texts of the server


class Client:
    """An open session on a server."""

    def __init__(self, account: Account) -> None:
        """Connect, check the host key and sign in.

        Raises:
            ConnectionLostError: the server cannot be reached.
            HostKeyError: it is not the server that the configuration means.
            PickupError: it does not let us in, or a secret is missing.

        """
        self._host = account.host
        with _translated(account.host):
            link = socket.create_connection((account.host, account.port), CONNECT_SECONDS)
        self._transport = _transport(link, account)
        try:
            _sign_in(self._transport, account)
            with _translated(account.host):
                self._transport.set_keepalive(KEEPALIVE_SECONDS)
                channel = self._transport.open_session(timeout=CONNECT_SECONDS)
                channel.settimeout(ANSWER_SECONDS)
                channel.invoke_subsystem("sftp")
                self._session = Session(channel)
        except BaseException:
            self._transport.close()
            raise

    def close(self) -> None:
        """End the session and the connection."""
        self._transport.close()

    def names(self, folder: bytes) -> Iterator[tuple[bytes, paramiko.SFTPAttributes]]:
        """List a folder: names as bytes, with what the server says of each."""
        try:
            with _translated(self._host):
                yield from self._session.names(folder)
        except Refusal as refusal:
            where = folder.decode("utf-8", "replace")
            why = "it does not exist" if refusal.gone else refusal.why
            msg = f"the folder {where} of {self._host} cannot be listed: {why}; check remote_folder and the account"
            raise PickupError(msg) from None

    @contextmanager
    def opened(self, path: bytes) -> Iterator[bytes]:
        """Open a file for reading and give its handle, which goes back to the server while that can be talked to."""
        with _translated(self._host), _of_one_file("read"):
            handle = self._session.open_for_reading(path)
        try:
            yield handle
        except RemoteFileError:
            self._give_back(handle)
            raise
        self._give_back(handle)

    def status(self, handle: bytes) -> paramiko.SFTPAttributes:
        """Ask for size and time of change of an open file."""
        with _translated(self._host), _of_one_file("read"):
            return self._session.attributes(protocol.CMD_FSTAT, handle)

    def status_of(self, path: bytes) -> paramiko.SFTPAttributes | None:
        """Ask for size and time of change of what lies at a path, following no link; None where nothing is there."""
        try:
            with _translated(self._host):
                return self._session.attributes(protocol.CMD_LSTAT, path)
        except Refusal as refusal:
            _pass_if_gone(refusal, "looked at")
            return None

    def read(self, handle: bytes, start: int, end: int) -> Iterator[bytes]:
        """Stream the bytes of an open file from start to end, in blocks."""
        with _translated(self._host), _of_one_file("read"):
            yield from self._session.blocks(handle, start, end)

    def _give_back(self, handle: bytes) -> None:
        with _translated(self._host), suppress(Refusal):
            self._session.close_handle(handle)

    def remove(self, path: bytes) -> None:
        """Remove a file; one that is gone already is as good."""
        try:
            with _translated(self._host):
                self._session.remove(path)
        except Refusal as refusal:
            _pass_if_gone(refusal, "removed")


def _transport(link: socket.socket, account: Account) -> paramiko.Transport:
    """Agree on keys and compare the server's own with the pinned one."""
    transport = paramiko.Transport(link)
    try:
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = CONNECT_SECONDS
        if account.host_key.algorithms:
            transport.get_security_options().key_types = account.host_key.algorithms
        with _translated(account.host):
            transport.start_client(timeout=CONNECT_SECONDS)
            _compare(account, fingerprint_of(transport.get_remote_server_key().asbytes()))
    except paramiko.ssh_exception.IncompatiblePeer as error:
        transport.close()
        if "host key" in str(error):  # the server has none of the pinned type
            raise HostKeyError(_other_key(account, "a key of another type")) from None
        msg = f"{account.host} and this program have no way of encryption in common; have the server brought up to date"
        raise PickupError(msg) from None
    except BaseException:
        transport.close()
        raise
    return transport


def _compare(account: Account, shown: str) -> None:
    if shown != account.host_key.fingerprint:
        raise HostKeyError(_other_key(account, shown))


def _other_key(account: Account, shown: str) -> str:
    return (
        f"the host key of {account.host} is not the pinned one: {account.host_key.fingerprint} is configured, and the "
        f"server showed {shown}. Nothing was fetched. Ask those who run the server whether they have changed it; only "
        "then put the key that they name into host_key of the source "
        f"{account.source}"
    )


def _sign_in(transport: paramiko.Transport, account: Account) -> None:
    way = "the password" if account.sign_in == "password" else "the key"
    try:
        with _translated(account.host):
            if account.sign_in == "password":
                transport.auth_password(account.user, account.password(), fallback=False)
            else:
                transport.auth_publickey(account.user, _private_key(account))
    except paramiko.AuthenticationException:
        pass
    if not transport.is_authenticated():
        msg = f"{account.host} does not let {account.user} in with {way}; check user, sign_in and the secret"
        raise PickupError(msg)


def _private_key(account: Account) -> paramiko.PKey:
    text, passphrase = account.private_key(), account.passphrase()
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(StringIO(text), passphrase)
        except paramiko.PasswordRequiredException:
            msg = f"the private key needs its passphrase; give it as the credential {account.source}-sftp-passphrase"
            raise PickupError(msg) from None
        except (paramiko.SSHException, ValueError, IndexError, struct.error):
            continue
    msg = "the private key is not one of ssh-ed25519, ecdsa or rsa in the form of OpenSSH, or its passphrase is wrong"
    raise PickupError(msg)


@contextmanager
def _translated(host: str) -> Iterator[None]:
    """Turn what the library and the system raise into errors of ours; refusals and failed sign-ins pass."""
    try:
        yield
    except (Refusal, paramiko.AuthenticationException, paramiko.ssh_exception.IncompatiblePeer):
        raise
    except (paramiko.SSHException, EOFError, OSError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or _WHY.get(type(error), "it broke off")
        msg = f"the connection to {host} failed ({why}); it is tried again in the next run"
        raise ConnectionLostError(msg) from None
    except (protocol.SFTPError, struct.error, UnicodeError, IndexError):
        msg = f"{host} does not answer as an SFTP server should"
        raise PickupError(msg) from None


_WHY: dict[type[BaseException], str] = {TimeoutError: "no answer in time"}


@contextmanager
def _of_one_file(what: str) -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        if refusal.gone:
            raise RemoteFileError("is gone from the server", passing=True) from None  # noqa: EM101, TRY003  # a reason
        if refusal.ended:
            raise RemoteFileError("became shorter while it was read", passing=True) from None  # noqa: EM101, TRY003
        raise RemoteFileError(f"cannot be {what} on the server: {refusal.why}") from None  # noqa: EM102, TRY003


def _pass_if_gone(refusal: Refusal, what: str) -> None:
    if not refusal.gone:
        reason = f"cannot be {what} on the server: {refusal.why}; have the account given the right to do so"
        raise RemoteFileError(reason) from None
