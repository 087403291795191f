"""Messages that were disposed of here and are to be deleted by an interface: what of it is not settled yet.

A row comes in the transaction that deletes the message from the register, and goes when the interface has said that it
is gone there too. So the table is small, and it is the only place where the identifier of a disposed message stands.
What remains is a tally for each run and source, without identifiers.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select, text, update

from retention.store.tables import source, upstream_call, upstream_tally

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

WAITING, INTENDED = "waiting", "intended"
"""A call is to be made; it may have been made, and its outcome is not known."""

_AT_ONCE = 500
_ADD = text(
    "INSERT INTO upstream_tally (run_id, source_id, listed, deleted) VALUES (:run, :source, :listed, :deleted) "
    "ON CONFLICT (run_id, source_id) DO UPDATE SET "
    "listed = upstream_tally.listed + excluded.listed, deleted = upstream_tally.deleted + excluded.deleted"
)


class Call(NamedTuple):
    """One deletion that is not settled: by which run the message was disposed of, and how often it was refused."""

    message_id: str
    run_id: int
    state: str
    refusals: int


class Tally(NamedTuple):
    """The calls of one run and source: how many messages they are about, how many are gone, how many still wait."""

    run_id: int
    source: str
    listed: int
    deleted: int
    waiting: int

    @property
    def given_up(self) -> int:
        """Messages that the interface refuses to delete for good."""
        return self.listed - self.deleted - self.waiting


def enlist(connection: Connection, run_id: int, keys: Sequence[tuple[int, str]]) -> None:
    """Note what a run has disposed of, by source and identifier; what is noted already stays as it is."""
    for begin in range(0, len(keys), _AT_ONCE):
        part = keys[begin : begin + _AT_ONCE]
        ids = [message_id for _, message_id in part]
        query = select(upstream_call.c.source_id, upstream_call.c.message_id)
        known = {tuple(row) for row in connection.execute(query.where(upstream_call.c.message_id.in_(ids)))}
        new = [pair for pair in part if pair not in known]
        rows = [
            {"source_id": source_id, "message_id": message_id, "run_id": run_id, "state": WAITING, "refusals": 0}
            for source_id, message_id in new
        ]
        if rows:
            connection.execute(insert(upstream_call), rows)
        for source_id, listed in Counter(source_id for source_id, _ in new).items():
            _add(connection, run_id, source_id, listed=listed)


def after(
    connection: Connection, source_id: int, floor: str, *, limit: int, states: Collection[str] = (WAITING, INTENDED)
) -> list[Call]:
    """Give the next calls of a source, in the order of their identifiers, which is the table's key."""
    table = upstream_call.c
    query = select(table.message_id, table.run_id, table.state, table.refusals).where(
        table.source_id == source_id, table.message_id > floor, table.state.in_(states)
    )
    return [Call(*row) for row in connection.execute(query.order_by(table.message_id).limit(limit))]


def intend(connection: Connection, source_id: int, message_ids: Sequence[str]) -> None:
    """Note that calls are about to be made."""
    _change(connection, source_id, message_ids, state=INTENDED)


def put_back(connection: Connection, source_id: int, message_ids: Sequence[str], *, refused: bool) -> None:
    """Note that calls came to nothing and are to be made again by a later run."""
    refusals = upstream_call.c.refusals + int(refused)
    _change(connection, source_id, message_ids, state=WAITING, refusals=refusals)


def settle(connection: Connection, source_id: int, message_ids: Sequence[str]) -> None:
    """Forget what is settled."""
    if message_ids:
        where = (upstream_call.c.source_id == source_id, upstream_call.c.message_id == bindparam("which"))
        connection.execute(delete(upstream_call).where(*where), [{"which": one} for one in message_ids])


def note_deleted(connection: Connection, source_id: int, by_run: Mapping[int, int]) -> None:
    """Add to the tallies how many messages of each run the interface has deleted, or does not have any more."""
    for run_id, deleted in by_run.items():
        _add(connection, run_id, source_id, deleted=deleted)


def tallies(connection: Connection, run_id: int | None = None) -> list[Tally]:
    """Give the tallies of one run, or of all, in order."""
    table, call = upstream_tally.c, upstream_call.c
    alike = (call.source_id == table.source_id, call.run_id == table.run_id)
    waiting = select(func.count()).select_from(upstream_call).where(*alike).scalar_subquery()
    query = select(table.run_id, source.c.name, table.listed, table.deleted, waiting)
    query = query.join(source, source.c.id == table.source_id).order_by(table.run_id, table.source_id)
    if run_id is not None:
        query = query.where(table.run_id == run_id)
    return [Tally(*row) for row in connection.execute(query)]


def count(connection: Connection, source_id: int | None = None) -> int:
    """Count what is not settled, of one source or of all."""
    query = select(func.count()).select_from(upstream_call)
    if source_id is not None:
        query = query.where(upstream_call.c.source_id == source_id)
    return int(connection.execute(query).scalar_one())


def listed_anywhere(connection: Connection, message_ids: Collection[str]) -> set[str]:
    """Give those identifiers that still wait for their deletion, whatever their source."""
    query = select(upstream_call.c.message_id).where(upstream_call.c.message_id.in_(list(message_ids)))
    return set(connection.execute(query).scalars())


def _change(connection: Connection, source_id: int, message_ids: Sequence[str], **values: object) -> None:
    if message_ids:
        where = (upstream_call.c.source_id == source_id, upstream_call.c.message_id == bindparam("which"))
        change = update(upstream_call).where(*where).values(**values)
        connection.execute(change, [{"which": one} for one in message_ids])


def _add(connection: Connection, run_id: int, source_id: int, *, listed: int = 0, deleted: int = 0) -> None:
    connection.execute(_ADD, {"run": run_id, "source": source_id, "listed": listed, "deleted": deleted})
