"""Keep events durably before they are acknowledged.

One thread writes: it takes whatever waits, at most a few hundred events, and commits them together, so that many calls
at once cost one commit. Identifiers become pseudonyms before they reach the database. A call that cannot be answered in
time is told to come again; if its event is kept after all, the next attempt is a repetition, known by its key.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTimeError
from queue import Empty, Full, Queue
from threading import Lock, Thread
from typing import TYPE_CHECKING, NamedTuple

from retention.errors import RetentionError
from retention.ingest.inbox import KEYS_KEPT
from retention.ingest.pseudonyms import ANY_SOURCE
from retention.logs import get_logger
from retention.model import to_epoch
from retention.service.event import InboundEvent, Outcome, read_event
from retention.service.turned_away import PAUSE_SECONDS, TurnedAway
from retention.store import findings, inbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from retention.context import Context
    from retention.service.door import Door

ANSWER_SECONDS = 8.0
"""Hootsuite waits ten."""

NOT_UNDERSTOOD = "webhook-not-understood"
_TOGETHER, _WAITING = 200, 2_000
_SWEEP_SECONDS = 60
_REASONS = {
    Outcome.UNKNOWN: "events of a type or version that this program does not know were passed over; is it up to date?",
    Outcome.UNREADABLE: "signed events could not be read and were answered with 400; have their fields changed?",
}

_log = get_logger("service")


class _Waiting(NamedTuple):
    door: Door
    event: InboundEvent
    kept: Future[bool]


class Receiver:
    """Takes calls from many threads and gives each its outcome."""

    def __init__(self, context: Context, clock: Callable[[], datetime]) -> None:
        """Start the thread that writes; ``clock`` gives the present instant."""
        self._context = context
        self._clock = clock
        self._pseudonyms = context.pseudonyms
        self._queue: Queue[_Waiting | None] = Queue(_WAITING)
        self._counts: Counter[Outcome] = Counter()
        self._lock = Lock()
        self._swept_at = 0
        self._turned_away = TurnedAway(context.database, clock)
        self._told: set[tuple[str, Outcome]] = set()
        self._thread = Thread(target=self._work, name="events", daemon=True)
        self._thread.start()

    def take(self, door: Door, body: bytes, signature: str, authorization: str) -> Outcome:
        """Give what became of one call; an event is kept, and durably so, when it says so."""
        outcome = self._outcome(door, body, signature, authorization)
        return self._noted(door, outcome)

    def turn_away(self, door: Door, outcome: Outcome) -> Outcome:
        """Note a call that was turned away before it was read."""
        return self._noted(door, outcome)

    def _noted(self, door: Door, outcome: Outcome) -> Outcome:
        with self._lock:
            self._counts[outcome] += 1
        self._turned_away.note(door.source, outcome)
        return outcome

    def counts(self) -> dict[str, int]:
        """Count the calls so far by what became of them."""
        with self._lock:
            return {outcome.value: self._counts[outcome] for outcome in Outcome}

    def close(self) -> None:
        """Keep what waits and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _outcome(self, door: Door, body: bytes, signature: str, authorization: str) -> Outcome:
        if not door.lets_in(body, signature, authorization):
            return Outcome.REFUSED
        read = read_event(body, self._clock())
        if isinstance(read, Outcome):
            self._tell(door, read)
            return read
        waiting = _Waiting(door, read, Future())
        try:
            self._queue.put_nowait(waiting)
            return Outcome.KEPT if waiting.kept.result(ANSWER_SECONDS) else Outcome.REPEATED
        except (Full, NotInTimeError, RetentionError):
            return Outcome.BUSY

    def _tell(self, door: Door, outcome: Outcome) -> None:
        """Have a person look at what is new, once a source and reason while this runs."""
        with self._lock:
            known = (door.source, outcome) in self._told or outcome not in _REASONS
            self._told.add((door.source, outcome))
        if known:
            return
        _log.warning("events are not understood", source=door.source, outcome=outcome.value)
        try:
            with self._context.database.write() as connection:
                reason = _REASONS[outcome]
                findings.open_finding(connection, NOT_UNDERSTOOD, reason, at=self._clock(), source=door.source)
        except RetentionError as error:
            _log.error("a finding could not be kept", reason=str(error))

    def _work(self) -> None:
        while True:
            self._turned_away.write()
            try:
                batch = [self._queue.get(timeout=PAUSE_SECONDS)]
            except Empty:
                continue
            try:
                while len(batch) < _TOGETHER:
                    batch.append(self._queue.get_nowait())
            except Empty:
                pass
            self._keep([waiting for waiting in batch if waiting is not None])
            if None in batch:
                self._turned_away.write(now=True)
                return

    def _keep(self, batch: list[_Waiting]) -> None:
        try:
            kept = self._committed(batch)
        except Exception as error:  # noqa: BLE001  # whatever it is, callers must hear and the thread must go on
            reason = str(error) if isinstance(error, RetentionError) else type(error).__name__
            _log.error("events could not be kept; they will be sent again", events=len(batch), reason=reason)
            for waiting in batch:
                waiting.kept.set_exception(RetentionError("the event could not be kept"))
            return
        for waiting, new in zip(batch, kept, strict=True):
            waiting.kept.set_result(new)

    def _committed(self, batch: list[_Waiting]) -> list[bool]:
        now = self._clock()
        rows = [self._pseudonymous(waiting.event, now) for waiting in batch]
        seen_at = to_epoch(now)
        with self._context.database.write() as connection:
            if abs(seen_at - self._swept_at) > _SWEEP_SECONDS:
                inbox.forget_keys(connection, to_epoch(now - KEYS_KEPT))
                self._swept_at = seen_at
            return [
                inbox.keep(connection, waiting.door.source, waiting.event.key_digest, row, seen_at)
                for waiting, row in zip(batch, rows, strict=True)
            ]

    def _pseudonymous(self, event: InboundEvent, now: datetime) -> inbox.WaitingEvent:
        maker = self._pseudonyms.for_time(event.received_at, now)
        return inbox.WaitingEvent(
            event.received_at,
            event.message_id,
            event.network,
            event.channel,
            maker.conversation(ANY_SOURCE, event.conversation_id),
            maker.contact(ANY_SOURCE, event.contact_id),
        )
