"""Several hosts on one PostgreSQL: one leads, the others stand by, and who was paused cannot commit."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from sqlalchemy import text

from retention.errors import Exit, LockHeldError
from tests.integration.work import AUTUMN, SUMMER, Work
from tests.kit import Office, row
from tests.receiver import JSON, SECRET, SIGNATURE, event, sign, until
from tests.served import scheduled, serving, states

if TYPE_CHECKING:
    from tests.served import Served

HOOK = '[[source]]\nname = "hook"\nkind = "hootsuite-webhook"\nmessages_of = "hootsuite-inbox"'
DUE = [row(f"message-{n:03}", "2026-08-02 09:00:00", contact=f"c{n}") for n in range(60)]

# The program, with shorter waits, that is paused in the middle of its second batch, as a host that is frozen.
PAUSED = """
import os, signal
from sqlalchemy import Engine, event
from retention.store import lease, postgres
postgres._OPTIONS = postgres._OPTIONS.replace("60000", "1500")
lease.take.__defaults__ = (lease.NAME, 1.0)
batches = []
@event.listens_for(Engine, "after_cursor_execute")
def pause(connection, cursor, statement, *_):
    if "DELETE FROM message AS m" in statement:
        batches.append(statement)
        if len(batches) == 2:
            os.kill(os.getpid(), signal.SIGSTOP)
from retention.cli import main
main()
"""


@pytest.fixture
def postgres_office(postgres_database: str, tmp_path: Path) -> Office:
    return Office(tmp_path, postgres_database).found()


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def test_run_that_is_paused_in_mid_batch_cannot_commit_it_after_another_took_over(postgres_office: Office) -> None:
    work = Work(postgres_office)
    work.take(DUE)
    command = [sys.executable, "-c", PAUSED, "run", "--config", str(postgres_office.config), "--now"]
    with subprocess.Popen([*command, AUTUMN.isoformat()], stderr=subprocess.PIPE, text=True) as paused:
        until(lambda: is_stopped(paused.pid))
        assert len(work.ids()) == 50  # one batch of ten; the second is not committed

        def taken_over() -> bool:
            try:
                return work.run(AUTUMN).run.disposed == 50
            except LockHeldError:
                return False

        until(taken_over)
        assert work.ids() == []
        paused.send_signal(signal.SIGCONT)
        _, said = paused.communicate(timeout=100)
    assert paused.returncode == Exit.LOCKED, said
    disposals = [entry["pseudonym"] for entry in work.entries("disposal")]
    assert len(disposals) == len(set(map(str, disposals))) == 60
    tokens = [entry["fencing_token"] for entry in work.entries("batch")]
    assert tokens == sorted(tokens)
    assert len(set(tokens)) == 2
    assert work.verify().ok
    work.context.database.close()


def sent(served: Served, number: int) -> int:
    import json  # noqa: PLC0415

    body = json.dumps(event(f"message-{number}", at=SUMMER)).encode()
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Content-Type": JSON, SIGNATURE: sign(body)}
        return session.post(f"{served.url}/webhook/hook", data=body, headers=headers, timeout=60).status_code


def test_standby_takes_over_from_a_paused_leader_which_then_stands_by(postgres_office: Office) -> None:
    scheduled(postgres_office, HOOK, heartbeat="* * * * *")
    shorter = "[serve]\ntake_over_seconds = 3.0"
    postgres_office.config.write_text(postgres_office.config.read_text().replace("[serve]", shorter))
    postgres_office.environment["RETENTION_HOOK_SECRET"] = SECRET
    with serving(postgres_office, SUMMER) as first:
        until(lambda: "STATUS=leader; the promise" in first.status)
        with serving(postgres_office, SUMMER) as second:
            until(lambda: "STATUS=standby" in second.status)
            assert (sent(first, 1), sent(second, 2), sent(second, 1)) == (200, 200, 200)
            first.process.send_signal(signal.SIGSTOP)
            until(lambda: "STATUS=leader" in second.status)
            first.process.send_signal(signal.SIGCONT)
            until(lambda: "STATUS=standby" in first.status)
            assert (sent(first, 3), sent(second, 3)) == (200, 200)
            assert second.get("/readyz").text == "leader\n"
            assert first.get("/readyz").text == "standby\n"
        until(lambda: "STATUS=leader" in first.status)  # the other has given it back
    assert states(postgres_office)["heartbeat"].outcome in {"done", "stopped"}
    work = Work(postgres_office)
    assert work.ask("SELECT count(*) FROM webhook_event") + work.ask("SELECT count(*) FROM message") in (
        [(3,), (0,)],
        [(1,), (2,)],
        [(0,), (3,)],
        [(2,), (1,)],
    )
    work.context.database.close()


def test_loop_that_hangs_is_not_said_to_live(postgres_office: Office) -> None:
    scheduled(postgres_office, heartbeat="0 0 1 1 *")
    shorter = "[serve]\ntake_over_seconds = 3.0"
    postgres_office.config.write_text(postgres_office.config.read_text().replace("[serve]", shorter))
    work = Work(postgres_office)
    with serving(postgres_office, SUMMER) as served:
        until(lambda: "STATUS=leader; the promise" in served.status and "WATCHDOG=1" in served.notes)
        with work.context.database.write() as connection:
            connection.execute(text("SELECT * FROM lease WHERE name = 'service' FOR UPDATE"))
            waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            until(lambda: work.ask(waiting.text) == [(1,)])  # the loop waits for the lease
            before = served.notes.count("WATCHDOG=1")
            for _ in range(10):
                connection.execute(text("SELECT pg_sleep(0.1)"))  # ten times half of what the manager allows
            assert served.notes.count("WATCHDOG=1") - before <= 1  # one may have been on its way
        until(lambda: served.notes.count("WATCHDOG=1") > before + 2)
    work.context.database.close()
