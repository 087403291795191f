"""At most so many calls a second and a day, whichever processes make them.

What was used stands in one small file under a lock. A call takes a slot, of which there are as many as calls a second,
and the slot is free again a second after the call has *ended*: then no second has more calls than slots at the other
end either, however long each was on its way. The slot of a process that was killed is free when its call can only be
over. The count of the day is written before a call is made, so that a kill never makes room for more.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retention.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LONGEST_CALL = 120.0
"""Seconds after which a call is over, whatever became of it."""

_ONE_SECOND = 1.0
_DAY_SECONDS = 86_400
_DAY = struct.Struct(">QQ")
_SLOT = struct.Struct(">d")
_MODE = 0o600


class Limiter:
    """What one application may ask."""

    def __init__(
        self,
        file: Path,
        *,
        per_second: int = 20,
        per_day: int = 100_000,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the file, the limits and the clocks: days by ``clock`` (UTC), seconds by ``ticks``."""
        self._file, self._per_second, self._per_day = file, per_second, per_day
        self._clock, self._ticks, self._sleep = clock, ticks, sleep

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a slot, and hold it for one call.

        Raises:
            ApiError: the day's calls are used up.

        """
        while isinstance(taken := self._take(), float):
            self._sleep(taken)
        try:
            yield
        finally:
            self._free(taken)

    def _take(self) -> int | float:
        """Take a slot and give its number, or give the seconds until one is free."""
        with self._opened() as handle:
            used, now = self._used_today(handle), self._ticks()
            slots = self._slots(handle, now)
            first = min(range(self._per_second), key=slots.__getitem__)
            if slots[first] > now:
                return slots[first] - now
            self._write(handle, first, now + LONGEST_CALL)
            os.pwrite(handle, _DAY.pack(self._today(), used + 1), 0)
            return first

    def _free(self, slot: int) -> None:
        with self._opened() as handle:
            self._write(handle, slot, self._ticks() + _ONE_SECOND)

    def _used_today(self, handle: int) -> int:
        kept = os.pread(handle, _DAY.size, 0)
        day, used = _DAY.unpack(kept) if len(kept) == _DAY.size else (0, 0)
        if day != self._today():
            return 0
        if used >= self._per_day:
            msg = f"the day's {self._per_day} calls are used up; the next run after midnight UTC goes on"
            raise ApiError(msg)
        return int(used)

    def _slots(self, handle: int, now: float) -> list[float]:
        kept = os.pread(handle, self._per_second * _SLOT.size, _DAY.size).ljust(self._per_second * _SLOT.size, b"\0")
        # The machine's ticks begin anew when it starts: what lies too far ahead is from before that.
        return [at if at <= now + LONGEST_CALL else 0.0 for (at,) in _SLOT.iter_unpack(kept)]

    def _write(self, handle: int, slot: int, at: float) -> None:
        os.pwrite(handle, _SLOT.pack(at), _DAY.size + slot * _SLOT.size)

    def _today(self) -> int:
        return int(self._clock()) // _DAY_SECONDS

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        except OSError as error:
            msg = f"{self._file}: cannot be written ({error.strerror}); check its owner and mode"
            raise ApiError(msg) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)
