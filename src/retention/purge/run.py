"""One run of the purge, from its row to its last word.

Order: the run's row says ``running`` and the plan is used up; the batches; the independent count of what is still due;
erasure; the residue scan; then the row says how the run ended. The signed checkpoint follows in the cycle.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from retention import __version__
from retention.audit.entry import entry
from retention.errors import StoppedError
from retention.model import from_epoch, to_epoch
from retention.policy.words import say_count
from retention.purge.execute import Order, carry_out
from retention.purge.residue import Sample, search
from retention.store import findings, holds, inbox, ledger, order_items, orders, register, runs, upstream_calls

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.audit.log import AuditLog
    from retention.policy.plan import Plan
    from retention.policy.schedule import Schedule
    from retention.purge.guard import Objection
    from retention.store.engine import Database

ERASURE_BLOCKED = "erasure-blocked"
UNSEARCHED = "residue-unsearched"
_OF_THE_REGISTER = (
    "do NOT remove this file, it is the register: an identifier with which another one begins that is still registered "
    "is found as well; what was left behind goes with the next erasure"
)


def start(
    database: Database,
    log: AuditLog,
    plan: Plan,
    *,
    now: datetime,
    token: int,
    objections: list[Objection],
    reason_commitment: str | None,
    by_commitment: str | None = None,
) -> int:
    """Commit the run's row, use up the plan, and write an entry for each belt that is passed.

    Args:
        database: the register.
        log: its audit log.
        plan: what is to be carried out.
        now: an aware datetime.
        token: the fencing token of the run's lease.
        objections: the belts that are passed.
        reason_commitment: commitment to the reason a person gave, where one was given.
        by_commitment: commitment to the name of that person, as far as it is known.

    Returns:
        The run's number.

    Raises:
        UsageError: another run has used the plan.

    """
    with database.write() as connection:
        belts = [objection.belt for objection in objections]
        run_id = runs.start(connection, plan, at=now, token=token, belts=belts, reason=reason_commitment)
        if objections and reason_commitment is not None:
            named = {"by": by_commitment} if by_commitment is not None else {}
            passed = [
                entry(
                    "belt_passed",
                    now,
                    belt=belt,
                    plan_digest=plan.digest,
                    reason=reason_commitment,
                    run=run_id,
                    **named,
                )
                for belt in belts
            ]
            log.append(connection, passed)
        return run_id


def perform(database: Database, log: AuditLog, order: Order, places: Iterable[Path]) -> runs.Run:
    """Carry out the plan and say how the run ended.

    Args:
        database: the register.
        log: its audit log.
        order: the plan and the terms of the run.
        places: files and folders of ours that the residue scan searches, beside the database's own files.

    Returns:
        The run's row as it ended. ``due_after`` above zero means that the promise is broken; ``residue`` above zero
        that an identifier is still readable.

    Raises:
        StoppedError: somebody asked the run to stop; its row says ``stopped``.

    """
    sample = Sample()
    order = replace(order, watch=sample.watch)
    try:
        carry_out(database, log, order)
        settled = order.settle()
    except StoppedError:
        _break_off(database, log, order, "stopped")
        raise
    except Exception:
        _break_off(database, log, order, "failed")
        raise
    blocked = database.erase() if _take_stock(database, log, order) or settled else None
    keys = sample.keys
    with database.read() as connection:
        bare = order_items.listed_anywhere(connection, keys) | upstream_calls.listed_anywhere(connection, keys)
        bare |= inbox.waiting_anywhere(connection, keys)
    excepted = {identifier: spelled for identifier, spelled in keys.items() if identifier in bare}
    own = database.files()
    searched = search(list(keys), excepted, own, places)
    residue = sum(searched.found.values())
    with database.write() as connection:
        _report_erasure(connection, blocked, searched.found, own, order.now)
        _report_unsearched(connection, searched.unsearched, order.now)
        runs.note(connection, order.run_id, residue=residue)
        runs.finish(connection, order.run_id, "done", order.now)
        findings.mended(connection, "belt-closed", at=order.now)
        return runs.get(connection, order.run_id)


def due_after(connection: Connection, plan: Plan, schedule: Schedule, now: datetime) -> int:
    """Count anew what is due under a plan and not held, by the forward test on every quarter of an hour.

    This does not use the plan's cutoffs: each message's expiry is counted forward from its day of receipt.

    Args:
        connection: any transaction.
        plan: gives the instant, the classes and the holds that counted when it was made.
        schedule: the rules under which it was made.
        now: the time of the run, an aware datetime; what counts is the earlier of the two instants.

    Returns:
        The number of messages; zero unless something went wrong.

    """
    known = register.classes(connection)
    moment = min(plan.now, to_epoch(now))  # a plan that was made under a clock which ran ahead makes nothing due
    left = register.count_by_quarter(connection, before=moment, class_ids=known, negate=holds.active_or(plan.holds))
    total = 0
    for bucket in left:
        rule = schedule.rule_for(known[bucket.class_id])
        if rule is None or to_epoch(schedule.due_at(rule, from_epoch(bucket.at))) <= moment:
            total += bucket.messages
    return total


def _take_stock(database: Database, log: AuditLog, order: Order) -> bool:
    """Compare what was disposed of with the plan, count anew what is due, and say so in the log where nothing was.

    Gives whether an erasure is owed: for what this run or one that did not come to its end disposed of, for identifiers
    that went from orders or came by webhooks and were not registered, or because the last one was blocked.
    """
    plan = order.plan
    with database.write() as connection:
        run = runs.get(connection, order.run_id)
        left = due_after(connection, plan, order.schedule, order.now)
        skipped_held = sum(_held_since(connection, plan))
        runs.note(
            connection,
            order.run_id,
            skipped_held=skipped_held,
            skipped_gone=max(0, plan.due - run.disposed - skipped_held),
            due_after=left,
        )
        if run.batches == 0:
            silence = entry(
                "heartbeat",
                order.now,
                run=order.run_id,
                registered=ledger.load(connection).told,
                held=plan.held,
                plan_digest=plan.digest,
                schedule_digest=plan.schedule_digest,
                software=f"retention {__version__}",
            )
            log.append(connection, [silence])
        owed = runs.disposed_since_erasure(connection) > 0 or ERASURE_BLOCKED in findings.count_open(connection)
        return owed or orders.erasure_owed(connection) or inbox.erasure_owed(connection)


def _held_since(connection: Connection, plan: Plan) -> Iterable[int]:
    """Count, for each part of a plan, what a hold covers now that was not active when the plan was made."""
    planned = ", ".join(str(int(number)) for number in plan.holds) or "NULL"
    for part in plan.rules:
        found = register.count_by_quarter(
            connection,
            before=part.cutoff,
            class_ids=part.class_ids,
            holds=holds.ACTIVE,
            negate=f"h.id IN ({planned})",
        )
        yield sum(bucket.messages for bucket in found)


def _report_erasure(
    connection: Connection, blocked: str | None, found: dict[Path, int], own: list[Path], now: datetime
) -> None:
    if blocked is None:
        findings.mended(connection, ERASURE_BLOCKED, at=now)
        orders.erased(connection)
    else:
        findings.open_finding(connection, ERASURE_BLOCKED, blocked, at=now)
    if not found and blocked is None:
        findings.mended(connection, "residue", at=now)
    for path, hits in found.items():
        advice = _OF_THE_REGISTER if path in own else "dispose of the file"
        reason = f"still holds {hits} of the identifiers that were sampled of purged messages; {advice}"
        findings.open_finding(connection, "residue", reason, at=now, file=str(path))


def _report_unsearched(connection: Connection, unsearched: dict[Path, int], now: datetime) -> None:
    """Tell files that nobody can see into: the count of what is left says nothing about them."""
    if not unsearched:
        findings.mended(connection, UNSEARCHED, at=now)
    for path, parts in unsearched.items():
        reason = (
            f"{say_count(parts, 'part')} of this archive cannot be unpacked (encrypted or damaged), so the scan for "
            "residue could not look there; dispose of the file, or look yourself"
        )
        findings.open_finding(connection, UNSEARCHED, reason, at=now, file=str(path))


def _break_off(database: Database, log: AuditLog, order: Order, state: Literal["stopped", "failed"]) -> None:
    """Say in the row and in the log how far the run came; a plan of which nothing was done may be carried out again."""
    with database.write() as connection:
        run = runs.get(connection, order.run_id)
        told = entry("run_interrupted", order.now, run=run.id, batches=run.batches, disposed=run.disposed, cause=state)
        log.append(connection, [told])
        if not run.batches:
            runs.give_plan_back(connection, run.id)
        runs.finish(connection, run.id, state, order.now)


def forget_released_holds(database: Database, run: runs.Run) -> None:
    """Forget the selectors of holds that were released before a run's plan was made: no later plan needs them.

    Args:
        database: the register.
        run: a finished run.

    """
    with database.write() as connection:
        holds.forget_released(connection, from_epoch(runs.planned_at(connection, run)))
