"""One service on one host: what it does in each turn of its loop, and how it begins and ends.

Its loop is the only one: it keeps the leadership, begins what is due and tells the service manager that it lives, in
this order. So a loop that hangs anywhere is seen by the watchdog.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from retention.context import open_context
from retention.errors import ConfigError, RetentionError, SchemaError
from retention.logs import get_logger
from retention.model import iso
from retention.service.children import Children
from retention.service.desk import Desk
from retention.service.figures import figures
from retention.service.leading import leadership
from retention.service.needs import lacking
from retention.service.notify import Manager
from retention.service.reloading import changed_for_good
from retention.service.timetable import Timetable
from retention.service.working import Worker
from retention.store.schema import check_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from retention.context import Context
    from retention.service.children import Ended
    from retention.service.jobs import Job
    from retention.service.reloading import Configuration, Reading

_WORDS = {"kept": "the promise is kept", "at_risk": "the promise is AT RISK", "broken": "the promise is BROKEN"}
_BACK = timedelta(minutes=1)

_log = get_logger("service")


@dataclass(frozen=True, slots=True)
class Invocation:
    """How the service was called. ``ahead`` is by how much a drill's time is ahead; ``metrics`` gives more figures.

    ``launch`` and ``executors`` take the place of processes and threads, for drills of many days in a moment.
    """

    path: Path
    clock: Callable[[], datetime]
    ahead: timedelta
    drill_time: bool = False
    jobs: bool = True
    metrics: Callable[[Context, datetime], str] | None = None
    launch: Callable[[Job], Ended] | None = None
    executors: Mapping[str, Any] | None = None

    def more(self) -> list[str]:
        """Give what a job of a drill is told of the time."""
        return ["--now", self.clock().isoformat()] if self.drill_time else []


class Host:
    """The service. ``context`` stays open throughout; who takes events has one of its own, which a reload replaces."""

    def __init__(self, context: Context, called: Invocation, configuration: Configuration) -> None:
        """Read the configuration and make everything ready to begin.

        Raises:
            ConfigError: something in the configuration cannot be used.

        """
        self.context = context
        self._called = called
        self._configuration = configuration
        reading = configuration.read(called.clock())
        self.settings = settings = reading.settings
        self.manager = Manager()
        self._children = Children(reading.copy, configuration.base, called.more, settings.serve.longest_job_seconds)
        self.leads = leadership(context.database, settings.database.url, settings.serve.take_over_seconds)
        launch = called.launch or self._children.run
        self._worker = Worker(context.database, self.leads, launch, called.clock, context.schedule.zone)
        self._timetable = Timetable(self._worker.carry_out, called.ahead, called.executors)
        self._leading = self._stands_by = False
        self._refused = 0
        self._ticked_at = called.clock()
        self._calls: Counter[str] = Counter()
        self._own, self.desk = self._open(reading)
        self._worker.times = settings.job_times

    @property
    def role(self) -> str:
        """Say whether this service leads, stands by, or only takes events."""
        if not self.settings.job_times:
            return "receiving"
        return "leader" if self._leading else "standby"

    @property
    def pause(self) -> float:
        """Seconds between two turns."""
        return min(1.0, (self.manager.pause or 1.0) / 2)

    def next_turn(self) -> datetime | None:
        """Give when the next job is to be done, or None where none is."""
        following = self._timetable.next()
        return following[1] if following else None

    def tick(self) -> None:
        """Do one turn of the loop."""
        self._look_at_clock()
        self._lead()
        self._timetable.tick()
        self.manager.alive()
        self.manager.status(self._status())

    def reload(self) -> None:
        """Read the configuration again; one that cannot be used changes nothing."""
        self.manager.reloading()
        try:
            reading = self._configuration.read(self._called.clock())
            if problems := [*changed_for_good(self.settings, reading.settings), *lacking(reading.settings)]:
                raise ConfigError(problems)
            self._adopt(reading)
            self._refused = 0
            _log.info("the configuration was read again")
        except RetentionError as error:
            problems = error.problems if isinstance(error, ConfigError) else [str(error)]
            self._refused = len(problems)
            for problem in problems:
                _log.error("the new configuration is refused; the old one stays in force", problem=problem)
        finally:
            self.manager.tell("READY=1")

    def end_jobs(self) -> None:
        """Let what is being done end between two batches, for a bounded time; begin nothing more."""
        self.manager.tell("STOPPING=1")
        self._worker.close()
        self._children.close()
        self._timetable.clear()
        self._children.stop()
        until = time.monotonic() + self.settings.serve.stop_seconds
        while self._worker.busy:
            if time.monotonic() > until:
                _log.error("jobs did not end in time and are ended", jobs=sorted(self._worker.busy))
                self._children.kill()
                until = float("inf")
            self.manager.alive()
            time.sleep(0.05)

    def close(self) -> None:
        """Give the leadership back, keep the events that came, and go."""
        self._timetable.close()
        with suppress(RetentionError):  # what cannot be given back runs out
            self.leads.let_go()
        self._close_desk(self._own, self.desk)
        _log.info("stopped", **self._calls)

    def forget_connections(self) -> None:
        """Close what is open to the database; it is opened again when it is needed."""
        self.context.database.close()
        self._own.database.close()

    def calls(self) -> dict[str, int]:
        """Count the calls of webhooks so far by what became of them."""
        return dict(self._calls + Counter(self.desk.receiver.counts())) or self.desk.receiver.counts()

    def counted(self) -> dict[str, int]:
        """Give the same, once the service has been closed."""
        return dict(self._calls)

    def readiness(self) -> tuple[bool, str]:
        """Tell whether the service can work, and its role or what is in the way."""
        try:
            with self.context.database.read() as connection:
                check_version(connection)
        except SchemaError:
            return False, "the schema of the database is not the one that is needed"
        except RetentionError:
            return False, "the database cannot be used"
        return True, self.role

    def metrics(self) -> str:
        """Give the figures of the service, and those of the register where they are made."""
        own = figures(leads=self._leading, calls=self.calls())
        more = self._called.metrics
        return own + (more(self._own.renewed(), self._called.clock()) if more else "")

    def _look_at_clock(self) -> None:
        """Count turns anew where the clock was put back: those counted before may be years away."""
        before, self._ticked_at = self._ticked_at, self._called.clock()
        if self._leading and self._ticked_at < before - _BACK:
            _log.warning("the clock was put back; the turns of the jobs are counted anew")
            self._leading = self._take_up()

    def _lead(self) -> None:
        wanted = bool(self.settings.job_times)
        leads = wanted and self.leads.hold()
        if not wanted and self._leading:
            with suppress(RetentionError):
                self.leads.let_go()
        if leads and not self._leading:
            leads = self._take_up()
        elif self._leading and not leads:
            _log.warning("this service does not lead any more; its jobs are asked to end")
            self._timetable.clear()
            self._children.stop()
        self._leading = leads
        if (stands_by := wanted and not leads) and not self._stands_by:
            _log.info("this service stands by")
        self._stands_by = stands_by

    def _take_up(self) -> bool:
        """Put the jobs on the timetable; what was missed comes at once, and how things stand is asked first."""
        try:
            due = self._worker.due()
        except RetentionError as error:
            _log.error("the jobs cannot be taken up", reason=str(error))
            return False
        now = self._called.clock()
        self._timetable.set(self._worker.times, self._worker.zone, {**due, "heartbeat": now}, now)
        _log.info("this service leads", jobs=sorted(self._worker.times))
        return True

    def _status(self) -> str:
        told = [self.role]
        if self._worker.promise:
            told.append(_WORDS.get(self._worker.promise, "the promise is unknown"))
        if following := self._timetable.next():
            told.append(f"next: {following[0]} at {iso(following[1].replace(microsecond=0))}")
        if self._refused:
            told.append(f"a new configuration was REFUSED ({self._refused} problems, see the log)")
        return "; ".join(told)

    def _open(self, reading: Reading) -> tuple[Context, Desk]:
        """Open the installation by a configuration; it must be the one that this service works for."""
        context = open_context(reading.settings)
        try:
            self._same_installation(context)
            return context, Desk(context, self._called.clock)
        except BaseException:
            context.database.close()
            raise

    def _same_installation(self, context: Context) -> None:
        here, there = self.context.installation, context.installation
        if (here.drill, here.created_at) != (there.drill, there.created_at):
            raise ConfigError(["database.url: there is another installation now; restart the service"])

    def _adopt(self, reading: Reading) -> None:
        before = self._own, self.desk
        self._own, self.desk = self._open(reading)
        self.settings = reading.settings
        self._children.config = reading.copy
        self._children.longest = reading.settings.serve.longest_job_seconds
        self._worker.times = reading.settings.job_times
        self._worker.zone = self._own.schedule.zone
        self.desk.start()
        self._close_desk(*before)
        if self._leading:
            self._take_up()

    def _close_desk(self, context: Context, desk: Desk) -> None:
        desk.close()
        self._calls.update(desk.receiver.counts())
        context.database.close()
