"""An installation with a log of 429 entries to attack, put back to what it was after each attack."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from retention.audit.verify import Verification, verify
from retention.cli.app import retention
from retention.cycle import run
from retention.watcher import Watcher
from tests.guards import pass_guards
from tests.integration_audit.trail import Attacker
from tests.kit import Office, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import PostgresServer

EARLY = datetime(2026, 8, 22, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 25, 12, tzinfo=UTC)
TABLES = ("audit_entry", "audit_tile", "audit_checkpoint", "audit_head")


@dataclass
class Besieged:
    """One installation, and the rows of its log as they were."""

    office: Office
    kept: dict[str, list[dict[str, Any]]]
    notes: dict[int, str]
    anchored: bytes

    @contextmanager
    def attacked(self) -> Iterator[Attacker]:
        """Let somebody who owns the database, past every trigger, change it for good."""
        context = self.office.open()
        with context.database.write() as connection:
            pass_guards(connection)
            yield Attacker(connection, context.signer())
        context.database.close()

    def by_itself(self) -> Verification:
        """Verify the database as it stands, with no memory from elsewhere."""
        context = self.office.open()
        with context.database.read() as connection:
            found = verify(connection, context.installation.origin, context.verifiers)
        context.database.close()
        return found

    def asked(self, *options: str) -> tuple[int, dict[str, Any]]:
        """Run ``retention audit verify`` and give its exit code and what it says."""
        arguments = ["audit", "verify", "--config", str(self.office.config), "--now", LATER.isoformat()]
        done = CliRunner().invoke(retention, [*arguments, "--format", "json", *options])
        answer: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"said": str(done.exception)}
        return done.exit_code, answer

    def keep(self, size: int) -> str:
        """Write a checkpoint to a file of its own, as somebody outside would keep it."""
        path = self.office.folder / f"kept-{size}"
        path.write_text(self.notes[size], encoding="utf-8")
        return str(path)

    def put_back(self) -> None:
        """Undo whatever was done to the log, and what its anchor took meanwhile."""
        (self.office.folder / "anchor" / "checkpoints.log").write_bytes(self.anchored)
        context = self.office.open()
        with context.database.write() as connection:
            pass_guards(connection)
            for table, rows in self.kept.items():
                connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608  # one of the four above
                names = ", ".join(rows[0])
                marks = ", ".join(f":{name}" for name in rows[0])
                connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), rows)  # noqa: S608
            connection.execute(text("DELETE FROM finding"))
            connection.execute(text("DELETE FROM verification"))
        context.database.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def standing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    """Give an installation whose log has a full tile and several checkpoints."""
    folder = tmp_path_factory.mktemp("besieged")
    if request.param == "sqlite":
        yield _filled(Office(folder, f"sqlite:///{folder / 'register.db'}"))
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database("besieged") as url:
        yield _filled(Office(folder, url))


@pytest.fixture
def besieged(standing: Besieged) -> Iterator[Besieged]:
    yield standing
    standing.put_back()


def _filled(office: Office) -> Besieged:
    office.found()
    office.configure(("batch_size = 10", "batch_size = 100"))
    office.drop("a.csv", [row(f"m{n}", f"2026-08-{1 + n % 20:02d} 09:00:00") for n in range(400)])
    for now in (EARLY, office.now):
        context = office.open()
        run(context, now, Watcher())
        context.database.close()
    office.cli("audit", "export", "--output", "somewhere", now=LATER)
    office.cli("audit", "checkpoint", now=LATER)
    context = office.open()
    with context.database.read() as connection:
        rows = {name: connection.execute(text(f"SELECT * FROM {name}")).mappings() for name in TABLES}  # noqa: S608
        kept = {name: [dict(one) for one in found] for name, found in rows.items()}
    context.database.close()
    notes = {one["size"]: one["note"] for one in kept["audit_checkpoint"]}
    return Besieged(office, kept, notes, (office.folder / "anchor" / "checkpoints.log").read_bytes())
