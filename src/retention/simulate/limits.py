"""How much an account may ask: 20 requests a second and 100,000 a day, and what was asked in all."""

from __future__ import annotations

import time
from collections import Counter, deque
from http import HTTPStatus
from typing import TYPE_CHECKING

from retention.simulate.answers import Code, RefusedError

if TYPE_CHECKING:
    from retention.simulate.answers import Fields
    from retention.simulate.clock import Clock

_DAY_MS = 86_400_000


class Limits:
    """The limits of the one account; the seconds are the machine's unless ``by_clock`` says the simulator's."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing used."""
        self._clock = clock
        self.per_second = 20
        self.per_day = 100_000
        self.by_clock = False
        self._recent: deque[float] = deque()
        self._day = -1
        self.used = 0

    def take(self) -> None:
        """Count one request.

        Raises:
            RefusedError: one of the limits is reached; the request does not count.

        """
        day = self._clock.now() // _DAY_MS
        if day != self._day:
            self._day, self.used = day, 0
        if self.used >= self.per_day:
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, Code.ACCOUNT_LIMIT)
        now = self._seconds()
        if self._left(now) <= 0:
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, Code.TOO_MANY)
        self._recent.append(now)
        self.used += 1

    def headers(self) -> dict[str, str]:
        """Give the headers that tell how much is left; as published there is no ``Retry-After``."""
        return {
            "X-Account-Quota": str(self.per_day),
            "X-Account-Quota-Used": str(self.used),
            "X-Account-Rate-Limit-Requests-Remaining": str(max(0, self._left(self._seconds()))),
        }

    def _left(self, now: float) -> int:
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        return self.per_second - len(self._recent)

    def _seconds(self) -> float:
        return self._clock.now() / 1000 if self.by_clock else time.monotonic()


class Seen:
    """What the server was asked, refused requests too."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._requests: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._recent: deque[float] = deque()
        self._peak = 0

    def arrived(self, call: str) -> None:
        """Count one request, named by its method and route."""
        self._requests[call] += 1
        now = time.monotonic()
        self._recent.append(now)
        while self._recent[0] <= now - 1:
            self._recent.popleft()
        self._peak = max(self._peak, len(self._recent))

    def answered(self, status: int) -> None:
        """Count one answer."""
        self._statuses[status] += 1

    def told(self) -> Fields:
        """Tell the counts."""
        return {
            "requests": self._requests.total(),
            "peak_per_second": self._peak,
            "by_call": dict(sorted(self._requests.items())),
            "by_status": {str(status): count for status, count in sorted(self._statuses.items())},
        }
