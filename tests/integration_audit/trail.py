"""A log in a database, and somebody with write access to that database who knows its tables as well as we do."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from retention.audit.checkpoint import Checkpoint, Signer, sign
from retention.audit.entry import disposal_template, entry
from retention.audit.log import AuditLog
from retention.audit.merkle import Frontier, leaf_hashes
from retention.audit.tables import metadata
from retention.audit.verify import Verification, verify
from retention.store.engine import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from retention.audit.canonical import Value
    from retention.store.engine import Database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ORIGIN = "retention/audit-tests"
DAYS = ("2026-08-01", "2026-08-17", "2026-08-21")
DUE_BEFORE = "2026-08-22"


def signer(seed: int = 1, name: str = ORIGIN) -> Signer:
    """Make a signer whose key is the same in every process."""
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


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
        "authority": "Privacy notice",
        "cutoff": "2026-08-21T23:00:00Z",
        "due_before": DUE_BEFORE,
        "schedule_digest": "sha256:schedule",
        "plan_digest": f"sha256:plan-{number}",
        "run": number,
        "software": "retention",
    }
    return [*disposals, entry("batch", NOW, **{**closing, **changes})]


@dataclass
class Trail:
    """A log of its own in a database of its own."""

    database: Database
    log: AuditLog
    signer: Signer

    @classmethod
    def found(cls, url: str) -> Trail:
        """Make the tables, the head and the first entry, and sign it."""
        trail = cls.opened(url, create=True)
        metadata.create_all(trail.database.engine)
        genesis = entry("genesis", NOW, origin=ORIGIN, verifier_key="none", software="retention", drill=True)
        with trail.database.write() as connection:
            trail.log.create(connection)
            trail.log.append(connection, [genesis])
            trail.log.sign_head(connection, ORIGIN, trail.signer)
        return trail

    @classmethod
    def opened(cls, url: str, *, create: bool = False) -> Trail:
        """Open the log at a URL."""
        database = open_database(url, create=create)
        return cls(database, AuditLog(database.dialect.bulk_insert), signer())

    def purge(self, batches: int, disposals: int) -> Trail:
        """Append batches of so many disposals and sign after each."""
        for _ in range(batches):
            with self.database.write() as connection:
                size = self.log.head(connection).size
                self.log.append(connection, batch(1 + size // (disposals + 1), size, disposals))
                self.log.sign_head(connection, ORIGIN, self.signer)
        return self

    def append(self, *entries: bytes) -> int:
        """Append entries in a transaction of their own."""
        with self.database.write() as connection:
            return self.log.append(connection, list(entries))

    def verify(self) -> Verification:
        """Verify what is committed."""
        with self.database.read() as connection:
            return verify(connection, ORIGIN, [self.signer.verifier])

    @contextmanager
    def attacked(self) -> Iterator[Attacker]:
        """Let somebody write to the database; everything is undone afterwards, so that many can share one log."""
        with suppress(_UndoneError), self.database.write() as connection:
            yield Attacker(connection, self.signer)
            raise _UndoneError


class _UndoneError(Exception):
    pass


@dataclass
class Attacker:
    """Somebody who may write to the database. Who has the signing key too is said in the test."""

    connection: Connection
    signer: Signer

    def sql(self, statement: str, **values: object) -> None:
        """Run a statement that must change something."""
        assert self.connection.execute(text(statement), values).rowcount

    def one(self, query: str, **values: object) -> object:
        """Ask for one value."""
        return self.connection.execute(text(query), values).scalar_one()

    def flip(self, query: str, place: int, **values: object) -> bytes:
        """Give a stored value with one bit changed at a place."""
        data = self.one(query, **values)
        assert isinstance(data, bytes)
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    def note(self, size: int) -> str:
        """Give the checkpoint of a size."""
        return str(self.one("SELECT note FROM audit_checkpoint WHERE size = :size", size=size))

    def replace_note(self, size: int, note: str) -> None:
        """Put another note in the place of a checkpoint."""
        self.sql("UPDATE audit_checkpoint SET note = :note WHERE size = :size", note=note, size=size)

    def sign(self, size: int, root: bytes) -> str:
        """Sign a head with the log's own key."""
        return sign(Checkpoint(ORIGIN, size, root), self.signer)

    def bodies(self) -> list[bytes]:
        """Give every entry."""
        rows = self.connection.execute(text("SELECT body FROM audit_entry ORDER BY seq"))
        return [row[0].encode() for row in rows]

    def rebuild(self) -> Frontier:
        """Make tiles, edge and head anew, so that they fit the entries as they are now."""
        frontier = Frontier()
        tiles = frontier.append(leaf_hashes(self.bodies()))
        self.connection.execute(text("DELETE FROM audit_tile"))
        for tile in tiles:
            self.sql("INSERT INTO audit_tile (level, n, data) VALUES (:level, :n, :data)", **tile._asdict())
        self.set_head(size=frontier.size, root=frontier.root(), edge=frontier.to_bytes())
        return frontier

    def set_head(self, **columns: object) -> None:
        """Write some columns of the head."""
        self.sql(f"UPDATE audit_head SET {', '.join(f'{name} = :{name}' for name in columns)}", **columns)  # noqa: S608  # names are the tests' own

    def verify(self) -> Verification:
        """Verify the log as the attacker left it."""
        return verify(self.connection, ORIGIN, [self.signer.verifier])

    def caught(self, index: int | None, problem: str) -> Verification:
        """Demand that verification names the index and says the problem."""
        found = self.verify()
        assert not found.ok
        assert any(problem in one for one in found.problems), found.problems
        assert found.first_bad_index == index, found.problems
        return found
