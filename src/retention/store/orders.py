"""Disposal orders: how many messages each lists, when it is due, who attested it and what later exports showed.

Their identifiers stand in a table of their own, see ``order_items.py``; nothing here reads that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, select, text, update

from retention.model import to_epoch
from retention.store.tables import finding, import_, upstream_attestation, upstream_order

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

LISTING = "listing"
"""The state of an order whose run has not ended: it still grows and nobody was told of it."""

PRESENT_KIND = "upstream-present"
"""The kind of the findings that say that a source still holds what it should not."""


class DisposalOrder(NamedTuple):
    """One order. Instants are epoch seconds UTC, days ISO text in the source's zone; ``left`` is its own difference."""

    id: int
    source: str
    source_id: int
    run_id: int
    state: str
    issued_at: int | None
    due_on: str | None
    overdue_at: int | None
    forget_at: int | None
    first_on: str | None
    last_on: str | None
    needed: int | None
    list_digest: str | None
    salt: str | None
    listed: int
    absent: int
    present: int
    unknown: int

    @property
    def left(self) -> int:
        """The messages of which nothing is settled: their identifiers are kept."""
        return self.listed - self.absent - self.unknown


class Attestation(NamedTuple):
    """A person's word that an order was carried out; commitments, whose texts stand among the remarks."""

    number: int
    attested_at: int
    by_commitment: str
    reference_commitment: str
    refuted_at: int | None


class Stray(NamedTuple):
    """An open finding of messages past their period that stand in no order, with what its import spans."""

    finding_id: int
    source: str
    messages: int
    due_at: int
    first_at: int
    last_at: int
    window_to: int | None
    newest_at: int | None


_ORDER = upstream_order.c
_COLUMNS = tuple(_ORDER[name] for name in DisposalOrder._fields)
_ATTESTED = upstream_attestation.c


def being_listed(connection: Connection, *, run_id: int, source: str, source_id: int) -> int:
    """Give the order that a run fills for a source, making it at first use."""
    query = select(_ORDER.id).where(_ORDER.run_id == run_id, _ORDER.source_id == source_id, _ORDER.state == LISTING)
    if (found := connection.execute(query).scalar()) is not None:
        return int(found)
    number = int(connection.execute(text("SELECT coalesce(max(id), 0) + 1 FROM upstream_order")).scalar_one())
    counts = dict.fromkeys(("listed", "absent", "present", "unknown", "unerased"), 0)
    values = {"id": number, "source": source, "source_id": source_id, "run_id": run_id, "state": LISTING, **counts}
    connection.execute(insert(upstream_order).values(values))
    return number


def count_listed(connection: Connection, order_id: int, added: int) -> None:
    """Count what a batch added to an order."""
    connection.execute(
        update(upstream_order).where(_ORDER.id == order_id).values(listed=upstream_order.c.listed + added)
    )


def load(connection: Connection, state: str | None = None) -> list[DisposalOrder]:
    """Give every order, or those in a state, by number."""
    query = select(*_COLUMNS).order_by(_ORDER.id)
    if state is not None:
        query = query.where(_ORDER.state == state)
    return [DisposalOrder(*row) for row in connection.execute(query)]


def find(connection: Connection, order_id: int) -> DisposalOrder | None:
    """Give one order, or None."""
    row = connection.execute(select(*_COLUMNS).where(_ORDER.id == order_id)).one_or_none()
    return None if row is None else DisposalOrder(*row)


def of_run(connection: Connection, run_id: int) -> list[DisposalOrder]:
    """Give the orders that a run issued, by source."""
    query = select(*_COLUMNS).where(_ORDER.run_id == run_id).order_by(_ORDER.source, _ORDER.id)
    return [DisposalOrder(*row) for row in connection.execute(query)]


def open_before(connection: Connection, source_id: int, at: int) -> list[DisposalOrder]:
    """Give the orders of a source that were issued before an instant and have something left."""
    left = _ORDER.listed > _ORDER.absent + _ORDER.unknown
    query = select(*_COLUMNS).where(_ORDER.source_id == source_id, _ORDER.issued_at < at, left).order_by(_ORDER.id)
    return [DisposalOrder(*row) for row in connection.execute(query)]


def has_items(connection: Connection, source_id: int) -> bool:
    """Tell whether identifiers of a source are kept in any order."""
    left = _ORDER.listed > _ORDER.absent + _ORDER.unknown
    query = select(_ORDER.id).where(_ORDER.source_id == source_id, left).limit(1)
    return connection.execute(query).scalar() is not None


