"""The system log: one message a checkpoint, on a socket of this machine or to a host that keeps it elsewhere.

    retention checkpoint <origin> <size> <root hash in base64>

The three lines of the checkpoint become three words, because a system log keeps lines apart and none of the three has a
space in it. What UDP loses nobody hears of; over TCP and a local socket a host that is gone shows.
"""

from __future__ import annotations

import logging
import socket
from contextlib import closing
from logging.handlers import SysLogHandler
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from retention.errors import AnchorError

if TYPE_CHECKING:
    from retention.anchors.interface import Kind, Outgoing


class _Handler(SysLogHandler):
    """Raises where the standard library would print a traceback and go on."""

    def handleError(self, record: logging.LogRecord) -> NoReturn:  # noqa: N802, ARG002  # logging's name and signature
        raise  # noqa: PLE0704  # logging calls this inside its except clause


class _TcpHandler(_Handler):
    """One message a connection, ended by a newline (RFC 6587 section 3.4.2)."""

    append_nul = False

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        self._where, self._timeout = address, timeout
        super().__init__(address, socktype=socket.SOCK_STREAM)

    def createSocket(self) -> None:  # noqa: N802  # logging's name; its own knows no time-out before Python 3.14
        self.unixsocket = False
        self.socket = socket.create_connection(self._where, self._timeout)

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record) + "\n"


class SyslogAnchor:
    """Writes to a socket path, or to ``udp://host:port`` or ``tcp://host:port``."""

    kind: Kind = "syslog"

    def __init__(self, name: str, address: str, *, required: bool, timeout: float) -> None:
        """Remember where to; nothing is opened yet."""
        self.name, self.place, self.required = name, address, required
        self._timeout = timeout

    def inspect(self) -> None:
        """Leave it at that: whether anybody listens shows when a message is sent."""

    def publish(self, out: Outgoing) -> bytes:
        """Send one message.

        Raises:
            AnchorError: the socket cannot be reached.

        """
        text = f"retention checkpoint {' '.join(out.text.splitlines())}"
        record = logging.LogRecord("retention", logging.INFO, "", 0, text, None, None)
        try:
            with closing(self._handler()) as handler:
                handler.emit(record)
        except OSError as error:
            msg = f"anchor {self.name}: {self.place} cannot be reached ({error.strerror or type(error).__name__})"
            raise AnchorError(msg) from None
        return b""

    def _handler(self) -> _Handler:
        if self.place.startswith("/"):
            return _Handler(self.place)
        parts = urlsplit(self.place)
        where = (parts.hostname or "", parts.port or 0)
        return _TcpHandler(where, self._timeout) if parts.scheme == "tcp" else _Handler(where)
