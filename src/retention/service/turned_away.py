"""Count the calls of webhooks that are turned away, and write that down from time to time.

Anybody can send a call that is refused, so none may cost a write of its own.
"""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from retention.errors import RetentionError
from retention.logs import get_logger
from retention.model import to_epoch
from retention.service.event import Outcome
from retention.store import refusals
from retention.store.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from retention.store.engine import Database

TURNED_AWAY = frozenset(
    {Outcome.STALE, Outcome.UNREADABLE, Outcome.REFUSED, Outcome.BUSY, Outcome.NOT_JSON, Outcome.TOO_LARGE}
)
PAUSE_SECONDS = 30.0
"""So long what was counted may wait to be written down; what was counted since is lost with the process."""

_log = get_logger("service")


class TurnedAway:
    """Counts in memory, and adds to what the database says of the same webhook; safe to be used by several threads."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Begin with nothing."""
        self._database = database
        self._clock = clock
        self._lock = Lock()
        self._counted: dict[tuple[str, str], Refused] = {}
        self._written_at = monotonic()

    def note(self, source: str, outcome: Outcome) -> None:
        """Count a call where it was turned away."""
        if outcome not in TURNED_AWAY:
            return
        self._count(Refused(source, outcome.value, 1, to_epoch(self._clock())))

    def write(self, *, now: bool = False) -> None:
        """Write down what was counted, if that has waited for long enough or is to be done now."""
        if not self._counted or not (now or monotonic() - self._written_at >= PAUSE_SECONDS):
            return
        self._written_at = monotonic()
        with self._lock:
            counted, self._counted = self._counted, {}
        try:
            with self._database.write() as connection:
                refusals.add(connection, counted.values())
        except Exception as error:  # noqa: BLE001  # events are kept by the same thread, which must go on
            reason = str(error) if isinstance(error, RetentionError) else type(error).__name__
            _log.error("calls that were turned away could not be written down yet", reason=reason)
            for one in counted.values():
                self._count(one)

    def _count(self, one: Refused) -> None:
        with self._lock:
            before = self._counted.get((one.source, one.outcome))
            if before is not None:
                one = one._replace(calls=one.calls + before.calls, last_at=max(one.last_at, before.last_at))
            self._counted[one.source, one.outcome] = one
