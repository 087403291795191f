"""The main job: reconcile, fetch, ingest, plan, purge, verify, checkpoint.

``run`` is what a service, a timer or cron does; ``ingest`` and ``purge`` are its parts, for people. Each takes the
lease first, so that one works at a time, and ends with a signed checkpoint that covers everything it did. The present
instant is an argument everywhere; nothing below reads a clock for policy.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention import upkeep
from retention.arrivals import import_all, take_in
from retention.departures import dispose, key_terms, order_terms, reconcile_calls
from retention.errors import LogError, NotApprovedError, RetentionError, UsageError
from retention.ingest import coverage, intake
from retention.ingest.inbox import forget_late_keys
from retention.logs import get_logger, log_retries
from retention.notice.told import look
from retention.purge import guard
from retention.purge.execute import drop_redated
from retention.purge.files import settle_files
from retention.purge.keys import finish_month_keys, retire_signing_keys
from retention.purge.planning import make_plan
from retention.purge.reconcile import close_interrupted, tell_interrupted_imports
from retention.report import approvals
from retention.showing import shown
from retention.store import lease, runs
from retention.upstream import orders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from retention.audit.checkpoint import Signer
    from retention.audit.verify import Verification
    from retention.context import Context
    from retention.departures import Approval
    from retention.policy.plan import Plan
    from retention.sources.interface import Source
    from retention.store.imports import ImportResult
    from retention.store.lease import Lease
    from retention.watcher import Watcher

_log = get_logger("cycle")


@dataclass(frozen=True, slots=True)
class CycleResult:
    """What one whole cycle did. ``verification`` covers the whole log, ``raised`` counts by kind what it found."""

    imports: list[ImportResult]
    plan: Plan
    run: runs.Run
    verification: Verification
    raised: dict[str, int]


def run(context: Context, now: datetime, watcher: Watcher) -> CycleResult:
    """Do the whole job once.

    Raises:
        BeltClosedError: a safety belt stopped the purge; what was ingested stays.
        NotApprovedError: no plan is approved and bound; what was ingested stays, and the log was verified.
        RestoredError: the database is older than what its anchors hold; nothing was done.
        AnchorError: an anchor that is required failed; where it failed before the purge, nothing was deleted.
        LockHeldError: another run is at work.
        LogError: the audit log does not verify; it is not signed.

    """
    known = upkeep.newest_finding(context)
    with shown(context, now), _turn(context, now, watcher) as held:
        imports = take_in(context, held, now, watcher)
        plan = _next_plan(context, now)
        try:
            finished = dispose(context, held, plan, now=now, watcher=watcher, approval=None)
        except NotApprovedError:
            _verified(context, now)  # however long people take, the log is read
            raise
        look(context.database, context.schedule, context.settings.notice, now)
        verification = _verified(context, now)
        if context.settings.purge.approvals:
            _next_plan(context, now)  # for people to look at: what became due since the approved one was made
    return CycleResult(imports, plan, _reread(context, finished), verification, upkeep.raised_since(context, known))


def ingest(
    context: Context, now: datetime, watcher: Watcher, named: tuple[Source, list[Path]] | None = None
) -> list[ImportResult]:
    """Ingest what waits on servers and what lies in the landing folders, or the files that a person names."""
    with _turn(context, now, watcher) as held:
        if named is None:
            return take_in(context, held, now, watcher)
        return import_all(context, held, now, watcher, intake.named(*named), again=True)


def register_events(context: Context, now: datetime, watcher: Watcher) -> list[ImportResult]:
    """Register what webhooks brought, by the schedule in force, and read no folder.

    Raises:
        OtherScheduleError: another schedule is in force than the configured one; events wait for a job that adopts it.
        LockHeldError: another run is at work.

    """
    upkeep.demand_schedule(context)
    with _turn(context, now, watcher, events=True) as held:
        items = intake.discovered(context.database, context.inboxes(), clock=time.time(), now=now, skip=watcher.skip)
        return import_all(context, held, now, watcher, items)


def plan(context: Context, now: datetime) -> Plan:
    """Make the plan of a purge and keep it, so that it can be carried out by its digest. Changes nothing else.

    Raises:
        BrokenLogError: the audit log does not verify, as far as its ends show.

    """
    upkeep.demand_sound(context, now)
    return _plan(context, now)


def objections(context: Context, plan: Plan, now: datetime) -> list[str]:
    """Say what the safety belts object to in a plan, a sentence for each that is closed."""
    with context.database.read() as connection:
        found = guard.inspect(connection, plan, context.schedule, context.settings.purge, now)
    return [f"{one.belt}: {one.figures}" for one in found]


def purge(
    context: Context, now: datetime, watcher: Watcher, chosen: Plan | None = None, approval: Approval | None = None
) -> tuple[Plan, runs.Run]:
    """Carry out a chosen plan, or make one and carry it out at once.

    Raises:
        BeltClosedError: a safety belt objects and no approval was given.
        NotApprovedError: the plan waits for the people who must approve it.
        LockHeldError: another run is at work.

    """
    if chosen is not None and chosen.schedule_digest != context.schedule.digest:
        msg = "the schedule has changed since this plan was made; make a new one with: retention purge --dry-run"
        raise UsageError(msg)
    with _turn(context, now, watcher) as held:
        made = chosen or _next_plan(context, now)
        finished = dispose(context, held, made, now=now, watcher=watcher, approval=approval)
    return made, _reread(context, finished)


@contextmanager
def _turn(context: Context, now: datetime, watcher: Watcher, *, events: bool = False) -> Iterator[Lease]:
    """Hold the lease for one job, which waits for whoever registers events; that one waits for nobody."""
    upkeep.demand_order(context, now)
    log_retries()
    held = lease.take(context.database, events=True) if events else lease.take_turn(context.database, watcher.stop)
    try:
        with _in_order(context, held, now, events=events):
            yield held
    finally:
        with suppress(RetentionError):  # a lease that cannot be given back runs out
            lease.give_back(context.database, held)


@contextmanager
def _in_order(context: Context, held: Lease, now: datetime, *, events: bool) -> Iterator[None]:
    """First mend what an interrupted job left, at the end sign what was done."""
    signer = context.signer()  # a key that is missing must show before anything is deleted
    try:
        if events:
            upkeep.demand_schedule(context)  # a job may have adopted another just before
        signer = _mend_keys(context, held, now) or signer
        for run_id in close_interrupted(context.database, context.log, held, now):
            _log.warning("a run had been interrupted", run=run_id)
        if tell_interrupted_imports(context.database, context.log, held, now):
            _log.warning("an import had been cut off before it said what it registered")
        if upkeep.check_register(context, now):
            _log.warning("the register is not what its ledger says; see: retention findings list")
        upkeep.adopt_schedule(context, now)
        upkeep.adopt_backups(context, now)
        drop_redated(context.database, context.log, held, context.schedule, now)  # what a hold kept until now
        forget_late_keys(context.database, now)
        terms = order_terms(context, held, now)
        orders.issue(terms)  # also what a run that died had filled
        for number in orders.forget_late(terms):
            _log.warning("the identifiers of an order were forgotten without evidence", order=number)
        reconcile_calls(context, held, now)
        settle_files(context.database, context.log, context.quarantine, now)
        yield
        with context.database.write() as connection:
            coverage.look(connection, context.watched_sources, context.schedule, now)
    except LogError:
        raise  # a log that does not verify is not signed
    except BaseException:
        with suppress(RetentionError):  # the first error is the one to tell; the next run signs what this one did
            upkeep.sign_checkpoint(context, signer, now)
        raise
    else:
        upkeep.sign_checkpoint(context, signer, now)


def _mend_keys(context: Context, held: Lease, now: datetime) -> Signer | None:
    """Finish what destroying keys had begun, look at every key, and give the signer where that has changed."""
    terms = key_terms(context, held, now)
    for month in finish_month_keys(terms):
        _log.warning("a month key had been condemned and was still there", month=month)
    retired = retire_signing_keys(terms)
    context.check_keys()
    return context.signer() if retired else None


def _reread(context: Context, finished: runs.Run) -> runs.Run:
    with context.database.read() as connection:
        return runs.get(connection, finished.id)


def _plan(context: Context, now: datetime) -> Plan:
    with context.database.write() as connection:
        made = make_plan(connection, context.schedule, now, context.log.head(connection).size)
        runs.save_plan(connection, made)
    return made


def _next_plan(context: Context, now: datetime) -> Plan:
    """Give the plan to carry out next: where people must approve, what they approved or were shown, else a new one."""
    if context.settings.purge.approvals:
        with context.database.read() as connection:
            found = approvals.queue(connection, context.schedule, context.settings.purge.approvals, now)
        for one in found.expired:
            _log.warning("an approved plan has expired", plan=one.plan.digest, because=one.expired)
        if (ready := found.approved or found.waiting) is not None:
            return ready.plan
    return _plan(context, now)


def _verified(context: Context, now: datetime) -> Verification:
    found = upkeep.verify_log(context, now)
    if not found.ok:
        raise LogError("\n".join(["the audit log does not verify:", *found.problems]))
    return found
