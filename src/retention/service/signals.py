"""What signals ask of the service, and how its loop is woken by one."""

from __future__ import annotations

import os
import select
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@dataclass(slots=True)
class Asked:
    """What was asked since the service began."""

    wakes: int
    stop: bool = False
    reload: bool = False

    def wait(self, seconds: float) -> None:
        """Wait for a while, or until a signal comes."""
        if select.select([self.wakes], [], [], seconds)[0]:
            os.read(self.wakes, 512)

    def reload_now(self) -> bool:
        """Tell whether the configuration is to be read again; asks once."""
        asked, self.reload = self.reload, False
        return asked


@contextmanager
def heard_signals() -> Iterator[Asked]:
    """Note SIGTERM, Ctrl-C and SIGHUP instead of dying of them, for the block."""
    wakes, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    asked = Asked(wakes)

    def note(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            asked.reload = True
        else:
            asked.stop = True

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    earlier = signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    try:
        yield asked
    finally:
        signal.set_wakeup_fd(earlier)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(wakes)
        os.close(woken)
