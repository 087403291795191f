"""Imports: what was read from where, how far, with which counts; and the files that wait for their disposal."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, text, update

from retention.model import from_epoch, to_epoch
from retention.store.tables import import_, kept_file, redated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any, Literal

    from sqlalchemy import Connection, Select


@dataclass(slots=True)
class Progress:
    """How far an import has come. Instants are epoch seconds UTC.

    ``records`` is what was taken from the source, notices included. ``oldest_due_at`` is when the first of the
    registered messages is due, ``oldest_expired_due_at`` when the first of the born-expired ones was.
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


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of ours that holds personal data until its disposal."""

    file_id: int
    path: str
    file_digest: str
    source: str
    place: Literal["landing", "quarantine"]
    dispose_at: int


_PROGRESS = tuple(field.name for field in fields(Progress))


def done_before(connection: Connection, source: str, digest: str) -> Progress | None:
    """Give the counts of a finished import of the same bytes, or None."""
    query = _of(source, digest).where(import_.c.state == "done").order_by(import_.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else Progress(*row[1:])


def unfinished(connection: Connection, source: str, digest: str) -> tuple[int, Progress] | None:
    """Give number and progress of an import of the same bytes that was cut off, or None."""
    row = connection.execute(_of(source, digest).where(import_.c.state == "reading").limit(1)).one_or_none()
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


def last_finished_at(connection: Connection) -> int | None:
    """Give the time of the last finished import, epoch seconds."""
    return connection.execute(text("SELECT max(finished_at) FROM \"import\" WHERE state = 'done'")).scalar()


def windows(connection: Connection, source: str, *, since: datetime) -> list[tuple[datetime, datetime]]:
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


def mark_redated(connection: Connection, pairs: Iterable[tuple[int, str, int]]) -> None:
    """Note rows that the register has under an earlier time too; the purge room removes them."""
    for received_at, key, kept in pairs:
        known = select(redated).where(redated.c.received_at == received_at, redated.c.message_key == key)
        if connection.execute(known).one_or_none() is None:
            values = {"received_at": received_at, "message_key": key, "kept_received_at": kept}
            connection.execute(insert(redated).values(values))


def _of(source: str, digest: str) -> Select[*tuple[Any, ...]]:
    columns = [import_.c[name] for name in _PROGRESS]
    return select(import_.c.id, *columns).where(import_.c.source == source, import_.c.file_digest == digest)
