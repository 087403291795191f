"""Imports: what was read from where, how far, with which counts; and the files that wait for their disposal."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, insert, select, text, update

from retention.model import from_epoch, to_epoch
from retention.store.tables import import_, kept_file, redated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path
    from typing import Any, Literal

    from sqlalchemy import Connection, Select


@dataclass(slots=True)
class Progress:
    """How far an import has come. Instants are epoch seconds UTC.

    ``records`` is what was taken from the source, notices included. ``oldest_due_at`` is when the first of the
    registered messages is due, ``oldest_expired_due_at`` when the first of the born-expired ones was. Of these,
    ``listed`` stand in a disposal order; the others are strays: the first of them was due at ``stray_due_at``, and
    they were received from ``stray_first_at`` to ``stray_last_at``.
    """

    records: int = 0
    registered: int = 0
    duplicates: int = 0
    not_covered: int = 0
    born_expired: int = 0
    rejected: int = 0
    oldest_due_at: int | None = None
    oldest_expired_due_at: int | None = None
    newest_at: int | None = None
    oldest_at: int | None = None
    listed: int = 0
    stray_due_at: int | None = None
    stray_first_at: int | None = None
    stray_last_at: int | None = None

    @property
    def rows(self) -> int:
        """The rows read so far: the sum of the five counts."""
        return self.registered + self.duplicates + self.not_covered + self.born_expired + self.rejected

    def counts(self) -> dict[str, int]:
        """Give the rows and the five counts that add up to them, by name."""
        names = ("rows", "registered", "duplicates", "not_covered", "born_expired", "rejected")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How one item was imported. ``refused`` is the reason where the item was refused or could not be read through."""

    source: str
    name: str
    file_digest: str
    window_from: datetime | None
    window_to: datetime | None
    progress: Progress
    already_imported: bool = False
    refused: str | None = None


class SeenWindow(NamedTuple):
    """What one finished import covers by its name, and what its contents span; epoch seconds."""

    window_from: int | None
    window_to: int | None
    oldest_at: int | None
    newest_at: int | None


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of ours that holds personal data until its disposal."""

    file_id: int
    path: str
    file_digest: str
    source: str
    place: str  # landing, quarantine, or the order that the file is a copy of
    dispose_at: int


NamedWindow = tuple["datetime | None", "datetime | None"]
"""What an item's name says it covers."""

_PROGRESS = tuple(field.name for field in fields(Progress))


