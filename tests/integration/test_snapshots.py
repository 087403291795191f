"""Whoever reads sees one state of the database, whatever is written meanwhile; erasure waits for them, not for ever."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import text

from retention.audit.entry import entry
from retention.audit.verify import verify
from retention.store import lease, register, sqlite
from tests.integration.work import AUTUMN, SUMMER
from tests.kit import row

if TYPE_CHECKING:
    import pytest

    from tests.integration.work import Work


def test_log_that_grows_while_it_is_verified_verifies(work: Work) -> None:
    work.run()
    other = work.office.open()
    signer = other.signer()
    grown: list[int] = []

    def grow(read: int) -> None:
        grown.append(read)
        with other.database.write() as connection:
            other.log.append(connection, [entry("viewed", SUMMER, what="status")])
            other.log.sign_head(connection, other.installation.origin, signer)

    with work.context.database.read() as connection:
        found = verify(connection, work.context.installation.origin, [work.context.verifier], grow)
    other.database.close()
    assert grown
    assert found.ok, found.problems


def test_reader_sees_the_register_as_it_was_when_it_began(work: Work) -> None:
    work.take([row(f"m-{n}", "2026-08-01 09:00:00") for n in range(20)])
    other = work.office.open()
    with other.database.read() as connection:
        before = register.total(connection)
        work.take([row("new", "2026-08-02 09:00:00")], "b.csv")
        assert register.total(connection) == before == 20
    other.database.close()
    assert len(work.ids()) == 21


def test_erasure_after_a_purge_leaves_every_table_as_it_was_described(sqlite_work: Work) -> None:
    spelled = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    before = [(kind, name, _plain(sql)) for kind, name, sql in sqlite_work.ask(spelled)]
    sqlite_work.take([row(f"m-{n}", f"2026-08-0{1 + n % 9} 09:00:00") for n in range(30)])
    sqlite_work.hold(message="m-3")
    _, run = sqlite_work.purge(AUTUMN)
    assert run.disposed == 29
    assert [(kind, name, _plain(sql)) for kind, name, sql in sqlite_work.ask(spelled)] == before
    assert sqlite_work.ids() == ["m-3"]


def _plain(sql: str | None) -> str:
    return " ".join((sql or "").replace('"', "").split())


def test_reader_that_stays_open_makes_the_erasure_owed_and_shown(
    sqlite_work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_TRIES", 3)
    sqlite_work.take([row(f"message-{n}", "2026-08-01 09:00:00") for n in range(10)])
    reader = sqlite_work.office.open()
    with reader.database.read() as connection:
        connection.execute(text("SELECT count(*) FROM message")).scalar_one()
        started = time.monotonic()
        sqlite_work.purge(AUTUMN)
        # Far within the lease, which nobody renews meanwhile.
        assert time.monotonic() - started < lease.SECONDS / 4
    assert sqlite_work.ask("PRAGMA busy_timeout") == [(sqlite.BUSY_SECONDS * 1000,)]
    reader.database.close()
    assert len(sqlite_work.findings("erasure-blocked")) == 1
    assert sqlite_work.status(AUTUMN).promise == "at_risk"
    # The run after it, in which nothing is due, makes up for it.
    _, run = sqlite_work.purge(AUTUMN.replace(hour=13))
    assert (run.disposed, run.residue) == (0, 0)
    assert sqlite_work.findings() == []
    for file in sqlite_work.context.database.files():
        assert b"1:message-" not in file.read_bytes()  # the order spells them bare
