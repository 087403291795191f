"""Is the promise kept? One view, read in one transaction, for people, scripts and monitoring.

*Broken*: something is overdue and not held, the log does not verify, or an export shows that a source still holds what
it should not for longer than the grace. *At risk*: somebody must look, or it may break.
The ends of the log are held against its head here; ``retention audit verify`` and every run read the whole log.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from retention.errors import AnchorError, LogError, RestoredError
from retention.model import from_epoch, iso, to_epoch
from retention.policy.days import local_day
from retention.policy.words import say_count
from retention.report.approvals import plans_of
from retention.report.coming import by_rule, coming
from retention.report.jobs import jobs_of, stuck_jobs
from retention.report.log_standing import log_standing
from retention.report.upstream import calls_of, lags, upstream_of
from retention.store import findings, holds, imports, inbox, refusals, register, runs, verifications

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.audit.checkpoint import VerifierKey
    from retention.audit.memory import Memory
    from retention.model import MessageClass
    from retention.policy.coverage import Watched
    from retention.policy.hold import Hold
    from retention.policy.schedule import Rule, Schedule
    from retention.report.log_standing import LogStanding
    from retention.store.register import Bucket

Promise = Literal["kept", "at_risk", "broken"]

_SLACK = timedelta(minutes=5)
"""So far clocks of hosts may be apart, as the purge's own belt has it."""


class Expected(NamedTuple):
    """What the configuration expects of the work: the grace, what comes, how many approve, which jobs there are."""

    grace: timedelta
    sources: Iterable[Watched] = ()
    approvals: int = 0
    jobs: Collection[str] = ()