def to_forget(connection: Connection, at: datetime) -> list[DisposalOrder]:
    """Give the orders whose identifiers were kept for as long as they may be."""
    left = _ORDER.listed > _ORDER.absent + _ORDER.unknown
    query = select(*_COLUMNS).where(_ORDER.forget_at <= to_epoch(at), left).order_by(_ORDER.id)
    return [DisposalOrder(*row) for row in connection.execute(query)]


def change(connection: Connection, order_id: int, **values: str | int | None) -> None:
    """Change columns of an order."""
    connection.execute(update(upstream_order).where(_ORDER.id == order_id).values(**values))


def count_gone(connection: Connection, order_id: int, gone: int) -> None:
    """Note that an erasure is owed for identifiers that were removed."""
    connection.execute(
        update(upstream_order).where(_ORDER.id == order_id).values(unerased=upstream_order.c.unerased + gone)
    )


def erasure_owed(connection: Connection) -> bool:
    """Tell whether identifiers went since the last erasure."""
    return connection.execute(select(_ORDER.id).where(_ORDER.unerased > 0).limit(1)).scalar() is not None


def erased(connection: Connection) -> None:
    """Note that an erasure came to its end."""
    connection.execute(update(upstream_order).where(_ORDER.unerased > 0).values(unerased=0))


def attest(connection: Connection, order_id: int, *, at: datetime, by: str, reference: str) -> None:
    """Record a person's word; both texts are commitments."""
    highest = select(func.coalesce(func.max(_ATTESTED.number), 0)).where(_ATTESTED.order_id == order_id)
    number = int(connection.execute(highest).scalar_one()) + 1
    values = {"order_id": order_id, "number": number, "attested_at": to_epoch(at)}
    texts = {"by_commitment": by, "reference_commitment": reference}
    connection.execute(insert(upstream_attestation).values({**values, **texts}))


def attestations(connection: Connection, order_id: int) -> list[Attestation]:
    """Give what people attested of an order, in order of time."""
    columns = tuple(_ATTESTED[name] for name in Attestation._fields)
    query = select(*columns).where(_ATTESTED.order_id == order_id).order_by(_ATTESTED.number)
    return [Attestation(*row) for row in connection.execute(query)]


def refute(connection: Connection, order_id: int, at: int) -> None:
    """Note that an export of an instant shows what was attested before it to be untrue."""
    told = (_ATTESTED.order_id == order_id) & _ATTESTED.refuted_at.is_(None) & (_ATTESTED.attested_at < at)
    connection.execute(update(upstream_attestation).where(told).values(refuted_at=at))


def label(order_id: int) -> str:
    """Give the word that stands for an order among findings and files."""
    return f"order {order_id}"


def shown_present(connection: Connection) -> set[str]:
    """Give the labels of the orders of which a finding says that the source still holds messages."""
    query = select(finding.c.file).where(finding.c.kind == PRESENT_KIND, finding.c.resolved_at.is_(None))
    return set(connection.execute(query).scalars())


def shown_and_settled(connection: Connection) -> list[tuple[int, int]]:
    """Give from when something should have been gone at a source, and when the finding that it was not was resolved."""
    columns = (finding.c.file, finding.c.resolved_at, import_.c.stray_due_at)
    query = select(*columns).outerjoin(import_, import_.c.id == finding.c.import_id).order_by(finding.c.id)
    query = query.where(finding.c.kind == PRESENT_KIND, finding.c.resolved_at.is_not(None))
    overdue = {label(order.id): order.overdue_at for order in load(connection)}
    told = ((row[2] if row[2] is not None else overdue.get(row[0]), row[1]) for row in connection.execute(query))
    return [(should, resolved) for should, resolved in told if should is not None]


def strays(connection: Connection, source: str | None = None) -> list[Stray]:
    """Give the open findings of born-expired messages that stand in no order."""
    columns = (
        finding.c.id,
        finding.c.source,
        import_.c.born_expired - import_.c.listed,
        *(import_.c[name] for name in ("stray_due_at", "stray_first_at", "stray_last_at", "window_to", "newest_at")),
    )
    query = select(*columns).join(import_, import_.c.id == finding.c.import_id).order_by(finding.c.id)
    query = query.where(finding.c.kind == PRESENT_KIND, finding.c.resolved_at.is_(None))
    query = query.where(import_.c.stray_due_at.is_not(None))
    if source is not None:
        query = query.where(finding.c.source == source)
    return [Stray(*row) for row in connection.execute(query)]
