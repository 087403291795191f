"""The log's tables refuse what would change it; on PostgreSQL the role that does the work cannot do it at all."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from retention.acts.backups import register_backup
from retention.acts.bundling import verify_deep
from retention.acts.setup import set_up
from retention.cli.app import retention
from retention.errors import DatabaseError, UsageError
from retention.store.grants import can_alter_log, script
from retention.store.guards import missing_guards
from tests.guards import pass_guards
from tests.integration.work import AUTUMN, SUMMER, Work
from tests.kit import NOW, Office, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

ROWS = [row(f"m-{n:02}", f"2026-08-{1 + n % 5:02} 09:00:00") for n in range(15)]

CHANGES = (
    "UPDATE audit_entry SET body = 'x' WHERE seq = 1",
    "UPDATE audit_entry SET seq = 99 WHERE seq = 1",
    "DELETE FROM audit_entry WHERE seq = 1",
    "UPDATE audit_tile SET n = 7",
    "DELETE FROM audit_tile",
    "UPDATE audit_checkpoint SET note = 'x'",
    "UPDATE audit_checkpoint SET size = size + 1000",
    "DELETE FROM audit_checkpoint",
    "UPDATE audit_head SET size = size - 1",
    "UPDATE audit_head SET id = 2",
    "DELETE FROM audit_head",
    "UPDATE audit_rotation SET seq = 5",
    "DELETE FROM audit_rotation",
)
REPLACED = (
    "INSERT OR REPLACE INTO audit_entry VALUES (1, 'x')",
    "REPLACE INTO audit_checkpoint (size, note) VALUES (1, 'x')",
    "INSERT INTO audit_entry VALUES (1, 'x') ON CONFLICT (seq) DO UPDATE SET body = 'x'",
)
EMPTIED = tuple(f"TRUNCATE {name}" for name in ("audit_entry", "audit_tile", "audit_checkpoint", "audit_head"))


def refused(work: Work, statement: str, reason: str = "the audit log is append-only") -> None:
    with pytest.raises(DatabaseError, match=reason), work.context.database.write() as connection:
        connection.execute(text(statement))


def test_the_log_refuses_to_be_changed(work: Work) -> None:
    work.run()
    with work.context.database.write() as connection:  # a trigger goes by rows, so each table must have one
        connection.execute(text("INSERT INTO audit_tile (level, n, data) SELECT 9, 9, root FROM audit_head"))
        connection.execute(text("INSERT INTO audit_rotation (seq) VALUES (9)"))
        particular = EMPTIED if connection.dialect.name == "postgresql" else REPLACED
    for change in (*CHANGES, *particular):
        refused(work, change)
    work.tell("DELETE FROM audit_tile WHERE level = 9")
    work.tell("DELETE FROM audit_rotation")


def test_check_says_which_triggers_are_gone(sqlite_work: Work) -> None:
    check = ["check", "--config", str(sqlite_work.office.config)]
    told = CliRunner().invoke(retention, check)
    assert told.exit_code == 0, told.output
    assert "Whoever may write the database file can alter the audit log" in told.output
    with sqlite_work.context.database.write() as connection:
        pass_guards(connection)
    told = CliRunner().invoke(retention, check)
    assert told.exit_code == 3, "as audit verify has it"
    assert "16 of the triggers that keep it append-only are missing" in told.stderr
    told = CliRunner().invoke(retention, [*check, "--deep"])
    assert told.exit_code == 3
    assert re.search(r"FIX +audit log +triggers .*16 of the triggers", told.stdout)


def test_init_puts_back_triggers_that_are_gone_as_they_were(work: Work) -> None:
    config = ["--config", str(work.office.config)]

    def triggers(connection: Connection) -> list[str]:
        if connection.dialect.name == "postgresql":
            query = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname ~ '^audit_' AND tgenabled = 'O'"
        else:
            query = "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
        return sorted(connection.exec_driver_sql(query).scalars())

    with work.context.database.write() as connection:
        before = triggers(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
            for name in ("audit_tile", "audit_head", "audit_checkpoint", "audit_rotation", "audit_anchor"):
                for what in ("update", "delete", "truncate"):
                    connection.exec_driver_sql(f"DROP TRIGGER {name}_no_{what} ON {name}")
        else:
            pass_guards(connection)
        assert missing_guards(connection) == len(before)
    told = CliRunner().invoke(retention, ["init", *config])
    assert told.exit_code == 0, told.output
    assert f"Put back {len(before)} triggers" in told.output
    assert "Put back" not in CliRunner().invoke(retention, ["init", *config]).output
    with work.context.database.read() as connection:
        assert triggers(connection) == before
    refused(work, "DELETE FROM audit_entry WHERE seq = 0")


def test_missing_triggers_are_told_by_run_and_verify_until_they_are_back(sqlite_work: Work) -> None:
    work, config = sqlite_work, ["--config", str(sqlite_work.office.config)]
    with work.context.database.write() as connection:
        pass_guards(connection)
    for _ in range(2):
        told = CliRunner().invoke(retention, ["run", *config])
        assert (told.exit_code, told.exception.__class__) == (3, SystemExit), told.output
        assert "16 of the triggers" in told.output
        assert "log-unguarded" in told.output
    assert "retention init" in work.findings("log-unguarded")[0].reason
    verify = ["audit", "verify", *config]
    for deep in ([], ["--deep"]):
        told = CliRunner().invoke(retention, [*verify, *deep])
        assert told.exit_code == 3, told.output
        assert "A person must look: 16 of the triggers" in told.output
    assert CliRunner().invoke(retention, ["init", *config]).exit_code == 0
    told = CliRunner().invoke(retention, verify)
    assert told.exit_code == 0, told.output
    assert work.findings("log-unguarded") == []


def test_roles_need_two_plain_names() -> None:
    for owner, service in (("a", "a"), ("a b", "c"), ("a", 'c"; DROP TABLE x'), ("", "c")):
        with pytest.raises(UsageError, match="name two roles"):
            script(owner, service)


@contextmanager
def roles(url: str) -> Iterator[tuple[str, str]]:
    """Name two roles that no other test has, and take them away afterwards with what they own."""
    names = (f"owner_{uuid4().hex[:8]}", f"service_{uuid4().hex[:8]}")
    yield names
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"DROP OWNED BY {name} CASCADE")
        for name in names:
            connection.execute(f"DROP ROLE {name}")


def grant(url: str, owner: str, service: str) -> None:
    told = CliRunner().invoke(retention, ["init", "--print-grants", "--owner", owner, "--service", service])
    assert told.exit_code == 0
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(told.stdout.encode())


def what_is_lacking_is_advised(office: Office, url: str, service: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:  # as with a table of a later schema
        connection.execute(f"REVOKE ALL ON backup FROM {service}")
    context = office.open()
    for statement, advised in (
        ("SELECT 1 FROM backup", "run again what this prints: retention init --print-grants"),
        ("CREATE TABLE more (n int)", "init is for the role that owns the tables"),
    ):
        with pytest.raises(DatabaseError, match=advised), context.database.write() as denied:
            denied.exec_driver_sql(statement)
    context.database.close()


def test_the_service_does_the_whole_job_and_cannot_touch_the_log(postgres_database: str, tmp_path: Path) -> None:
    with roles(postgres_database) as (owner, service):
        grant(postgres_database, owner, service)
        office = Office(tmp_path, postgres_database.replace("//postgres@", f"//{owner}@"))
        office.found()
        grant(postgres_database, owner, service)
        grant(postgres_database, owner, service)
        as_owner = Work(office)
        with as_owner.context.database.read() as connection:
            assert can_alter_log(connection)
        as_owner.context.database.close()

        office.url = office.url.replace(f"//{owner}@", f"//{service}@")
        office.configure()
        work = Work(office)
        work.take(ROWS)
        held = work.hold(message="m-03", now=SUMMER)
        assert work.purge(AUTUMN)[1].disposed == 14
        work.release(held, AUTUMN)
        work.run(AUTUMN)
        day = AUTUMN.date()
        register_backup(work.context, "other", made_on=day, gone_by=day, note=None, by="x", now=AUTUMN)
        assert work.ids() == []
        found = verify_deep(work.context, [], AUTUMN)
        assert (found.problems, found.registered) == ([], 0)
        assert work.status(AUTUMN).promise == "kept"
        with work.context.database.read() as connection:
            assert not can_alter_log(connection)
            assert missing_guards(connection) == 0
        told = CliRunner().invoke(retention, ["check", "--config", str(office.config)])
        assert "can add to the audit log and cannot alter it" in told.output

        denied = "permission denied|must be owner|must be able to SET ROLE"
        for change in (*CHANGES, *EMPTIED):
            refused(work, change, f"{denied}|append-only")
        for attack in (
            "UPDATE audit_entry SET body = 'x'",
            "DELETE FROM audit_entry",
            "TRUNCATE audit_entry",
            "DROP TRIGGER audit_entry_no_update ON audit_entry",
            "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
            "DROP TABLE audit_entry",
            "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
            "SET session_replication_role = replica",
            f"SET ROLE {owner}",
            "CREATE TABLE audit_more (n int)",
            "UPDATE installation SET origin = 'x'",
            "UPDATE alembic_version SET version_num = '0001'",
            "DELETE FROM backup",
            "UPDATE backup SET entry_index = 0",
        ):
            refused(work, attack, denied)
        with psycopg.connect(postgres_database) as connection:
            query = "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'message'"
            assert connection.execute(query).fetchall() == [(service,)]  # else it could not VACUUM
        work.context.database.close()

        what_is_lacking_is_advised(office, postgres_database, service)

        # A later schema is the owner's to make: nothing is left to do here, and nothing is refused either.
        office.url = office.url.replace(f"//{service}@", f"//{owner}@")
        office.configure()
        set_up(office.settings(), NOW, drill=True)


def test_missing_triggers_are_told_beside_an_export_and_a_dry_run(sqlite_work: Work, tmp_path: Path) -> None:
    config = ["--config", str(sqlite_work.office.config)]
    export = ["audit", "export", *config, "--until", "2026-08-10"]
    whole = CliRunner().invoke(retention, export)
    assert (whole.exit_code, whole.stderr) == (0, "No entries in this range.\n")
    with sqlite_work.context.database.write() as connection:
        pass_guards(connection)
    told = CliRunner().invoke(retention, ["audit", "export", *config])
    assert told.exit_code == 3
    assert json.loads(told.stdout.splitlines()[0])["kind"] == "genesis"
    assert told.stderr.startswith("16 of the triggers that keep the audit log append-only are missing")
    for where in (["--output", str(tmp_path / "a.jsonl")], ["--bundle", str(tmp_path / "bundle")]):
        told = CliRunner().invoke(retention, ["audit", "export", *config, *where])
        assert (told.exit_code, "16 of the triggers" in told.stderr) == (3, True), told.output
    dry = ["purge", "--dry-run", *config]
    for more in ([], ["--list"]):
        told = CliRunner().invoke(retention, [*dry, *more])
        assert (told.exit_code, "16 of the triggers" in told.stderr) == (0, True), told.output
    told = CliRunner().invoke(retention, [*dry, "--format", "json"])
    assert [note[:18] for note in json.loads(told.stdout)["notes"]] == ["16 of the triggers"]
    assert CliRunner().invoke(retention, ["init", *config]).exit_code == 0
    told = CliRunner().invoke(retention, [*dry, "--format", "json"])
    assert json.loads(told.stdout)["notes"] == []
