"""The scheduler: APScheduler with turns by cron, driven by the service's own loop, so that one cannot hang unseen.

A turn that was missed, because the machine slept or the job before took long, comes once and late. No job runs beside
itself. Jobs that work on the register wait for each other; those that only look do not.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]  # it has no types
from apscheduler.jobstores.base import JobLookupError  # type: ignore[import-untyped]  # the same
from apscheduler.schedulers.base import BaseScheduler  # type: ignore[import-untyped]  # the same

from retention.service.jobs import JOBS
from retention.service.trigger import CronTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

WORKS, LOOKS = "works", "looks"
"""The two executors: of jobs that work on the register, one by one, and of those that only look."""


class _Driven(BaseScheduler):  # type: ignore[misc]  # a class of a library without types
    """A scheduler without a loop of its own."""

    def wakeup(self) -> None:
        """Do nothing: the next tick comes soon."""

    def shutdown(self, *, wait: bool = True) -> None:
        """End the executors."""
        super().shutdown(wait)

    def tick(self) -> None:
        """Hand every job whose turn has come to its executor."""
        self._process_jobs()


class Timetable:
    """The jobs that are to be done. Instants are a drill's where this is one; ``ahead`` is how far that is ahead."""

    def __init__(
        self, carry_out: Callable[[str], datetime | None], ahead: timedelta, executors: Mapping[str, Any] | None = None
    ) -> None:
        """Take what does a job by its name and gives when it is to be tried again out of turn."""
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # what it would tell is told by us
        self._carry_out = carry_out
        self._ahead = ahead
        pools = executors or {WORKS: ThreadPoolExecutor(1), LOOKS: ThreadPoolExecutor(3)}
        self._scheduler = _Driven(timezone=UTC, executors=dict(pools))
        self._scheduler.start()

    def set(self, times: Mapping[str, str], zone: ZoneInfo, due: Mapping[str, datetime], now: datetime) -> None:
        """Put jobs on the timetable in place of what stood there; ``due`` are turns that come before those by cron."""
        self._scheduler.remove_all_jobs()
        for name, spelled in times.items():
            trigger = CronTrigger(spelled, zone, self._ahead)
            regular = trigger.get_next_fire_time(None, now - self._ahead)
            first = min(regular, max(due[name], now) - self._ahead) if name in due else regular
            self._scheduler.add_job(
                self._do,
                trigger,
                args=[name],
                id=name,
                executor=WORKS if JOBS[name].works else LOOKS,
                next_run_time=first,
                misfire_grace_time=None,
                coalesce=True,
                max_instances=1,
            )

    def clear(self) -> None:
        """Take every job off; what is being done goes on."""
        self._scheduler.remove_all_jobs()

    def tick(self) -> None:
        """Begin what is due."""
        self._scheduler.tick()

    def next(self) -> tuple[str, datetime] | None:
        """Give the next job and its turn."""
        turns = [(job.next_run_time + self._ahead, str(job.id)) for job in self._scheduler.get_jobs()]
        return min(turns)[::-1] if turns else None

    def close(self) -> None:
        """End; what is being done must have ended before."""
        self._scheduler.shutdown(wait=False)

    def _do(self, name: str) -> None:
        again = self._carry_out(name)
        job = self._scheduler.get_job(name)
        if again is not None and job is not None and again - self._ahead < job.next_run_time:
            try:
                self._scheduler.modify_job(name, next_run_time=again - self._ahead)
            except JobLookupError:
                return  # taken off in between
