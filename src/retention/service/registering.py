"""Register what webhooks brought, from time to time. What cannot be registered now waits in the database."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from retention import cycle
from retention.errors import LockHeldError, OtherScheduleError, RetentionError, StoppedError
from retention.ingest.inbox import forget_late_keys
from retention.logs import get_logger
from retention.store import inbox
from retention.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from retention.context import Context

_log = get_logger("service")


class Registrar:
    """A thread that registers what waits, at its start and then every so many seconds."""

    def __init__(self, context: Context, clock: Callable[[], datetime], seconds: float) -> None:
        """Take an installation of its own, a clock and the pause between two rounds."""
        self._context = context
        self._clock = clock
        self._seconds = seconds
        self._stopped = Event()
        self._thread = Thread(target=self._work, name="registrar", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop between two batches and wait until that is done."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def once(self) -> bool:
        """Do one round; tells whether something was registered or counted."""
        forget_late_keys(self._context.database, self._clock())
        with self._context.database.read() as connection:
            if not inbox.count_waiting(connection):
                return False
        self._context = self._context.renewed()
        try:
            cycle.register_events(self._context, self._clock(), Watcher(stop=self._stop))
        except OtherScheduleError as error:
            _log.warning("events wait for the next run, or for the configuration to be read again", reason=str(error))
            return False
        return True

    def _work(self) -> None:
        while True:
            try:
                self.once()
            except LockHeldError:
                _log.info("another run is at work; events wait")
            except StoppedError:
                return
            except RetentionError as error:
                _log.error("events could not be registered; they wait", reason=str(error))
            except Exception as error:  # noqa: BLE001  # the service must go on; what waits is safe
                _log.error("events could not be registered; they wait", reason=type(error).__name__)
            if self._stopped.wait(self._seconds):
                return

    def _stop(self) -> None:
        if self._stopped.is_set():
            msg = "stopped as asked; what waits is registered by the next run"
            raise StoppedError(msg)
