"""Questions to the register of messages, and its classes. Nothing here deletes.

Every query on ``message`` walks its one index, ``(received_at, message_key)``. Counts go by quarter of an hour
(``received_at / 900``) and become local days in Python: every zone offset since 1990 is a multiple of a quarter, so
the database does no calendar arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import insert, select, text

from retention.model import MessageClass
from retention.store.holds import ACTIVE, covered
from retention.store.tables import message_class, source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

QUARTER = 900
START = (-(2**62), "")
_FRESH_ROWS = 250_000

_COLUMNS = (
    message_class.c.source,
    message_class.c.network,
    message_class.c.channel,
    message_class.c.direction,
    message_class.c.visibility,
    message_class.c.message_type,
)


class Bucket(NamedTuple):
    """How many messages of one class were received in one quarter of an hour that starts at ``at`` (epoch seconds)."""

    class_id: int
    at: int
    messages: int


class Registered(NamedTuple):
    """One row of the register."""

    received_at: int
    message_key: str
    class_id: int
    pseudonym: str
    conversation: str
    contact: str
    last_seen_at: int


def source_number(connection: Connection, name: str) -> int:
    """Give the small number that stands for a source in message keys, making it at first use."""
    query = select(source.c.id).where(source.c.name == name)
    if (found := connection.execute(query).scalar()) is None:
        connection.execute(insert(source).values(name=name))
        found = connection.execute(query).scalar_one()
    return int(found)


def source_names(connection: Connection) -> list[str]:
    """Give the names of every source that was ever imported from."""
    return list(connection.execute(select(source.c.name).order_by(source.c.id)).scalars())


def source_numbers(connection: Connection) -> list[int]:
    """Give the numbers of every source that was ever imported from."""
    return list(connection.execute(select(source.c.id).order_by(source.c.id)).scalars())


def numbered_sources(connection: Connection) -> dict[int, str]:
    """Give the name of every source that was ever imported from, by its number."""
    return {row[0]: row[1] for row in connection.execute(select(source.c.id, source.c.name))}


def message_key(source_id: int, message_id: str) -> str:
    """Give the key of a message: the number of its source and the source's own id."""
    return f"{source_id}:{message_id}"


def class_number(connection: Connection, wanted: MessageClass) -> int:
    """Give the number of a message class, making it at first use."""
    query = select(message_class.c.id).where(*(column == value for column, value in zip(_COLUMNS, wanted, strict=True)))
    if (found := connection.execute(query).scalar()) is None:
        values = {**wanted._asdict(), "channel_folded": wanted.channel.casefold()}
        connection.execute(insert(message_class).values(values))
        found = connection.execute(query).scalar_one()
    return int(found)


def classes(connection: Connection) -> dict[int, MessageClass]:
    """Give every message class by its number."""
    rows = connection.execute(select(message_class.c.id, *_COLUMNS))
    return {row[0]: MessageClass(*row[1:]) for row in rows}


def total(connection: Connection) -> int:
    """Count the registered messages."""
    return int(connection.execute(text("SELECT count(*) FROM message")).scalar_one())


def bounds(connection: Connection) -> tuple[int | None, int | None]:
    """Give the oldest and the newest time of receipt; two look-ups at the ends of the index."""
    oldest = connection.execute(text("SELECT min(received_at) FROM message")).scalar()
    newest = connection.execute(text("SELECT max(received_at) FROM message")).scalar()
    return oldest, newest


def count_by_quarter(
    connection: Connection,
    *,
    before: int,
    class_ids: Iterable[int],
    since: int | None = None,
    holds: str | None = None,
    negate: str | None = None,
) -> list[Bucket]:
    """Count messages received before an instant, by class and quarter of an hour.

    ``since`` counts only what was received from an instant on, ``holds`` only what a hold of that condition covers,
    ``negate`` only what none covers (see ``holds.py``).
    """
    wanted = _numbers(class_ids)
    if not wanted:
        return []
    where = [f"m.received_at < :before AND m.class_id IN ({wanted})"]
    where += [covered(holds)] if holds else []
    where += [f"NOT {covered(negate)}"] if negate else []
    where += ["m.received_at >= :since"] if since is not None else []
    values = {"before": before} if since is None else {"before": before, "since": since}
    sql = (
        f"SELECT m.class_id, (m.received_at / {QUARTER}) * {QUARTER}, count(*) FROM message m "
        f"WHERE {' AND '.join(where)} GROUP BY 1, 2 ORDER BY 2, 1"
    )
    return [Bucket(*row) for row in connection.execute(text(sql), values)]


