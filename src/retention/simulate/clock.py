"""The simulator's clock: the machine's own, moved, or standing still."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """Turn an aware datetime into milliseconds since 1970-01-01T00:00:00Z."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(ms: int) -> datetime:
    """Turn milliseconds since 1970-01-01T00:00:00Z into an aware datetime in UTC."""
    return _EPOCH + ms * _MILLISECOND


def zulu(ms: int) -> str:
    """Spell an instant as the published answers do: ``2018-10-25T10:35:00Z``, with milliseconds where it has them."""
    text = moment(ms).replace(tzinfo=None).isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
    return f"{text}Z"


class Clock:
    """What time it is for everything that the simulator does."""

    def __init__(self, now: datetime | None = None, *, frozen: bool = False) -> None:
        """Run with the machine's clock, or from ``now`` on, or stand still there."""
        self._ahead = 0
        self._still: int | None = None
        if now is not None or frozen:
            self.set(now or datetime.now(UTC), frozen=frozen)

    @property
    def frozen(self) -> bool:
        """Tell whether it stands still."""
        return self._still is not None

    def now(self) -> int:
        """Give the instant in milliseconds since 1970-01-01T00:00:00Z."""
        return _machine() + self._ahead if self._still is None else self._still

    def set(self, now: datetime, *, frozen: bool) -> None:
        """Make it that instant."""
        self._still = milliseconds(now) if frozen else None
        self._ahead = milliseconds(now) - _machine()

    def advance(self, seconds: float) -> None:
        """Move it, standing still or not."""
        self._ahead += int(1000 * seconds)
        if self._still is not None:
            self._still += int(1000 * seconds)


def _machine() -> int:
    return time.time_ns() // 1_000_000
