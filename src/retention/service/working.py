"""Do one job, and write down what became of it. What a job does is its own affair; here it has only an exit code."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from retention.errors import LeaseLostError, RetentionError
from retention.logs import get_logger
from retention.model import from_epoch, to_epoch
from retention.service.jobs import (
    JOBS,
    RUNNING,
    SOON,
    Ending,
    ending,
    failures_after,
    pause_after,
)
from retention.service.trigger import next_turn
from retention.store import findings, jobs
from retention.store.jobs import FAILING_AFTER, JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from retention.service.children import Ended
    from retention.service.jobs import Job
    from retention.service.leading import Leadership
    from retention.store.engine import Database

FAILING = "job-failing"
"""The kind of the finding that a job failed several times in a row."""

_log = get_logger("service")


class Worker:
    """Does jobs for the service that leads; safe to be used by several threads, each with another job."""

    def __init__(
        self,
        database: Database,
        leads: Leadership,
        launch: Callable[[Job], Ended],
        clock: Callable[[], datetime],
        zone: ZoneInfo,
    ) -> None:
        """Take what does a job and gives how it ended; ``times`` are set before the first job."""
        self._database = database
        self._leads = leads
        self._launch = launch
        self._clock = clock
        self.zone = zone
        self.times: Mapping[str, str] = {}
        self.promise: str | None = None
        self._lock = Lock()
        self._busy: set[str] = set()
        self._closed = False

    @property
    def busy(self) -> frozenset[str]:
        """Name the jobs that are being done."""
        with self._lock:
            return frozenset(self._busy)

    def close(self) -> None:
        """Begin no more jobs."""
        self._closed = True

    def due(self) -> dict[str, datetime]:
        """Give when each job that was ever done is to be done again; one that was cut off counts as a failure first."""
        now = self._clock()
        with self._database.write() as connection:
            self._leads.confirm(connection)
            known = jobs.load(connection)
            for name, state in known.items():
                if state.outcome == RUNNING and name not in self.busy:
                    known[name] = self._cut_off(connection, state, now)
        return {name: from_epoch(one.next_due_at) for name, one in known.items() if one.next_due_at is not None}

    def carry_out(self, name: str) -> datetime | None:
        """Do a job; give when it is to be tried again out of turn, or None."""
        if self._closed:
            return None
        with self._lock:
            self._busy.add(name)
        try:
            return self._carried_out(name)
        except LeaseLostError:
            _log.warning("another service leads; a job was left to it", job=name)
            return None
        except RetentionError as error:
            _log.error("a job could not be begun or written down", job=name, reason=str(error))
            return self._clock() + SOON
        except Exception as error:  # noqa: BLE001  # one job must never stop the others
            _log.error("a job could not be begun or written down", job=name, reason=type(error).__name__)
            return self._clock() + SOON
        finally:
            with self._lock:
                self._busy.discard(name)

    def _carried_out(self, name: str) -> datetime | None:
        begun = self._clock()
        with self._database.write() as connection:
            self._leads.confirm(connection)
            before = jobs.load(connection).get(name)
            failures = before.failures if before else 0
            jobs.save(connection, JobState(name, RUNNING, to_epoch(begun), None, None, failures, to_epoch(begun)))
        ended = self._launch(JOBS[name])
        now = self._clock()
        how = ending(name, ended.code, stopped=ended.stopped)
        state = self._after(JobState(name, how, to_epoch(begun), to_epoch(now), ended.code, failures, None), how, now)
        _log.log(*_level(how), job=name, outcome=how.value, exit=ended.code, failures=state.failures, told=ended.told)
        if name == "heartbeat" and isinstance(ended.told, dict):
            self.promise = str(ended.told.get("promise"))
        with self._database.write() as connection:
            self._leads.confirm(connection)
            jobs.save(connection, state)
            self._tell(connection, state, failures, now)
        return None if state.next_due_at is None else from_epoch(state.next_due_at)

    def _after(self, state: JobState, how: Ending, now: datetime) -> JobState:
        """Say when it is next: by its times, or sooner where it is to be tried again."""
        failures = failures_after(how, state.failures)
        pause = pause_after(how, failures)
        turns = [next_turn(self.times[state.name], self.zone, now)] if state.name in self.times else []
        if pause is not None:
            turns.append(now + pause)
        return state._replace(failures=failures, next_due_at=to_epoch(min(turns)) if turns else None)

    def _cut_off(self, connection: Connection, state: JobState, now: datetime) -> JobState:
        ended = state._replace(outcome=Ending.CUT_OFF, ended_at=to_epoch(now), exit_code=None)
        known = self._after(ended, Ending.CUT_OFF, from_epoch(state.started_at))
        _log.warning("a job had been cut off", job=state.name)
        jobs.save(connection, known)
        self._tell(connection, known, state.failures, now)
        return known

    def _tell(self, connection: Connection, state: JobState, before: int, now: datetime) -> None:
        """Have a person look where a job fails again and again; it is settled when the job does its work again."""
        if state.failures >= FAILING_AFTER:
            reason = f"the job {state.name} failed {FAILING_AFTER} times in a row or more; see the log of the service"
            findings.open_finding(connection, FAILING, reason, at=now, file=state.name)
        elif before >= FAILING_AFTER:
            findings.mended(connection, FAILING, at=now, file=state.name)


def _level(how: Ending) -> tuple[int, str]:
    if how in {Ending.FAILED, Ending.NEEDS_PERSON}:
        return 40, "a job did not do its work"
    return 20, "a job has ended"