def first_from(connection: Connection, *, start: int, class_ids: Iterable[int]) -> int | None:
    """Give the earliest receipt of some classes from an instant on; walks the index up to the first one."""
    sql = text(
        f"SELECT received_at FROM message WHERE received_at >= :start AND class_id IN ({_numbers(class_ids)}) "
        "ORDER BY received_at, message_key LIMIT 1"
    )
    return connection.execute(sql, {"start": start}).scalar()


def boundary(connection: Connection, *, before: int, floor: tuple[int, str], size: int) -> tuple[int, str] | None:
    """Give the key of the last row of the next batch, or None where fewer rows than a batch are left."""
    sql = text(
        "SELECT received_at, message_key FROM message "
        "WHERE received_at < :before AND (received_at, message_key) > (:floor_at, :floor_key) "
        "ORDER BY received_at, message_key LIMIT 1 OFFSET :skip"
    )
    row = connection.execute(
        sql, {"before": before, "floor_at": floor[0], "floor_key": floor[1], "skip": size - 1}
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def find(connection: Connection, keys: Sequence[str]) -> Registered | None:
    """Look one message up by its possible keys; a scan, for ``explain``."""
    names = {f"k{number}": key for number, key in enumerate(keys)}
    marks = ", ".join(f":{name}" for name in names)
    sql = text(
        "SELECT received_at, message_key, class_id, pseudonym, conversation, contact, last_seen_at "
        f"FROM message WHERE message_key IN ({marks}) ORDER BY received_at LIMIT 1"
    )
    row = connection.execute(sql, names).one_or_none()
    return None if row is None else Registered(*row)


def stream_due(
    connection: Connection, *, before: int, class_ids: Iterable[int], page: int = 10_000
) -> Iterable[tuple[int, str]]:
    """Stream time and key of what is due and not held, in order of time, page by page."""
    wanted = _numbers(class_ids)
    floor = START
    sql = text(
        "SELECT m.received_at, m.message_key FROM message m "
        "WHERE m.received_at < :before AND (m.received_at, m.message_key) > (:floor_at, :floor_key) "
        f"AND m.class_id IN ({wanted}) AND NOT {covered(ACTIVE)} "
        "ORDER BY m.received_at, m.message_key LIMIT :page"
    )
    while wanted:
        rows = connection.execute(
            sql, {"before": before, "floor_at": floor[0], "floor_key": floor[1], "page": page}
        ).all()
        yield from ((row[0], row[1]) for row in rows)
        if len(rows) < page:
            return
        floor = (rows[-1][0], rows[-1][1])


def stream_names(connection: Connection, *, page: int = 10_000) -> Iterable[tuple[int, str, str, int]]:
    """Stream time, key, pseudonym and import of every message, in order of time, page by page."""
    floor = START
    sql = text(
        "SELECT received_at, message_key, pseudonym, import_id FROM message "
        "WHERE (received_at, message_key) > (:floor_at, :floor_key) ORDER BY received_at, message_key LIMIT :page"
    )
    while True:
        rows = connection.execute(sql, {"floor_at": floor[0], "floor_key": floor[1], "page": page}).all()
        yield from ((row[0], row[1], row[2], row[3]) for row in rows)
        if len(rows) < page:
            return
        floor = (rows[-1][0], rows[-1][1])


def redated_pairs(connection: Connection, import_id: int, registered: int) -> list[tuple[int, str, int]]:
    """Find messages of an import that the register also has under another time of receipt.

    The register is scanned against the import's own rows, at most a quarter of a million of them at a time so that
    memory does not grow with the import. Gives the time and key of each row that is later than the earliest one, and
    that earliest time.
    """
    sql = text(
        "WITH fresh AS MATERIALIZED (SELECT message_key, received_at FROM message "
        "WHERE import_id = :import_id AND received_at % :passes = :pass) "
        "SELECT o.message_key, o.received_at, n.received_at FROM message o CROSS JOIN fresh n "
        "WHERE n.message_key = o.message_key AND n.received_at <> o.received_at"
    )
    times: dict[str, set[int]] = {}
    passes = 1 + registered // _FRESH_ROWS
    for number in range(passes):
        values = {"import_id": import_id, "passes": passes, "pass": number}
        for key, one, other in connection.execute(sql, values):
            times.setdefault(key, set()).update((one, other))
    return [(later, key, min(found)) for key, found in sorted(times.items()) for later in sorted(found)[1:]]


def _numbers(values: Iterable[int]) -> str:
    return ", ".join(str(int(value)) for value in sorted(values))