@dataclass(slots=True)
class Status:
    """The state of the promise at ``now``. Days are local days of the schedule's zone, ``log`` as its ends show it."""

    promise: Promise
    reasons: list[str]
    now: str
    drill: bool
    registered: int
    due: int
    overdue: int
    overdue_since: str | None
    breaks_at: str | None
    oldest_overdue_days: int
    oldest_overdue_seconds: int
    held: int
    oldest_received_on: str | None
    next_due_on: str | None
    next_due_at: str | None
    coming: list[dict[str, Any]]
    last_run: dict[str, Any] | None
    last_complete_run_at: str | None
    upstream: dict[str, int]
    upstream_calls: list[dict[str, Any]]
    findings: dict[str, Any]
    holds: dict[str, int]
    log: dict[str, Any]
    inbox: dict[str, Any]
    plans: dict[str, Any]
    sources: list[dict[str, Any]]
    jobs: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Give the status as plain values for JSON."""
        return asdict(self)


@dataclass(slots=True)
class _Backlog:
    due: int = 0
    held: int = 0
    overdue: int = 0
    oldest_due_at: datetime | None = None
    first_due_at: datetime | None = None
    next_due: list[datetime] = field(default_factory=list)

    def age(self, now: datetime) -> timedelta:
        """For how long the oldest of what is overdue has been due; nothing where nothing is overdue."""
        return now - self.oldest_due_at if self.overdue and self.oldest_due_at else timedelta()


def status_of(
    connection: Connection,
    schedule: Schedule,
    now: datetime,
    *,
    expected: Expected,
    origin: str,
    keys: list[VerifierKey],
    drill: bool,
    memory: Memory,
) -> Status:
    """Read the state of the promise in one transaction; ``memory`` is what the anchors held before it began."""
    known, grace = register.classes(connection), expected.grace
    backlog = _backlog(connection, schedule, known, now, grace)
    oldest, _ = register.bounds(connection)
    by_kind = findings.count_open(connection)
    forked, lost = _against_anchors(connection, memory)
    log = log_standing(connection, origin, keys, forked)
    active = holds.load(connection, active_only=True)
    late_reviews = [hold for hold in active if hold.review_on < schedule.today(now)]
    upstream, arrivals = upstream_of(connection, now, grace), lags(connection, expected.sources, now)
    broken = [*_broken(backlog, log), *upstream.broken]
    risks = [*_clock(connection, now), *lost, *_guards(log), *_risks(by_kind, late_reviews)]
    risks += [*upstream.risks, *_silent(arrivals)]
    waiting, since = inbox.count_waiting(connection), inbox.oldest_waiting(connection)
    risks += [_waiting(waiting, since)] if since is not None and since < to_epoch(now - grace) else []
    plans = plans_of(connection, schedule, expected.approvals, now, backlog.due)
    risks += _unapproved(plans, backlog, grace)
    last_run, complete = runs.last(connection), runs.last(connection, "done")
    jobs = jobs_of(connection, expected.jobs, now, grace, _worked_at(connection, complete, expected))
    risks += stuck_jobs(jobs)
    return Status(
        promise="broken" if broken else "at_risk" if risks else "kept",
        reasons=[*broken, *risks],
        now=iso(now),
        drill=drill,
        registered=register.total(connection),
        due=backlog.due,
        overdue=backlog.overdue,
        overdue_since=iso(backlog.oldest_due_at + grace) if backlog.overdue and backlog.oldest_due_at else None,
        breaks_at=iso(backlog.first_due_at + grace) if backlog.first_due_at else None,
        oldest_overdue_days=backlog.age(now).days,
        oldest_overdue_seconds=int(backlog.age(now).total_seconds()),
        held=backlog.held,
        oldest_received_on=None if oldest is None else local_day(from_epoch(oldest), schedule.zone).isoformat(),
        next_due_on=local_day(min(backlog.next_due), schedule.zone).isoformat() if backlog.next_due else None,
        next_due_at=iso(min(backlog.next_due)) if backlog.next_due else None,
        coming=coming(connection, schedule, by_rule(schedule, known), now),
        last_run=None if last_run is None else run_as_json(last_run),
        last_complete_run_at=iso(from_epoch(complete.finished_at)) if complete and complete.finished_at else None,
        upstream={"ordered": upstream.ordered, "overdue": upstream.overdue, "present": upstream.present},
        upstream_calls=calls_of(connection),
        findings={"open": sum(by_kind.values()), "by_kind": by_kind},
        holds={"active": len(active), "reviews_overdue": len(late_reviews)},
        log={**log.as_json(), "standing": log.words()},
        inbox=_inbox(connection, waiting, since),
        plans=plans,
        sources=arrivals,
        jobs=jobs,
    )


def run_as_json(run: runs.Run) -> dict[str, Any]:
    """Give a run as plain values for JSON, its instants in ISO 8601."""
    values = run._asdict()
    values["started_at"] = iso(from_epoch(run.started_at))
    values["finished_at"] = None if run.finished_at is None else iso(from_epoch(run.finished_at))
    return values


def _against_anchors(connection: Connection, memory: Memory) -> tuple[str | None, list[str]]:
    """Say how the log stands to its anchors: what is wrong with it, and what could not be looked at."""
    try:
        return None, memory.compare(connection)
    except AnchorError as error:
        return None, [str(error)]
    except (RestoredError, LogError) as error:
        return str(error), []


def _backlog(
    connection: Connection, schedule: Schedule, known: dict[int, MessageClass], now: datetime, grace: timedelta
) -> _Backlog:
    backlog = _Backlog()
    recently_held = f"{holds.ACTIVE} OR {holds.released_since(to_epoch(now - grace))}"
    for rule, class_ids in by_rule(schedule, known):
        cutoff = to_epoch(schedule.cutoff(rule, now) if rule else now)
        free = register.count_by_quarter(connection, before=cutoff, class_ids=class_ids, negate=holds.ACTIVE)
        kept = register.count_by_quarter(connection, before=cutoff, class_ids=class_ids, holds=holds.ACTIVE)
        backlog.due += sum(bucket.messages for bucket in free)
        backlog.held += sum(bucket.messages for bucket in kept)
        if free:
            since = _free_since(connection, schedule, rule, free, before=cutoff, held=holds.ACTIVE)
            backlog.first_due_at = min(filter(None, (backlog.first_due_at, since)))
        earlier = to_epoch(schedule.cutoff(rule, now - grace) if rule else now - grace)
        late = register.count_by_quarter(connection, before=earlier, class_ids=class_ids, negate=recently_held)
        if late:
            backlog.overdue += sum(bucket.messages for bucket in late)
            since = _free_since(connection, schedule, rule, late, before=earlier, held=recently_held)
            backlog.oldest_due_at = min(filter(None, (backlog.oldest_due_at, since)))
        if rule and (following := register.first_from(connection, start=cutoff, class_ids=class_ids)) is not None:
            backlog.next_due.append(schedule.due_at(rule, from_epoch(following)))
    return backlog


def _free_since(
    connection: Connection, schedule: Schedule, rule: Rule | None, found: list[Bucket], *, before: int, held: str
) -> datetime:
    """Give from when the first of what was found was due and held by nothing: what a hold kept waits from its release.

    ``found`` was received before an instant and is covered by no hold of the condition ``held``.
    """

    def due_at(bucket: Bucket) -> datetime:
        received = from_epoch(bucket.at)
        return schedule.due_at(rule, received) if rule else received

    first = to_epoch(due_at(found[0]))
    releases = holds.releases_since(connection, first + 1)
    if not releases:
        return from_epoch(first)
    ids = {bucket.class_id for bucket in found}
    instants = []
    for at in (first, *releases):
        let_go = None if at == first else holds.released_on(at)
        kept = f"{held} OR {holds.released_since(at + 1)}"
        if part := register.count_by_quarter(connection, before=before, class_ids=ids, holds=let_go, negate=kept):
            instants.append(max(due_at(part[0]), from_epoch(at)))
    return min(instants)


def _unapproved(plans: dict[str, Any], backlog: _Backlog, grace: timedelta) -> list[str]:
    """Say in time that something will be overdue unless people approve a plan."""
    if not plans["unapproved"] or backlog.first_due_at is None:
        return []
    due = f"due and in no approved plan: {say_count(plans['unapproved'], 'message')}"
    by = f"approve one before {iso(backlog.first_due_at + grace)}"
    return [f"{due}; {by} (see: retention plan list), or make one with: retention purge"]


def _clock(connection: Connection, now: datetime) -> list[str]:
    """Say that the clock went back: by such a clock less is due than there is."""
    last = runs.last(connection)
    done = [moment for moment in (last and last.started_at, imports.last_finished_at(connection)) if moment]
    if not done or now >= from_epoch(max(done)) - _SLACK:
        return []
    return [f"the clock says {iso(now)}, but something was done here at {iso(from_epoch(max(done)))}: set it right"]


def _guards(log: LogStanding) -> list[str]:
    if log.triggers is None:
        return []
    return [f"audit log: {log.triggers}; find out who did that, and put them back with: retention init"]


def _broken(backlog: _Backlog, log: LogStanding) -> list[str]:
    reasons = []
    if backlog.overdue:
        reasons.append(f"overdue and not held: {say_count(backlog.overdue, 'message')}; run: retention purge")
    if log.fault is not None:
        where = "" if log.fault.index is None else f" from entry {log.fault.index} on"
        reasons.append(f"the audit log does not verify{where}: {log.fault.problem}; look with: retention audit verify")
    return reasons


def _worked_at(connection: Connection, complete: runs.Run | None, expected: Expected) -> int | None:
    """Give when a run last did its work; one that waits for people's approval ends with having verified the log."""
    ended = [complete.finished_at] if complete is not None else []
    if expected.approvals and (verified := verifications.last(connection)) is not None:
        ended.append(verified.at)
    return max((at for at in ended if at is not None), default=None)


