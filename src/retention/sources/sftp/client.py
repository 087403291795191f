"""One connection to one server, with paramiko; the only file that imports it.

The host key is compared before anything is said about who we are. There is no agent, no file of known hosts, no other
way to sign in than the configured one and no compression. Every error leaves here as one of ours, without a word of the
server's own texts, which may hold anything.
"""

from __future__ import annotations

import logging
import socket
import stat
import struct
from collections import deque
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING

import paramiko
from paramiko import sftp as protocol

from retention.errors import ConnectionLostError, HostKeyError, PickupError, RemoteFileError
from retention.sources.sftp.host_key import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paramiko.message import Message

    from retention.sources.sftp.account import Account

CONNECT_SECONDS = 15.0
ANSWER_SECONDS = 30.0
KEEPALIVE_SECONDS = 20
BLOCK = 32_768  # every server gives as much at once
_AHEAD = 32  # blocks that are asked for before the first has come
_MOST_NAMES = 100_000
_REFUSALS = {protocol.SFTP_PERMISSION_DENIED: "permission denied", protocol.SFTP_OP_UNSUPPORTED: "not supported"}

logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # it tells addresses and texts of the server


class Refusal(Exception):  # noqa: N818  # an answer, which the methods below turn into an error
    """The server answered a request with a status that is not OK."""

    def __init__(self, code: int) -> None:
        """Keep the code of the protocol; the text is the server's."""
        self.gone = code == protocol.SFTP_NO_SUCH_FILE
        self.ended = code == protocol.SFTP_EOF
        self.why = _REFUSALS.get(code, "it gives no reason")
        super().__init__(self.why)


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
                self._session = _Session(channel)
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

    def open(self, path: bytes) -> bytes:
        """Open a file for reading and give its handle."""
        with _translated(self._host), _of_one_file("read"):
            return self._session.open_for_reading(path)

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

    def close_file(self, handle: bytes) -> None:
        """Give a handle back."""
        with _translated(self._host), _of_one_file("read"):
            self._session.close_handle(handle)

    def remove(self, path: bytes) -> None:
        """Remove a file; one that is gone already is as good."""
        try:
            with _translated(self._host):
                self._session.remove(path)
        except Refusal as refusal:
            _pass_if_gone(refusal, "removed")


class _Session(paramiko.SFTPClient):
    """The requests that we make.

    The library's own methods decode every name of a folder, so that one bad name hides all others, and read ahead in a
    thread that outlives a broken connection.
    """

    if TYPE_CHECKING:  # what the library's types leave out

        def _request(self, kind: int, *values: object) -> tuple[int, Message]: ...
        def _async_request(self, sink: object, kind: int, *values: object) -> int: ...
        def _read_response(self) -> object: ...

    def _convert_status(self, msg: Message) -> None:
        code = msg.get_int()
        if code != protocol.SFTP_OK:
            raise Refusal(code)

    def names(self, folder: bytes) -> Iterator[tuple[bytes, paramiko.SFTPAttributes]]:
        handle = self._request(protocol.CMD_OPENDIR, folder)[1].get_binary()
        seen = answers = 0
        while (answer := self._next_names(handle)) is not None:
            count = answer.get_int()
            seen, answers = seen + count, answers + 1
            if max(seen, answers) > _MOST_NAMES:
                msg = f"the remote folder has more than {_MOST_NAMES} names; have it tidied up, or name another folder"
                raise PickupError(msg)
            for _ in range(count):
                name, _long = answer.get_binary(), answer.get_binary()
                yield name, _attributes(answer)
        self.close_handle(handle)

    def _next_names(self, handle: bytes) -> Message | None:
        try:
            return self._request(protocol.CMD_READDIR, handle)[1]
        except Refusal as refusal:
            if refusal.ended:
                return None
            raise

    def open_for_reading(self, path: bytes) -> bytes:
        kind, answer = self._request(protocol.CMD_OPEN, path, protocol.SFTP_FLAG_READ, paramiko.SFTPAttributes())
        if kind != protocol.CMD_HANDLE:
            raise protocol.SFTPError
        return answer.get_binary()

    def attributes(self, command: int, what: bytes) -> paramiko.SFTPAttributes:
        kind, answer = self._request(command, what)
        if kind != protocol.CMD_ATTRS:
            raise protocol.SFTPError
        return _attributes(answer)

    def close_handle(self, handle: bytes) -> None:
        self._request(protocol.CMD_CLOSE, handle)

    def remove(self, path: bytes) -> None:  # type: ignore[override]  # names are bytes here, because servers have such
        self._request(protocol.CMD_REMOVE, path)

    def blocks(self, handle: bytes, start: int, end: int) -> Iterator[bytes]:
        """Keep so many requests under way that the distance to the server does not count."""
        arrived = _Arrived()
        asked: deque[tuple[int, int, int]] = deque()
        position = start
        while asked or position < end:
            while len(asked) < _AHEAD and position < end:
                length = min(BLOCK, end - position)
                asked.append((self._ask(arrived, handle, position, length), position, length))
                position += length
            number, at, length = asked.popleft()
            while number not in arrived.blocks:
                self._read_response()
            block = arrived.blocks.pop(number)
            if isinstance(block, Refusal):
                raise block
            while len(block) < length:  # a server may give less than it was asked for
                rest = protocol.int64(at + len(block)), length - len(block)
                block += self._request(protocol.CMD_READ, handle, *rest)[1].get_binary() or _nothing()
            yield block

    def _ask(self, arrived: _Arrived, handle: bytes, position: int, length: int) -> int:
        return self._async_request(arrived, protocol.CMD_READ, handle, protocol.int64(position), length)


def _nothing() -> bytes:
    raise Refusal(protocol.SFTP_EOF)


class _Arrived:
    """Blocks by the number of their request, as they arrive."""

    def __init__(self) -> None:
        self.blocks: dict[int, bytes | Refusal] = {}

    def _async_response(self, kind: int, answer: Message, number: int) -> None:
        if kind == protocol.CMD_STATUS:
            self.blocks[number] = Refusal(answer.get_int())
        else:
            self.blocks[number] = answer.get_binary()


def _attributes(answer: Message) -> paramiko.SFTPAttributes:
    attributes = paramiko.SFTPAttributes()
    attributes._unpack(answer)  # type: ignore[attr-defined]  # noqa: SLF001  # there is no public way to read them
    return attributes


def is_regular(attributes: paramiko.SFTPAttributes) -> bool:
    """Tell whether the server calls something a regular file."""
    return attributes.st_mode is not None and stat.S_ISREG(attributes.st_mode)


def is_folder(attributes: paramiko.SFTPAttributes) -> bool:
    """Tell whether the server calls something a folder."""
    return attributes.st_mode is not None and stat.S_ISDIR(attributes.st_mode)


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
