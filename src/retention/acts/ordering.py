"""What people do with a disposal order: look at it, take its list, attest that it was carried out.

The list holds identifiers, so whoever takes it is named in the log, the file is for its owner only, and it is disposed
of with the identifiers: it is recorded like an ingested file. Names and references are texts of operators: the log
carries commitments, the texts can be erased.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from retention.acts.recording import write_document
from retention.acts.remarks import keep_remark
from retention.audit.entry import entry
from retention.errors import RetentionError, UsageError
from retention.model import from_epoch, iso
from retention.store import imports, order_items, orders, runs
from retention.upstream.listing import csv_lines, html_lines
from retention.upstream.orders import save
from retention.upstream.states import State, attestation_problem

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.context import Context
    from retention.store.orders import DisposalOrder

_RENDER = {".csv": csv_lines, ".html": html_lines}


def list_orders(context: Context) -> list[dict[str, Any]]:
    """Give every order, without what it lists."""
    with context.database.read() as connection:
        return [_told(order) for order in orders.load(connection)]


def show_order(context: Context, number: int) -> dict[str, Any]:
    """Give one order with the days of what is left of it, and what people attested.

    Raises:
        UsageError: there is no such order.

    """
    with context.database.read() as connection:
        order = _find(connection, number)
        told = [
            {
                "by": runs.remark_of(connection, one.by_commitment),
                "reference": runs.remark_of(connection, one.reference_commitment),
                "at": iso(from_epoch(one.attested_at)),
                "refuted_at": None if one.refuted_at is None else iso(from_epoch(one.refuted_at)),
            }
            for one in orders.attestations(connection, number)
        ]
        days = [{"received_on": day, "messages": count} for day, count in order_items.by_day(connection, number)]
    return {**_told(order), "attestations": told, "days": days}


def attest_order(context: Context, number: int, *, by: str, reference: str, now: datetime) -> State:
    """Record a person's word that an order was carried out; give its state.

    Raises:
        UsageError: there is no such order, or the word cannot be taken; the reason is named.

    """
    with context.database.write() as connection:
        context.log.lock(connection)
        order = _find(connection, number)
        standing = [one for one in orders.attestations(connection, number) if one.refuted_at is None]
        names = [runs.remark_of(connection, one.by_commitment) for one in standing]
        if (problem := attestation_problem(State(order.state), by, names)) is not None:
            msg = f"order {number} cannot be attested: {problem}"
            raise UsageError(msg)
        who, why = keep_remark(connection, by), keep_remark(connection, reference)
        orders.attest(connection, number, at=now, by=who, reference=why)
        told = entry(
            "upstream_attested", now, source=order.source, count=order.left, order=number, by=who, reference=why
        )
        context.log.append(connection, [told])
        return save(connection, order, now)


def export_order(context: Context, number: int, path: Path, *, now: datetime, person: str) -> int:
    """Write an order's list to a file, as CSV or as a page to print by its name; give the number of messages.

    Raises:
        UsageError: there is no such order, it is not issued yet or closed, or the name ends otherwise.
        RetentionError: the file cannot be written.

    """
    render = _RENDER.get(path.suffix)
    if render is None:
        msg = "name the file with .csv for a list to work with, or with .html for a page to print"
        raise UsageError(msg)
    drill, path = context.installation.drill, path.absolute()
    with context.database.read() as connection:
        order = _exportable(_find(connection, number))
        items = list(order_items.stream(connection, number))
    document = "".join(render(order, items, drill=drill)).encode()
    digest = f"sha256:{sha256(document).hexdigest()}"
    with context.database.write() as connection:
        who, what = keep_remark(connection, person), f"upstream-order-{path.suffix[1:]}"
        given = entry("exported", now, what=what, by=who, digest=digest, rows=len(items))
        context.log.append(connection, [given])
        # Recorded before it is there, so that it cannot be forgotten.
        imports.keep_file(
            connection,
            path=str(path),
            digest=digest,
            source=order.source,
            place=orders.label(number),
            dispose_at=order.forget_at or 0,
        )
    try:
        write_document(document, path)
    except RetentionError:
        with context.database.write() as connection:
            imports.forget_path(connection, path)
        raise
    return len(items)


def _find(connection: Connection, number: int) -> DisposalOrder:
    order = orders.find(connection, number)
    if order is None:
        msg = f"there is no order {number}; see: retention upstream list"
        raise UsageError(msg)
    return order


def _exportable(order: DisposalOrder) -> DisposalOrder:
    if order.issued_at is None:
        msg = f"order {order.id} is not issued yet, because its run has not ended; run: retention run"
        raise UsageError(msg)
    if not order.left:
        msg = f"order {order.id} is closed ({order.state}); its identifiers are forgotten"
        raise UsageError(msg)
    return order


def _told(order: DisposalOrder) -> dict[str, Any]:
    return {
        "order": order.id,
        "source": order.source,
        "run": order.run_id,
        "state": order.state,
        "issued_at": None if order.issued_at is None else iso(from_epoch(order.issued_at)),
        "due_on": order.due_on,
        "received_from": order.first_on,
        "received_to": order.last_on,
        "listed": order.listed,
        "left": order.left,
        "absent": order.absent,
        "present": order.present,
        "unknown": order.unknown,
        "attestations_needed": order.needed,
        "list_digest": order.list_digest,
    }
