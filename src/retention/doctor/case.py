"""What the doctor is shown: the configuration as far as it is right, and the register as far as it can be opened."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retention.context import Context, open_context
from retention.errors import RetentionError
from retention.store.engine import Database, open_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from retention.doctor.station import Station
    from retention.settings import Settings


@dataclass(frozen=True, slots=True)
class Case:
    """``wrong`` names the tables of the configuration that cannot be used, and ``problems`` says why."""

    station: Station
    now: datetime
    settings: Settings
    wrong: frozenset[str]
    problems: tuple[str, ...]
    database: Database | None
    context: Context | None
    refused: RetentionError | None

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None on PostgreSQL."""
        url = self.settings.database.url
        return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.settings.paths.state

    @property
    def opened(self) -> Context:
        """The installation; probes that need it are not asked where it cannot be opened."""
        if self.context is None:
            raise self.refused or RetentionError
        return self.context

    @property
    def connected(self) -> Database:
        """The database; as above."""
        if self.database is None:
            raise self.refused or RetentionError
        return self.database


@contextmanager
def opened_case(
    station: Station, now: datetime, settings: Settings, wrong: frozenset[str], problems: tuple[str, ...]
) -> Iterator[Case]:
    """Open what can be opened of an installation, and close it in the end."""
    database, context, refused = None, None, None
    if "database" not in wrong:
        try:
            context = open_context(settings)
            database = context.database
        except RetentionError as error:
            refused = error
            database = _reached(settings)
        except OSError as error:  # a folder on the way that this user may not enter
            refused = RetentionError(f"{error.filename} cannot be looked at ({error.strerror})")
    try:
        yield Case(station, now, settings, wrong, problems, database, context, refused)
    finally:
        if database is not None:
            database.close()


def _reached(settings: Settings) -> Database | None:
    """Open a database that holds no register of this version, where it can at least be asked."""
    try:
        database = open_database(settings.database.url)
    except RetentionError:
        return None
    try:
        with database.read() as connection:
            connection.exec_driver_sql("SELECT 1")
    except RetentionError:
        database.close()
        return None
    return database
