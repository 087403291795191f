"""A log in a small database of its own, what is exported from it, and hands that change one byte."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from retention.audit import rotation, stored
from retention.audit.bundle import Bundle, Written, write_bundle
from retention.audit.checkpoint import Checkpoint, Signer, open_note, sign, vkey
from retention.audit.entry import disposal_template, entry
from retention.audit.log import AuditLog
from retention.audit.merkle import Frontier, leaf_hashes
from retention.audit.tables import metadata
from retention.store.engine import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from retention.audit.canonical import Value
    from retention.store.engine import Database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ORIGIN = "retention/bundle-tests"
DAYS = ("2026-08-01", "2026-08-17", "2026-08-21")


def signer(seed: int = 1, *older: Signer, name: str = ORIGIN) -> Signer:
    """Make a signer whose key is the same in every process."""
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32), older)


def heartbeat(run: int) -> bytes:
    """Spell an entry that stands for itself."""
    return entry("heartbeat", NOW, run=run, registered=0)


def batch(number: int, first: int, count: int, /, **changes: Value) -> list[bytes]:
    """Spell the disposals of one batch and the entry that closes it; ``changes`` are to that entry."""
    spell = disposal_template(number)
    disposals = [spell("fb", f"{first + n:022d}", DAYS[n % len(DAYS)]) for n in range(count)]
    closing: dict[str, Value] = {
        "batch": number,
        "first": first,
        "count": count,
        "rule": "direct-messages",
        "authority": "=Privacy notice, section 2",
        "cutoff": "2026-08-21T23:00:00Z",
        "due_before": "2026-08-22",
        "schedule_digest": "sha256:schedule",
        "plan_digest": f"sha256:plan-{number}",
        "run": number,
        "software": "retention",
    }
    return [*disposals, entry("batch", NOW, **{**closing, **changes})]


@dataclass
class Log:
    """One log; ``note`` is the newest checkpoint."""

    database: Database
    signer: Signer = field(default_factory=signer)
    note: str = ""

    @classmethod
    def found(cls, path: Path, first_key: str | None = None) -> Log:
        """Make a log with its first entry."""
        log = cls(open_database(f"sqlite:///{path}", create=True))
        metadata.create_all(log.database.engine)
        key = first_key or vkey(log.signer.verifier)
        genesis = entry("genesis", NOW, origin=ORIGIN, verifier_key=key, software="retention", drill=True)
        with log.database.write() as connection:
            log.log.create(connection)
            log.log.append(connection, [genesis])
        return log.sign()

    @classmethod
    def copied(cls, path: Path, to: Path) -> Log:
        """Open a copy of a log that was made before and closed."""
        shutil.copyfile(path, to)
        log = cls(open_database(f"sqlite:///{to}"))
        with log.database.read() as connection:
            *_, newest = stored.notes(connection)
        log.note = newest.note
        return log

    @property
    def log(self) -> AuditLog:
        """What appends."""
        return AuditLog(self.database.dialect.bulk_insert)

    @property
    def size(self) -> int:
        """The number of entries."""
        with self.database.read() as connection:
            return self.log.head(connection).size

    def append(self, *entries: bytes) -> Log:
        """Append entries."""
        with self.database.write() as connection:
            self.log.append(connection, list(entries))
        return self

    def purge(self, *counts: int) -> Log:
        """Append batches of so many disposals and sign after each."""
        for count in counts:
            size = self.size
            self.append(*batch(size, size, count)).sign()
        return self

    def sign(self) -> Log:
        """Sign the head."""
        with self.database.write() as connection:
            self.note = self.log.sign_head(connection, ORIGIN, self.signer)
        return self

    def rotate(self, to: Signer) -> Log:
        """Let another key take over."""
        new, old = vkey(to.verifier), vkey(self.signer.verifier)
        with self.database.write() as connection:
            index = self.log.append(connection, [entry("rotate", NOW, verifier_key=new, previous_key=old)])
            rotation.record_rotation(connection, index)
        self.signer = to
        return self.sign()

    def sql(self, statement: str, **values: object) -> None:
        """Change something behind the log's back."""
        with self.database.write() as connection:
            assert connection.execute(text(statement), values).rowcount

    def rebuild(self, *, sign_again: bool = False) -> None:
        """Make tiles, edge and head fit the entries as they are; with the key, the checkpoints too."""
        frontier, roots = Frontier(), {0: b""}
        with self.database.write() as connection:
            bodies = [row[0].encode() for row in connection.execute(text("SELECT body FROM audit_entry ORDER BY seq"))]
            notes = [row[0] for row in connection.execute(text("SELECT size FROM audit_checkpoint"))]
            connection.execute(text("DELETE FROM audit_tile"))
            for leaf in leaf_hashes(bodies):
                for tile in frontier.append([leaf]):
                    connection.execute(text("INSERT INTO audit_tile VALUES (:level, :n, :data)"), tile._asdict())
                roots[frontier.size] = frontier.root() if frontier.size in notes else b""
            head = {"size": frontier.size, "root": frontier.root(), "edge": frontier.to_bytes()}
            connection.execute(text("UPDATE audit_head SET size = :size, root = :root, edge = :edge"), head)
            for size in notes if sign_again else ():
                self.note = sign(Checkpoint(ORIGIN, size, roots[size]), self.signer)
                change = text("UPDATE audit_checkpoint SET note = :note WHERE size = :size")
                connection.execute(change, {"note": self.note, "size": size})

    def export(self, folder: Path, prove: Sequence[int] = (), anchor: Path | None = None) -> Written:
        """Write a bundle at the newest checkpoint."""
        key = self.signer.verifier
        head = open_note(self.note, [key])
        with self.database.read() as connection:
            return write_bundle(connection, folder, Bundle(head, self.note, self.signer, anchor), prove)


@contextmanager
def changed(path: Path, offset: int, difference: int) -> Iterator[None]:
    """Change one byte of a file for a while."""
    data = path.read_bytes()
    path.write_bytes(data[:offset] + bytes([data[offset] ^ difference]) + data[offset + 1 :])
    try:
        yield
    finally:
        path.write_bytes(data)


def files_of(folder: Path) -> list[Path]:
    """Give every file of a bundle, by name."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def contents_of(folder: Path) -> dict[str, bytes]:
    """Give every file of a bundle with what it holds."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files_of(folder)}


def copied(folder: Path, to: Path) -> Path:
    """Copy a bundle, so that it can be spoilt."""
    shutil.copytree(folder, to)
    return to
