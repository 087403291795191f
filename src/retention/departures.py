"""What goes: the purge with the orders, calls and keys that follow from it, and the search for what must be gone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from retention import upkeep
from retention.errors import NotApprovedError, UsageError
from retention.logs import get_logger
from retention.purge import guard
from retention.purge import run as purging
from retention.purge.execute import Enlist, Order
from retention.purge.keys import KeyTerms, destroy_month_keys
from retention.purge.residue import MINIMUM_LENGTH, Search, search
from retention.report import approvals
from retention.report.plans import refusal
from retention.store import findings, inbox, order_items, register, upstream_calls
from retention.upstream import api, orders
from retention.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.context import Context
    from retention.policy.plan import Plan
    from retention.store import runs
    from retention.store.lease import Lease

SHORTEST_IDENTIFIER = MINIMUM_LENGTH
"""Shorter ones would be found by accident in any file."""

_log = get_logger("cycle")


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's word that passes a closed belt: commitments to the reason and to the name, kept beside the log."""

    reason_commitment: str
    by_commitment: str | None = None


def key_terms(context: Context, held: Lease, now: datetime) -> KeyTerms:
    """Give what destroying keys needs to know."""
    return KeyTerms(context.database, context.log, held, context.month_keys, context.key_folder, now)


def order_terms(context: Context, held: Lease, now: datetime) -> orders.OrderTerms:
    """Give what orders for the sources' own copies need to know."""
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


def dispose(
    context: Context, held: Lease, chosen: Plan, *, now: datetime, watcher: Watcher, approval: Approval | None
) -> runs.Run:
    """Carry out a plan that enough people have approved and to which no belt objects, or which one of them lets pass.

    Raises:
        BeltClosedError: a safety belt objects and no approval was given.
        NotApprovedError: the plan waits for the people who must approve it.
        AnchorError: an anchor that is required failed before anything was deleted.

    """
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
    issued = orders.issue(order_terms(context, held, now))
    purging.forget_released_holds(context.database, finished)
    # Only after the belts have let the purge through: a clock that is wrong must not destroy keys.
    destroy_month_keys(key_terms(context, held, now), context.schedule, context.settings.keys.dispute_time)
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


def reconcile_calls(context: Context, held: Lease, now: datetime) -> None:
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
