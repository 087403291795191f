"""What the benchmarks of one size start from, made once each and only where one is asked for."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING

from benchmarks.databases import POSTGRES
from benchmarks.measure import measured
from benchmarks.office import ALL_DUE_AT, INGESTED_AT, Office
from benchmarks.sqlite import FILE

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.databases import Kind

_PRIVATE_SHARE = 0.6  # of the rows of an invented export

# A table as it is usually made: a number for each row, the id unique, the time indexed.
_CONVENTIONAL = """
PRAGMA cache_size = -262144;
PRAGMA journal_mode = WAL;
ATTACH '{ours}' AS ours;
CREATE TABLE message (id INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE, received_at INTEGER NOT NULL,
  class_id INTEGER NOT NULL, pseudonym TEXT NOT NULL, conversation TEXT NOT NULL, contact TEXT NOT NULL,
  import_id INTEGER NOT NULL, last_seen_at INTEGER NOT NULL);
CREATE INDEX message_received_at ON message (received_at);
INSERT INTO message (message_id, received_at, class_id, pseudonym, conversation, contact, import_id, last_seen_at)
SELECT message_key, received_at, class_id, pseudonym, conversation, contact, import_id, last_seen_at
FROM ours.message ORDER BY received_at, message_key;
"""


@dataclass(frozen=True, slots=True)
class Due:
    """What a plan says at an instant. ``cutoff`` is epoch seconds, exclusive."""

    cutoff: int
    due: int
    registered: int


class Stock:
    """Exports, registers and a log of one size, on one kind of database, in one folder."""

    def __init__(self, kind: Kind, folder: Path, rows: int) -> None:
        """Remember what will be needed."""
        self.kind = kind
        self.rows = rows
        self._folder = folder

    @cached_property
    def export(self) -> Path:
        """An export of ``rows`` rows, private and public."""
        return self._export("export.csv", self.rows)

    @cached_property
    def founded(self) -> Office:
        """An installation that has ingested nothing."""
        return Office(self._folder / f"founded-{self.rows}", self.kind).found()

    @cached_property
    def filled(self) -> Office:
        """An installation with about ``rows`` messages registered."""
        office = Office(self._folder / f"filled-{self.rows}", self.kind).found()
        self._export(str(office.landing / "export.csv"), round(self.rows / _PRIVATE_SHARE))
        self._say("ingesting it")
        office.retention("ingest", now=INGESTED_AT)
        if self.kind.name == POSTGRES:
            self.kind.script(office.folder, "VACUUM ANALYZE")
        return office

    @cached_property
    def purged(self) -> Office:
        """An installation whose log has an entry for each of about ``rows`` messages."""
        copy = Office(self._folder / f"purged-{self.rows}", self.kind)
        self._say("purging all of it, for a log to verify")
        self.filled.copy_to(copy)
        copy.retention("purge", now=ALL_DUE_AT)
        return copy

    @cache  # noqa: B019  # a stock lives as long as its size is measured
    def due(self, now: datetime) -> Due:
        """Tell what is due in the filled installation at an instant."""
        with self.filled.copied() as office:
            _, said = office.retention("purge", "--dry-run", "--format", "json", now=now)
        plan = json.loads(said)["plan"]
        cutoff = datetime.fromisoformat(plan["rules"][0]["cutoff"])
        return Due(int(cutoff.timestamp()), plan["due"], plan["total"])

    @cached_property
    def conventional(self) -> Office:
        """The filled register's rows in a table as it is usually made; SQLite only, and no installation of ours."""
        office = Office(self._folder / f"conventional-{self.rows}", self.kind)
        office.folder.mkdir()
        self._say("copying the register into a conventional table")
        self.kind.script(office.folder, _CONVENTIONAL.format(ours=self.filled.folder / FILE))
        return office

    def _export(self, name: str, rows: int) -> Path:
        path = self._folder / name
        self._say(f"writing an export of {rows:,} rows")
        measured((sys.executable, "-m", "benchmarks.export", path, str(rows)))
        return path

    def _say(self, what: str) -> None:
        print(f"{self.kind.name}, {self.rows:,}: {what}", file=sys.stderr)
