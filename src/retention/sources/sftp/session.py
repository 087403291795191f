"""The requests of the SFTP protocol that we make, on top of paramiko's own session."""

from __future__ import annotations

import stat
from collections import deque
from typing import TYPE_CHECKING

import paramiko
from paramiko import sftp as protocol

from retention.errors import PickupError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paramiko.message import Message

BLOCK = 32_768  # every server gives as much at once
AHEAD = 32  # blocks that are asked for before the first has come
MOST_NAMES = 100_000
_REFUSALS = {protocol.SFTP_PERMISSION_DENIED: "permission denied", protocol.SFTP_OP_UNSUPPORTED: "not supported"}


class Refusal(Exception):  # noqa: N818  # an answer, which the methods below turn into an error
    """The server answered a request with a status that is not OK."""

    def __init__(self, code: int) -> None:
        """Keep the code of the protocol; the text is the server's."""
        self.gone = code == protocol.SFTP_NO_SUCH_FILE
        self.ended = code == protocol.SFTP_EOF
        self.why = _REFUSALS.get(code, "it gives no reason")
        super().__init__(self.why)


class Session(paramiko.SFTPClient):
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
        """Stream the names of a folder, as bytes, with what the server says of each."""
        handle = self._request(protocol.CMD_OPENDIR, folder)[1].get_binary()
        seen = answers = 0
        while (answer := self._next_names(handle)) is not None:
            count = answer.get_int()
            seen, answers = seen + count, answers + 1
            if max(seen, answers) > MOST_NAMES:
                msg = f"the remote folder has more than {MOST_NAMES} names; have it tidied up, or name another folder"
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
        """Open a file and give its handle."""
        kind, answer = self._request(protocol.CMD_OPEN, path, protocol.SFTP_FLAG_READ, paramiko.SFTPAttributes())
        if kind != protocol.CMD_HANDLE:
            raise protocol.SFTPError
        return answer.get_binary()

    def attributes(self, command: int, what: bytes) -> paramiko.SFTPAttributes:
        """Ask for size and time of change, by handle or by path."""
        kind, answer = self._request(command, what)
        if kind != protocol.CMD_ATTRS:
            raise protocol.SFTPError
        return _attributes(answer)

    def close_handle(self, handle: bytes) -> None:
        """Give a handle back."""
        self._request(protocol.CMD_CLOSE, handle)

    def remove(self, path: bytes) -> None:  # type: ignore[override]  # names are bytes here, because servers have such
        """Remove a file."""
        self._request(protocol.CMD_REMOVE, path)

    def blocks(self, handle: bytes, start: int, end: int) -> Iterator[bytes]:
        """Keep so many requests under way that the distance to the server does not count."""
        arrived = _Arrived()
        asked: deque[tuple[int, int, int]] = deque()
        position = start
        while asked or position < end:
            while len(asked) < AHEAD and position < end:
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
