"""The main job: reconcile, fetch, ingest, plan, purge, verify, checkpoint.

``run`` is what a service, a timer or cron does; ``ingest`` and ``purge`` are its parts, for people. Each takes the
lease first, so that one works at a time, and ends with a signed checkpoint that covers everything it did. The present
instant is an argument everywhere; nothing below reads a clock for policy.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from retention import upkeep
from retention.arrivals import import_all, take_in
from retention.errors import LogError, NotApprovedError, RetentionError, UsageError
from retention.ingest import coverage, intake
from retention.ingest.inbox import forget_late_keys
from retention.logs import get_logger, log_retries
from retention.notice.told import look
from retention.purge import guard
from retention.purge import run as purging
from retention.purge.execute import Enlist, Order, drop_redated
from retention.purge.files import settle_files
from retention.purge.keys import KeyTerms, destroy_month_keys, finish_month_keys, retire_signing_keys
from retention.purge.planning import make_plan
from retention.purge.reconcile import close_interrupted, tell_interrupted_imports
from retention.purge.residue import MINIMUM_LENGTH, Search, search
from retention.report import approvals
from retention.report.plans import refusal
from retention.store import findings, inbox, lease, order_items, register, runs, upstream_calls
from retention.upstream import api, orders
from retention.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.audit.checkpoint import Signer
    from retention.audit.verify import Verification
    from retention.context import Context
    from retention.policy.plan import Plan
    from retention.sources.interface import Source
    from retention.store.imports import ImportResult
    from retention.store.lease import Lease

SHORTEST_IDENTIFIER = MINIMUM_LENGTH
"""Shorter ones would be found by accident in any file."""

_log = get_logger("cycle")


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's word that passes a closed belt: commitments to the reason and to the name, kept beside the log."""

    reason_commitment: str
    by_commitment: str | None = None


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
    with _turn(context, now, watcher) as held:
        imports = take_in(context, held, now, watcher)
        plan = _next_plan(context, now)
        try:
            finished = _purge(context, held, plan, now=now, watcher=watcher, approval=None)
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
        finished = _purge(context, held, made, now=now, watcher=watcher, approval=approval)
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
        drop_redated(context.database, context.log, held, context.schedule, now)  # what a hold kept until now
        forget_late_keys(context.database, now)
        terms = _order_terms(context, held, now)
        orders.issue(terms)  # also what a run that died had filled
        for number in orders.forget_late(terms):
            _log.warning("the identifiers of an order were forgotten without evidence", order=number)
        _reconcile_calls(context, held, now)
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
    terms = _key_terms(context, held, now)
    for month in finish_month_keys(terms):
        _log.warning("a month key had been condemned and was still there", month=month)
    retired = retire_signing_keys(terms)
    context.check_keys()
    return context.signer() if retired else None


def _key_terms(context: Context, held: Lease, now: datetime) -> KeyTerms:
    return KeyTerms(context.database, context.log, held, context.month_keys, context.key_folder, now)


def _order_terms(context: Context, held: Lease, now: datetime) -> orders.OrderTerms:
    upstream = context.settings.upstream
    return orders.OrderTerms(
        context.database,
        context.log,
        held,
        context.ordered_zones,
        upstream.order_time,
        upstream.keep_time,
        upstream.attestations,
        context.installation.drill,
        now,
    )


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


def _demand_approved(context: Context, chosen: Plan, now: datetime) -> None:
    """Let only a plan pass that enough people have approved and that is what they saw, or that disposes of nothing."""
    needed = context.settings.purge.approvals
    if not needed or not chosen.due:
        return
    with context.database.read() as connection:
        found = approvals.standing(connection, chosen, context.schedule, needed, now)
        lost = approvals.queue(connection, context.schedule, needed, now).expired
    if found.expired is not None:
        msg = f"this plan cannot be carried out, because {found.expired}; make a new one with: retention purge"
        raise UsageError(msg)
    if found.state == "waiting":
        raise NotApprovedError("\n".join(refusal(found, lost)))


def _verified(context: Context, now: datetime) -> Verification:
    found = upkeep.verify_log(context, now)
    if not found.ok:
        raise LogError("\n".join(["the audit log does not verify:", *found.problems]))
    return found


