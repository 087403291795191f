"""The log's tables as they stand, for whoever checks them: whatever somebody wrote there comes back as bytes.

SQLite keeps any value in any column and refuses to hand out text that is not UTF-8. So on it every value is read as the
bytes it is stored as, else one bad byte would end a verification before it has named the entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import LargeBinary, bindparam, case, cast, func, select

from retention.audit.merkle import TILE_WIDTH
from retention.audit.tables import audit_anchor, audit_checkpoint, audit_entry, audit_head, audit_tile
from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Column, ColumnElement, Connection, Select

_PAGE = 10 * TILE_WIDTH
_NOTES = 500


class StoredHead(NamedTuple):
    """The head of the log: number of entries, 32-byte root and right edge, as the three were stored."""

    size: int
    root: bytes
    edge: bytes


class StoredNote(NamedTuple):
    """A checkpoint: the size under which it was stored, and the note."""

    size: int
    note: str


def head(connection: Connection, *, lock: bool = False) -> StoredHead:
    """Give the head.

    Args:
        connection: any transaction; one that writes, for a lock.
        lock: keep other writers out until the end of the transaction.

    Returns:
        Size, root and edge. Whether they belong together is the caller's to check.

    Raises:
        LogError: there is none, there are several, or the size is not a number.

    """
    root, edge = (_bytes_of(connection, column) for column in (audit_head.c.root, audit_head.c.edge))
    query = select(_number_of(connection, audit_head.c.size), root, edge)
    rows = connection.execute(query.with_for_update() if lock else query).all()
    if not rows:
        msg = "the audit log has no head; was the database made with: retention init ?"
        raise LogError(msg)
    if len(rows) > 1 or rows[0][0] is None:
        msg = "the audit log must have one head with a size; look with: retention audit verify"
        raise LogError(msg)
    return StoredHead(*rows[0])


def entry_pages(connection: Connection, first: int = 0) -> Iterator[list[bytes]]:
    """Stream the entries up to the first that is missing; memory does not grow with the log.

    Args:
        connection: a transaction that sees one state of the database.
        first: index of the first entry, a multiple of the width of a tile.

    Yields:
        Entries as they are stored; every page but the last is a number of whole tiles.

    """
    seq, body = audit_entry.c.seq, _bytes_of(connection, audit_entry.c.body)
    query = select(seq, body).where(seq >= bindparam("first")).order_by(seq).limit(_PAGE)
    while True:
        rows = _fetch(connection, query, first=first)
        bodies = [row[1] for index, row in enumerate(rows, first) if row[0] == index]
        if bodies and isinstance(bodies[0], str):
            bodies = [body.encode() for body in bodies]
        if bodies:
            yield bodies
        if len(bodies) < _PAGE:
            return
        first += _PAGE


def entries_between(connection: Connection, first: int, end: int) -> list[tuple[int, bytes]]:
    """Give the entries of a range as they are stored.

    Args:
        connection: any transaction.
        first: index of the first.
        end: index after the last one.

    Returns:
        Pairs of index and entry, in order; an index at which nothing stands is left out.

    """
    seq, body = audit_entry.c.seq, _bytes_of(connection, audit_entry.c.body)
    query = select(seq, body).where(seq >= bindparam("first"), seq < bindparam("end")).order_by(seq)
    rows = _fetch(connection, query, first=first, end=end)
    return [(row[0], row[1].encode() if isinstance(row[1], str) else row[1]) for row in rows]


def ends(connection: Connection) -> tuple[int | None, int | None]:
    """Give the lowest and the highest index; each is the end of the primary key.

    Args:
        connection: any transaction.

    Returns:
        Both, or None twice where there is no entry.

    """
    lowest, highest = (select(end(audit_entry.c.seq)) for end in (func.min, func.max))
    return connection.execute(lowest).scalar(), connection.execute(highest).scalar()


def count_entries(connection: Connection) -> int:
    """Count the entries; this walks over all of them.

    Args:
        connection: any transaction.

    Returns:
        Their number.

    """
    return connection.execute(select(func.count()).select_from(audit_entry)).scalar_one()


def entries_at(connection: Connection, indexes: Iterable[int]) -> list[tuple[int, str]]:
    """Give a few entries by their indexes.

    Args:
        connection: any transaction.
        indexes: which.

    Returns:
        Pairs of index and entry, in order; an index at which nothing stands is left out.

    """
    seq, body = audit_entry.c.seq, _bytes_of(connection, audit_entry.c.body)
    rows = connection.execute(select(seq, body).where(seq.in_(list(indexes))).order_by(seq)).all()
    return [(row[0], _text(row[1])) for row in rows]


def entry_outside(connection: Connection, size: int) -> int | None:
    """Find an entry that does not stand between index 0 and the size.

    Args:
        connection: any transaction.
        size: the number of entries that follow each other from index 0.

    Returns:
        The lowest such index, below zero or above the size, or None.

    """
    lowest = connection.execute(select(func.min(audit_entry.c.seq))).scalar()
    if lowest is not None and lowest < 0:
        return int(lowest)
    return connection.execute(select(func.min(audit_entry.c.seq)).where(audit_entry.c.seq >= size)).scalar()


def tiles(connection: Connection, level: int, first: int, end: int) -> dict[int, bytes]:
    """Give tiles of one level.

    Args:
        connection: any transaction.
        level: the level, from 0.
        first: number of the first tile.
        end: number after the last one.

    Returns:
        The data by the tile's number; a tile that is not there is left out.

    """
    query = select(audit_tile.c.n, _bytes_of(connection, audit_tile.c.data)).where(
        audit_tile.c.level == bindparam("level"),
        audit_tile.c.n >= bindparam("first"),
        audit_tile.c.n < bindparam("end"),
    )
    return dict(_fetch(connection, query, level=level, first=first, end=end))


def tile(connection: Connection, level: int, n: int) -> bytes:
    """Give one tile.

    Args:
        connection: any transaction.
        level: the level, from 0.
        n: its number.

    Returns:
        The data, or nothing where there is no such tile.

    """
    return tiles(connection, level, n, n + 1).get(n, b"")


def count_tiles(connection: Connection) -> int:
    """Count the tiles of every level.

    Args:
        connection: any transaction.

    Returns:
        Their number.

    """
    return connection.execute(select(func.count()).select_from(audit_tile)).scalar_one()


def notes(connection: Connection) -> Iterator[StoredNote]:
    """Stream every checkpoint, by size; memory does not grow with their number.

    Args:
        connection: a transaction that sees one state of the database.

    Yields:
        Size and note.

    """
    size, note = audit_checkpoint.c.size, _bytes_of(connection, audit_checkpoint.c.note)
    page = select(size, note).order_by(size).limit(_NOTES)
    rows = _fetch(connection, page)
    while rows:
        yield from (StoredNote(row[0], _text(row[1])) for row in rows)
        rows = _fetch(connection, page.where(size > rows[-1][0]))


def latest_note(connection: Connection) -> StoredNote | None:
    """Give the checkpoint of the greatest size.

    Args:
        connection: any transaction.

    Returns:
        Size and note, or None where nothing was signed.

    """
    size, note = audit_checkpoint.c.size, _bytes_of(connection, audit_checkpoint.c.note)
    rows = _fetch(connection, select(size, note).order_by(size.desc()).limit(1))
    return StoredNote(rows[0][0], _text(rows[0][1])) if rows else None


def greatest_anchored(connection: Connection, anchor: str) -> int | None:
    """Give the size of the greatest checkpoint that an anchor took.

    Args:
        connection: any transaction.
        anchor: the anchor's name.

    Returns:
        The size, or None where it took none.

    """
    return connection.execute(select(func.max(audit_anchor.c.size)).where(audit_anchor.c.anchor == anchor)).scalar()


def evidence(connection: Connection, kind: str, size: int | None = None) -> list[tuple[int, bytes]]:
    """Give what anchors of a kind gave for checkpoints.

    Args:
        connection: any transaction.
        kind: ``timestamp`` or ``witness``.
        size: of one checkpoint only; None for all.

    Returns:
        Pairs of size and evidence, by size, then by the anchor's name.

    """
    query = select(audit_anchor.c.size, audit_anchor.c.evidence).where(audit_anchor.c.kind == kind)
    if size is not None:
        query = query.where(audit_anchor.c.size == size)
    return [
        (row[0], bytes(row[1]))
        for row in connection.execute(query.order_by(audit_anchor.c.size, audit_anchor.c.anchor))
    ]


def _bytes_of(connection: Connection, column: Column[Any]) -> ColumnElement[Any]:
    return cast(column, LargeBinary) if connection.dialect.name == "sqlite" else column


def _number_of(connection: Connection, column: Column[int]) -> ColumnElement[int]:
    return case((func.typeof(column) == "integer", column)) if connection.dialect.name == "sqlite" else column


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _fetch(connection: Connection, query: Select[Any], **values: int) -> list[tuple[Any, ...]]:
    """Take the driver's own rows: wrapping each in a row object costs as much as hashing the entry in it."""
    result = connection.execute(query, values)
    rows = list(result.cursor.fetchall())
    result.close()
    return rows