def done_before(connection: Connection, source: str, digest: str, window: NamedWindow) -> Progress | None:
    """Give the counts of a finished import of the same bytes, or None.

    Exports of quiet times are the same bytes, header and nothing else; only their windows tell them apart.
    """
    query = _of(source, digest, window).where(import_.c.state == "done").order_by(import_.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else Progress(*row[1:])


def unfinished(connection: Connection, source: str, digest: str, window: NamedWindow) -> tuple[int, Progress] | None:
    """Give number and progress of an import of the same bytes that was cut off, or None."""
    row = connection.execute(_of(source, digest, window).where(import_.c.state == "reading").limit(1)).one_or_none()
    return None if row is None else (row[0], Progress(*row[1:]))


def start(
    connection: Connection,
    *,
    source: str,
    name: str,
    digest: str,
    at: datetime,
    window_from: datetime | None,
    window_to: datetime | None,
) -> int:
    """Record that an import begins and give its number."""
    number = int(connection.execute(text('SELECT coalesce(max(id), 0) + 1 FROM "import"')).scalar_one())
    blank = Progress()
    connection.execute(
        insert(import_).values(
            id=number,
            source=source,
            name=name,
            file_digest=digest,
            state="reading",
            started_at=to_epoch(at),
            window_from=to_epoch(window_from) if window_from else None,
            window_to=to_epoch(window_to) if window_to else None,
            **{name: getattr(blank, name) for name in _PROGRESS},
        )
    )
    return number


def save(connection: Connection, import_id: int, progress: Progress) -> None:
    """Record how far an import has come."""
    values = {name: getattr(progress, name) for name in _PROGRESS}
    connection.execute(update(import_).where(import_.c.id == import_id).values(values))


def finish(connection: Connection, import_id: int, state: Literal["done", "refused"], at: datetime) -> None:
    """Record how an import ended."""
    connection.execute(update(import_).where(import_.c.id == import_id).values(state=state, finished_at=to_epoch(at)))


def overfull(connection: Connection) -> list[tuple[int, int, int]]:
    """Give each import that has more messages in the register than it registered: number, messages, registered."""
    sql = text(
        "SELECT m.import_id, m.messages, coalesce(i.registered, 0) FROM "
        "(SELECT import_id, count(*) AS messages FROM message GROUP BY import_id) m "
        'LEFT JOIN "import" i ON i.id = m.import_id WHERE m.messages > coalesce(i.registered, 0) ORDER BY 1'
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(sql)]


def last_finished_at(connection: Connection) -> int | None:
    """Give the time of the last finished import, epoch seconds."""
    return connection.execute(text("SELECT max(finished_at) FROM \"import\" WHERE state = 'done'")).scalar()


def last_arrival(connection: Connection, source: str) -> int | None:
    """Give the time of a source's last finished import, epoch seconds."""
    query = select(func.max(import_.c.finished_at)).where(import_.c.source == source, import_.c.state == "done")
    return connection.execute(query).scalar()


def windows(connection: Connection, source: str) -> list[SeenWindow]:
    """Give what every finished import of a source covers."""
    columns = [import_.c[name] for name in SeenWindow._fields]
    query = select(*columns).where(import_.c.source == source, import_.c.state == "done").distinct()
    return [SeenWindow(*row) for row in connection.execute(query)]


def bring_forward(connection: Connection, place: str, at: datetime) -> None:
    """Let the files of one place go at an instant, if they were to go later."""
    later = (kept_file.c.place == place) & (kept_file.c.dispose_at > to_epoch(at))
    connection.execute(update(kept_file).where(later).values(dispose_at=to_epoch(at)))


def windows_since(connection: Connection, source: str, *, since: datetime) -> list[tuple[datetime, datetime]]:
    """Give the windows that finished imports of a source say they cover, as far as they end after an instant."""
    query = select(import_.c.window_from, import_.c.window_to).where(
        import_.c.source == source, import_.c.state == "done", import_.c.window_to > to_epoch(since)
    )
    return [(from_epoch(row[0]), from_epoch(row[1])) for row in connection.execute(query) if row[0] is not None]


def keep_file(connection: Connection, *, path: str, digest: str, source: str, place: str, dispose_at: int) -> None:
    """Record that a file waits for its disposal; a second record of the same path replaces the first."""
    connection.execute(delete(kept_file).where(kept_file.c.path == path))
    connection.execute(
        insert(kept_file).values(path=path, file_digest=digest, source=source, place=place, dispose_at=dispose_at)
    )


def files_due(connection: Connection, at: datetime) -> list[KeptFile]:
    """Give the files whose disposal is due."""
    query = select(kept_file).where(kept_file.c.dispose_at <= to_epoch(at)).order_by(kept_file.c.id)
    return [KeptFile(*row) for row in connection.execute(query)]


def kept_files(connection: Connection) -> list[KeptFile]:
    """Give every file that waits for its disposal."""
    return [KeptFile(*row) for row in connection.execute(select(kept_file).order_by(kept_file.c.id))]


def forget_file(connection: Connection, file_id: int) -> None:
    """Remove the record of a file that is gone."""
    connection.execute(delete(kept_file).where(kept_file.c.id == file_id))


def forget_path(connection: Connection, path: Path) -> None:
    """Remove the record of a file that could not be written."""
    connection.execute(delete(kept_file).where(kept_file.c.path == str(path)))


def mark_redated(connection: Connection, pairs: Iterable[tuple[int, str, int]]) -> None:
    """Note rows that the register has under an earlier time too; the purge room removes them."""
    for received_at, key, kept in pairs:
        known = select(redated).where(redated.c.received_at == received_at, redated.c.message_key == key)
        if connection.execute(known).one_or_none() is None:
            values = {"received_at": received_at, "message_key": key, "kept_received_at": kept}
            connection.execute(insert(redated).values(values))


def _of(source: str, digest: str, window: NamedWindow) -> Select[*tuple[Any, ...]]:
    columns = [import_.c[name] for name in _PROGRESS]
    start, end = (None if moment is None else to_epoch(moment) for moment in window)
    same = import_.c.window_from.is_not_distinct_from(start) & import_.c.window_to.is_not_distinct_from(end)
    query = select(import_.c.id, *columns).where(import_.c.source == source, import_.c.file_digest == digest)
    return query.where((import_.c.records > 0) | same)