def _purge(
    context: Context, held: Lease, chosen: Plan, *, now: datetime, watcher: Watcher, approval: Approval | None
) -> runs.Run:
    _demand_approved(context, chosen, now)
    with context.database.read() as connection:
        objections = guard.inspect(connection, chosen, context.schedule, context.settings.purge, now)
    if objections and approval is None:
        _find(context, "belt-closed", "; ".join(f"{one.belt}: {one.figures}" for one in objections), now)
        guard.stop(objections, chosen)
    if any(anchor.required for anchor in context.anchors()):  # what cannot leave the machine must not be done
        upkeep.sign_checkpoint(context, context.signer(), now, probe=True)
    run_id = purging.start(
        context.database,
        context.log,
        chosen,
        now=now,
        token=held.token,
        objections=objections,
        reason_commitment=approval.reason_commitment if approval else None,
        by_commitment=approval.by_commitment if approval else None,
    )
    removers = context.removers()
    order = Order(
        chosen,
        run_id,
        held,
        context.schedule,
        now,
        context.settings.purge.batch_size,
        watcher.tick,
        watcher.stop,
        enlist=_enlist(
            orders.Lister(context.database, context.ordered_zones),
            api.Lister(context.database, {remover.name for remover in removers}),
        ),
        settle=partial(api.make_calls, _call_terms(context, held, now, watcher), removers),
    )
    finished = purging.perform(context.database, context.log, order, context.places)
    issued = orders.issue(_order_terms(context, held, now))
    purging.forget_released_holds(context.database, finished)
    # Only after the belts have let the purge through: a clock that is wrong must not destroy keys.
    destroy_month_keys(_key_terms(context, held, now), context.schedule, context.settings.keys.dispute_time)
    _log.info(
        "purge",
        run=run_id,
        disposed=finished.disposed,
        due_after=finished.due_after,
        residue=finished.residue,
        orders=issued,
    )
    return finished


def _enlist(*listers: Enlist) -> Enlist:
    """Have each of several write down what a batch disposes of."""

    def enlist(connection: Connection, run_id: int, batch: int, rows: Iterable[tuple[int, str]]) -> None:
        disposed = list(rows)
        for lister in listers:
            lister(connection, run_id, batch, disposed)

    return enlist


def _call_terms(context: Context, held: Lease, now: datetime, watcher: Watcher) -> api.CallTerms:
    return api.CallTerms(context.database, context.log, held, now, watcher.stop)


def _reconcile_calls(context: Context, held: Lease, now: datetime) -> None:
    """Make calls again whose outcome an interrupted run has not written down, and erase what is settled by that."""
    if api.make_calls(_call_terms(context, held, now, Watcher()), context.removers(), left_only=True):
        blocked = context.database.erase()
        if blocked is not None:
            _find(context, purging.ERASURE_BLOCKED, blocked, now)


def not_deleted_upstream(context: Context) -> int:
    """Count the messages that were disposed of here and wait for their deletion by an interface."""
    with context.database.read() as connection:
        return upstream_calls.count(connection)


def unsearched(context: Context) -> int:
    """Count the files of which a run could not search every part, and that nobody has looked after since."""
    with context.database.read() as connection:
        return findings.count_open(connection).get(purging.UNSEARCHED, 0)


def residue(context: Context, identifiers: list[str]) -> Search:
    """Look for identifiers that must be gone in every file of ours, the database's included."""
    # What is no text stands in no table, and no database could be asked for it.
    texts = [one for one in identifiers if "\0" not in one and one.encode(errors="ignore").decode() == one]
    with context.database.read() as connection:
        excepted = order_items.listed_anywhere(connection, texts)
        excepted |= upstream_calls.listed_anywhere(connection, texts) | inbox.waiting_anywhere(connection, texts)
        numbers = register.source_numbers(connection)
    keys = {one: [register.message_key(number, one) for number in numbers] for one in excepted}
    return search(identifiers, keys, context.database.files(), context.places)


def _find(context: Context, kind: str, reason: str, now: datetime) -> None:
    with context.database.write() as connection:
        findings.open_finding(connection, kind, reason, at=now)
