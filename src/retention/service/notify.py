"""What a service manager is told, as sd_notify(3) says; nothing where nobody listens."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

_MICRO = 1_000_000
VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Manager:
    """The service manager that started this process, or nobody."""

    def __init__(self) -> None:
        """Find it in the environment."""
        place = os.environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{place[1:]}" if place.startswith("@") else place
        meant = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = os.environ.get("WATCHDOG_USEC", "")
        self._pause = int(microseconds) / _MICRO / 2 if meant and microseconds.isdigit() else None
        self._fed_at = 0.0
        self._status = ""

    def tell(self, *lines: str) -> None:
        """Send lines such as READY=1."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.sendto("\n".join(lines).encode(), self._address)

    def status(self, text: str) -> None:
        """Say in a few words how things stand, where that has changed."""
        if text != self._status:
            self._status = text
            self.tell(f"STATUS={text}")

    def reloading(self) -> None:
        """Say that the configuration is being read again; READY=1 ends that."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def alive(self) -> None:
        """Say that the work goes on, at half of the time after which it would be taken for hung."""
        moment = time.monotonic()
        if self._pause is not None and moment - self._fed_at >= self._pause:
            self._fed_at = moment
            self.tell("WATCHDOG=1")

    @property
    def pause(self) -> float | None:
        """Seconds between two signs of life; None where nobody watches."""
        return self._pause
