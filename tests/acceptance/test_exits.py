"""Every documented exit code, from a process of its own, with the words that go with it."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from retention.store import lease
from retention.store.engine import open_database
from tests.acceptance.desk import ask_office
from tests.guards import guards_put_back
from tests.kit import Office, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def _run_sql(office: Office, statement: str) -> None:
    database = open_database(office.url)
    with database.write() as connection, guards_put_back(connection):
        connection.execute(text(statement))
    database.close()


@contextlib.contextmanager
def nothing(_: Office) -> Iterator[None]:
    yield


@contextlib.contextmanager
def a_rejected_row(office: Office) -> Iterator[None]:
    office.drop("bad.csv", [row("good-1"), row("good-2", "yesterday")])
    yield


@contextlib.contextmanager
def a_finding(office: Office) -> Iterator[None]:
    office.drop("bad.csv", [row("", "2026-11-01 09:00:00")])
    assert ask_office(office, "ingest").code == 3
    yield


@contextlib.contextmanager
def something_overdue(office: Office) -> Iterator[None]:
    office.drop("old.csv", [row("old-1"), row("old-2", "2026-11-20 09:00:00")])
    assert ask_office(office, "ingest").code == 0
    office.now += timedelta(days=80)
    yield


@contextlib.contextmanager
def a_backlog_behind_a_belt(office: Office) -> Iterator[None]:
    with something_overdue(office):
        office.configure(("max_share = 1.0", "max_share = 0.10"))
        yield


@contextlib.contextmanager
def another_run_at_work(office: Office) -> Iterator[None]:
    database = open_database(office.url)
    held = lease.take(database)
    yield
    lease.give_back(database, held)
    database.close()


@contextlib.contextmanager
def no_database(office: Office) -> Iterator[None]:
    (office.folder / "register.db").unlink()
    yield


@contextlib.contextmanager
def another_schema(office: Office) -> Iterator[None]:
    _run_sql(office, "UPDATE alembic_version SET version_num = '0000'")
    yield


@contextlib.contextmanager
def a_newer_schema(office: Office) -> Iterator[None]:
    _run_sql(office, "UPDATE alembic_version SET version_num = '9999'")
    yield


@contextlib.contextmanager
def an_edited_log(office: Office) -> Iterator[None]:
    _run_sql(office, "UPDATE audit_entry SET body = replace(body, 'genesis', 'Genesis')")
    yield


@contextlib.contextmanager
def a_missing_anchor(office: Office) -> Iterator[None]:
    assert ask_office(office, "run").code == 0
    (office.folder / "anchor" / "checkpoints.log").unlink()
    yield


@contextlib.contextmanager
def deleted_rows(office: Office) -> Iterator[None]:
    office.drop("some.csv", [row("some-1"), row("some-2")])
    assert ask_office(office, "run").code == 0
    _run_sql(office, "DELETE FROM message WHERE message_key LIKE '%some-1'")
    yield


@contextlib.contextmanager
def a_restored_copy(office: Office) -> Iterator[None]:
    register = office.folder / "register.db"
    backup = register.read_bytes()
    assert ask_office(office, "run").code == 0
    for left in office.folder.glob("register.db-*"):
        left.unlink()
    register.write_bytes(backup)
    yield


@contextlib.contextmanager
def a_forged_head(office: Office) -> Iterator[None]:
    _run_sql(office, "UPDATE audit_head SET size = size + 1")
    yield


@contextlib.contextmanager
def no_signing_key(office: Office) -> Iterator[None]:
    (office.folder / "var" / "keys" / "signing.pem").unlink()
    yield


@contextlib.contextmanager
def an_unknown_key(office: Office) -> Iterator[None]:
    office.configure(("batch_size = 10", "batch_size = 10\nbatch_sice = 10"))
    yield


EXITS = [
    pytest.param(nothing, ("status",), 0, "The promise is kept.", id="0-status-kept"),
    pytest.param(
        nothing, ("audit", "export", "--output", "none/log"), 1, "No such file or directory", id="1-no-folder"
    ),
    pytest.param(no_signing_key, ("purge",), 1, "signing.pem", id="1-no-key"),
    pytest.param(nothing, ("purge", "--reason", "because"), 2, "--reason goes with --plan", id="2-usage"),
    pytest.param(nothing, ("hold", "place", "--kind", "foi"), 2, "Missing option '--reason'", id="2-missing-option"),
    pytest.param(an_unknown_key, ("check",), 2, "purge.batch_sice: is not a known key", id="2-configuration"),
    pytest.param(a_rejected_row, ("ingest",), 3, "1 rejected", id="3-rejected-row"),
    pytest.param(a_finding, ("status",), 4, "The promise is AT RISK.", id="4-finding"),
    pytest.param(something_overdue, ("status",), 5, "overdue and not held: 1 message;", id="5-overdue"),
    pytest.param(a_forged_head, ("status",), 5, "the audit log does not verify", id="5-log"),
    pytest.param(no_database, ("status",), 10, "make it with: retention init", id="10-no-database"),
    pytest.param(another_schema, ("status",), 10, "bring it up to date with: retention init", id="10-old-schema"),
    pytest.param(a_newer_schema, ("status",), 10, "install the newer program", id="10-new-schema"),
    pytest.param(another_run_at_work, ("purge",), 11, "another run holds the register", id="11-locked"),
    pytest.param(a_backlog_behind_a_belt, ("run",), 12, "safety belt share", id="12-belt"),
    pytest.param(an_edited_log, ("audit", "verify"), 13, "DOES NOT VERIFY", id="13-edited-log"),
    pytest.param(a_missing_anchor, ("audit", "verify"), 3, "A person must look", id="3-anchor-gone"),
    pytest.param(a_missing_anchor, ("status",), 4, "the anchor is missing", id="4-anchor-gone"),
    pytest.param(deleted_rows, ("run",), 3, "The register is NOT what its ledger says", id="3-deleted-rows"),
    pytest.param(a_restored_copy, ("purge", "--dry-run"), 0, "REFUSED: safety belt restored", id="0-restored-dry-run"),
    pytest.param(a_restored_copy, ("purge",), 12, "safety belt restored", id="12-restored"),
    pytest.param(a_forged_head, ("purge", "--dry-run"), 13, "retention audit verify", id="13-dry-run"),
    pytest.param(a_forged_head, ("purge",), 13, "retention audit verify", id="13-forged-head"),
]


@pytest.mark.parametrize(("arrange", "arguments", "code", "words"), EXITS)
def test_every_outcome_has_its_exit_code_and_says_why(
    sqlite_office: Office,
    arrange: Callable[[Office], contextlib.AbstractContextManager[None]],
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    with arrange(sqlite_office):
        done = sqlite_office.cli(*arguments)
    assert done.returncode == code, done.stderr
    # What a command was asked for goes to stdout; why it could not be done goes to stderr.
    assert words in (done.stderr if code in {1, 2, 10, 11, 12} else done.stdout + done.stderr)
    assert "Traceback" not in done.stderr
    assert "not foreseen" not in done.stderr


def test_a_wrong_command_is_wrong_usage(tmp_path: Path) -> None:
    office = Office(tmp_path, "sqlite:///register.db")
    assert office.cli("purgee").returncode == 2
