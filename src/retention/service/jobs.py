"""The jobs that the service does: each is a command that a timer or cron could call as well. No clock here.

What a job's exit code asks for is decided here: another run that is at work is waited for, a belt or a log that does
not verify waits for a person until the job's next turn, and what failed is tried again later and later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from retention.errors import Exit

SOON = timedelta(seconds=60)
LATEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its words on the command line; ``works`` on the register, so that it waits for its like."""

    name: str
    words: tuple[str, ...]
    works: bool


JOBS = {
    job.name: job
    for job in (
        Job("run", ("run", "--format", "json"), works=True),
        Job("ingest", ("ingest", "--format", "json"), works=True),
        Job("purge", ("purge", "--format", "json"), works=True),
        Job("verify", ("audit", "verify", "--deep", "--format", "json"), works=False),
        Job("checkpoint", ("audit", "checkpoint"), works=True),
        Job("heartbeat", ("status", "--format", "json"), works=False),
        Job("notice", ("notice", "check", "--format", "json"), works=False),
        Job("notify", ("notify", "--format", "json"), works=False),
    )
}


class Ending(StrEnum):
    """How a job ended."""

    DONE = "done"
    PARTLY = "partly"
    WAITING = "waiting"
    NEEDS_PERSON = "needs_person"
    FAILED = "failed"
    STOPPED = "stopped"
    CUT_OFF = "cut_off"


RUNNING = "running"

_BY_CODE = {
    Exit.DONE: Ending.DONE,
    Exit.PARTLY_DONE: Ending.PARTLY,
    Exit.LOCKED: Ending.WAITING,
    Exit.BELT_CLOSED: Ending.NEEDS_PERSON,
    Exit.LOG_NOT_VERIFIED: Ending.NEEDS_PERSON,
}
_TOLD = {"heartbeat": frozenset({Exit.AT_RISK, Exit.BROKEN}), "notice": frozenset({Exit.AT_RISK})}
"""What a job has told by its exit code, for telling it is its work."""
_AS_BEFORE = frozenset({Ending.WAITING, Ending.STOPPED})


def ending(name: str, code: int, *, stopped: bool) -> Ending:
    """Read an exit code; ``stopped`` says that the job was asked to end before it had finished."""
    if code in _TOLD.get(name, ()):
        return Ending.DONE
    if stopped and code != Exit.DONE:
        return Ending.STOPPED
    return next((found for known, found in _BY_CODE.items() if known == code), Ending.FAILED)


def failures_after(found: Ending, before: int) -> int:
    """Count the failures in a row."""
    if found in _AS_BEFORE:
        return before
    return 0 if found in {Ending.DONE, Ending.PARTLY} else before + 1


def pause_after(found: Ending, failures: int) -> timedelta | None:
    """Give after which pause the job is tried again out of turn; None where its next turn is soon enough."""
    if found is Ending.WAITING:
        return SOON
    if found is Ending.STOPPED:
        return timedelta(0)
    if found in {Ending.FAILED, Ending.CUT_OFF}:
        return min(SOON * int(2 ** min(failures - 1, 10)), LATEST)
    return None