def _inbox(connection: Connection, waiting: int, since: int | None) -> dict[str, Any]:
    """Say what of webhooks waits since when, and which calls were ever turned away; nothing of what they said."""
    refused = [{**one._asdict(), "last_at": iso(from_epoch(one.last_at))} for one in refusals.load(connection)]
    return {"waiting": waiting, "since": None if since is None else iso(from_epoch(since)), "refused": refused}


def _waiting(events: int, since: int) -> str:
    told = f"{say_count(events, 'event')} of webhooks {'waits' if events == 1 else 'wait'} to be registered"
    return f"{told}, the first since {iso(from_epoch(since))}; see that retention serve or retention run is at work"


def _silent(arrivals: list[dict[str, Any]]) -> list[str]:
    return [
        f"nothing was ingested from {one['source']} since {one['last_import_at'] or 'the register was made'}"
        for one in arrivals
        if one["silent"]
    ]


def _risks(by_kind: dict[str, int], late_reviews: list[Hold]) -> list[str]:
    reasons = [f"hold {hold.hold_id} was to be reviewed by {hold.review_on.isoformat()}" for hold in late_reviews]
    if by_kind:
        kinds = ", ".join(f"{count} {kind}" for kind, count in by_kind.items())
        reasons.append(f"findings are open ({kinds}); see: retention findings list")
    return reasons
