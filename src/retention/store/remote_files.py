"""Files on servers: seen, fetched, to be removed there, removed. One row for each version of a file, kept for good.

A row outlives its file, so that nothing is fetched twice; it holds a name, a size and times, nothing personal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from sqlalchemy import and_, delete, exists, insert, or_, select, update

from retention.model import to_epoch
from retention.store.tables import import_, remote_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

State = Literal["seen", "fetched", "removing", "removed"]


class Known(NamedTuple):
    """What is known of one version of a file. ``seen_at`` is by the machine's clock, ``modified_at`` by the server's.

    ``file_digest`` and ``path``, where the file was put here, are known once it was fetched.
    """

    id: int
    name: str
    size: int
    modified_at: int
    state: State
    seen_at: int
    file_digest: str | None
    path: str | None


_COLUMNS = [remote_file.c[name] for name in Known._fields]
_WAS_READ = exists().where(
    import_.c.source == remote_file.c.source,
    import_.c.file_digest == remote_file.c.file_digest,
)
_WAS_IMPORTED = _WAS_READ.where(import_.c.state == "done")


def load(connection: Connection, source: str) -> list[Known]:
    """Give every version of every file that is known of a source, the oldest first."""
    query = select(*_COLUMNS).where(remote_file.c.source == source).order_by(remote_file.c.id)
    return [Known(*row) for row in connection.execute(query)]


def note_seen(connection: Connection, source: str, versions: Iterable[tuple[str, int, int]], at: int) -> None:
    """Note versions (name, size, time of change) that were seen for the first time."""
    rows = [
        {"source": source, "name": name, "size": size, "modified_at": modified, "state": "seen", "seen_at": at}
        for name, size, modified in versions
    ]
    if rows:
        connection.execute(insert(remote_file), rows)


def look_again(connection: Connection, number: int, at: int) -> None:
    """Begin to wait anew for a version to settle, or to be fetched once more."""
    _change(connection, number, state="seen", seen_at=at, file_digest=None, path=None, fetched_at=None)


def forget(connection: Connection, number: int) -> None:
    """Forget a version that was never fetched."""
    connection.execute(delete(remote_file).where(remote_file.c.id == number))


def fetched(connection: Connection, number: int, *, digest: str, path: str, at: datetime) -> None:
    """Note that a version has arrived, with which bytes, and where it is put."""
    _change(connection, number, state="fetched", file_digest=digest, path=path, fetched_at=to_epoch(at))


def was_read(connection: Connection, number: int) -> bool:
    """Tell whether an import of these bytes was begun, however it ended."""
    query = select(remote_file.c.id).where(remote_file.c.id == number, _WAS_READ)
    return connection.execute(query).one_or_none() is not None


def removable(connection: Connection, source: str) -> list[Known]:
    """Give what may be removed from the server: what was imported, and what was being removed when a process died."""
    query = select(*_COLUMNS).where(
        remote_file.c.source == source,
        or_(remote_file.c.state == "removing", and_(remote_file.c.state == "fetched", _WAS_IMPORTED)),
    )
    return [Known(*row) for row in connection.execute(query.order_by(remote_file.c.id))]


def removing(connection: Connection, number: int) -> None:
    """Note the intention to remove a version from the server."""
    _change(connection, number, state="removing")


def removed(connection: Connection, number: int, at: datetime) -> None:
    """Note that a version is gone from the server."""
    _change(connection, number, state="removed", removed_at=to_epoch(at))


def _change(connection: Connection, number: int, **values: object) -> None:
    connection.execute(update(remote_file).where(remote_file.c.id == number).values(values))
