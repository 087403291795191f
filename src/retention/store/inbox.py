"""Events of webhooks: those that wait to be registered, and the keys by which a repeated one is known.

What waits has less than the register will have: the source's own id of the message, spelled bare; conversation and
contact as pseudonyms. Keys are kept as digests, for as long as a repetition would be taken, and say nothing about a
message.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from retention.store import imports
from retention.store.tables import import_, run, webhook_event, webhook_seen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection


ITEM = "events"
"""What an import of a batch is named; no file that is imported can have this name."""

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """One message that an event told of. ``received_at`` is epoch seconds UTC."""

    received_at: int
    message_id: str
    network: str
    channel: str
    conversation: str
    contact: str


_WAITING = tuple(webhook_event.c[name] for name in WaitingEvent.__slots__)


def keep(connection: Connection, source: str, key_digest: str, event: WaitingEvent, seen_at: int) -> bool:
    """Keep an event until it is registered; False where one with the same key was seen, and nothing is done."""
    values = {"source": source, "key_digest": key_digest, "seen_at": seen_at}
    made = import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert  # loads what is loaded, no other one
    new = made(webhook_seen).values(values).on_conflict_do_nothing().returning(webhook_seen.c.seen_at)
    if connection.execute(new).first() is None:
        return False
    told = {name: getattr(event, name) for name in WaitingEvent.__slots__}
    connection.execute(insert(webhook_event).values(source=source, **told))
    return True


def count_waiting(connection: Connection) -> int:
    """Count the events that wait to be registered."""
    return int(connection.execute(select(func.count()).select_from(webhook_event)).scalar_one())


def oldest_waiting(connection: Connection) -> int | None:
    """Give when the first of the events that wait was sent, epoch seconds."""
    return connection.execute(select(func.min(webhook_event.c.received_at))).scalar()


def waiting_sources(connection: Connection) -> list[str]:
    """Give the names of the webhooks of which events wait."""
    return list(connection.execute(select(webhook_event.c.source).distinct().order_by("source")).scalars())


def waiting_anywhere(connection: Connection, message_ids: Collection[str]) -> set[str]:
    """Give those identifiers of which an event waits, whatever its source."""
    wanted, query = sorted(message_ids), select(webhook_event.c.message_id)
    chunks = (wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK))
    return {
        found
        for chunk in chunks
        for found in connection.execute(query.where(webhook_event.c.message_id.in_(chunk))).scalars()
    }


def stream_people(connection: Connection) -> Iterator[tuple[str, str]]:
    """Stream what stands for conversation and contact in the events that wait."""
    query = select(webhook_event.c.conversation, webhook_event.c.contact).execution_options(yield_per=_CHUNK)
    for rows in connection.execute(query).partitions():
        yield from ((row[0], row[1]) for row in rows)


def erasure_owed(connection: Connection) -> bool:
    """Tell whether identifiers went since the last run that came to its end, unregistered or after their disposal."""
    ended = select(func.coalesce(func.max(run.c.finished_at), 0)).where(run.c.state == "done").scalar_subquery()
    lost = import_.c.not_covered + import_.c.born_expired + import_.c.rejected > 0
    late = import_.c.records == 0
    of_events = select(import_.c.id).where(import_.c.name == ITEM, import_.c.finished_at >= ended, lost | late)
    return connection.execute(of_events.limit(1)).first() is not None


def owe_erasure(connection: Connection, source: str, digest: str, at: datetime) -> None:
    """Note that a batch went long after its import: an import of nothing, which no batch is."""
    number = imports.start(connection, source=source, name=ITEM, digest=digest, at=at, window_from=None, window_to=None)
    imports.finish(connection, number, "done", at)


def gather(connection: Connection, source: str) -> list[int]:
    """Put what waits and is in no batch yet into a new one, and give the numbers of all batches.

    A batch never changes afterwards, so that an import of it that was cut off can go on. Its number is given out once:
    every batch that went left an import behind, so imports and waiting batches together only grow.
    """
    of_source = webhook_event.c.source == source
    batch = webhook_event.c.batch
    last, waiting = connection.execute(select(func.max(batch), func.count(batch.distinct()))).one()
    imported = connection.execute(select(func.max(import_.c.id))).scalar() or 0
    free = update(webhook_event).where(of_source, batch.is_(None))
    connection.execute(free.values(batch=max(last or 0, imported + waiting) + 1))
    query = select(webhook_event.c.batch).where(of_source).distinct().order_by(webhook_event.c.batch)
    return [int(number) for number in connection.execute(query).scalars()]


def batch_of(connection: Connection, source: str, batch: int) -> Iterable[WaitingEvent]:
    """Give the events of a batch, in the order in which they were kept."""
    query = select(*_WAITING).where(webhook_event.c.source == source, webhook_event.c.batch == batch)
    return (WaitingEvent(*row) for row in connection.execute(query.order_by(webhook_event.c.id)))


def forget(connection: Connection, source: str, batch: int) -> None:
    """Remove a batch that was imported."""
    connection.execute(delete(webhook_event).where(webhook_event.c.source == source, webhook_event.c.batch == batch))


def forget_keys(connection: Connection, before: int) -> None:
    """Remove the keys that were seen before an instant (epoch seconds)."""
    connection.execute(delete(webhook_seen).where(webhook_seen.c.seen_at < before))
