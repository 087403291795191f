"""``retention serve`` at work: real processes, real signals, and a service manager that listens."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from tests.integration.work import AUTUMN, SUMMER, Work
from tests.kit import row
from tests.receiver import until
from tests.served import Served, scheduled, serving, states

if TYPE_CHECKING:
    from retention.store.jobs import JobState
    from tests.kit import Office

EVERY = "* * * * *"
DUE = [row(f"message-{n:03}", "2026-08-02 09:00:00", contact=f"c{n}") for n in range(60)]


def before_the_minute(day: datetime) -> datetime:
    return day - timedelta(seconds=1)


def logged(served: Served, event: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in served.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def left(office: Office) -> int:
    with closing(sqlite3.connect(office.folder / "register.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM message").fetchone()[0])


def test_service_does_its_jobs_and_says_how_things_stand(sqlite_office: Office) -> None:
    work = Work(sqlite_office)
    work.take(DUE)
    scheduled(sqlite_office, run=EVERY, heartbeat="0 * * * *")
    with serving(sqlite_office, before_the_minute(AUTUMN)) as served:
        until(lambda: (state := states(sqlite_office).get("run")) is not None and state.outcome != "running")
        until(lambda: "the promise is" in served.status)
        assert (served.get("/healthz").text, served.get("/readyz").text) == ("alive\n", "leader\n")
        figures = served.get("/metrics")
        assert "retention_serve_leads 1" in figures.text
        names = [family.name for family in text_string_to_metric_families(figures.text)]
        assert len(names) == len(set(names))
        assert "retention_promise_state" in names
        assert 'retention_serve_job_failures{activity="run"} 0' in figures.text
        assert not any(f"message-{n}" in figures.text for n in range(60))
        until(lambda: served.notes.count("WATCHDOG=1") > 3)
    state = states(sqlite_office)["run"]
    assert (state.outcome, state.exit_code, state.failures) == ("done", 0, 0)
    assert left(sqlite_office) == 0
    assert served.notes[0] == "READY=1"
    assert "STOPPING=1" in served.notes
    assert "next: " in served.status
    [ended] = [line for line in logged(served, "a job has ended") if line["job"] == "run"]
    assert isinstance(ended["told"], dict)
    assert ended["told"]["run"]["disposed"] == 60
    assert work.verify().ok
    work.context.database.close()


def test_job_is_asked_to_end_between_two_batches_and_goes_on_when_the_service_is_back(sqlite_office: Office) -> None:
    sqlite_office.purge = ""
    work = Work(sqlite_office)
    work.take(DUE)
    scheduled(sqlite_office, run=EVERY)
    text = sqlite_office.config.read_text().replace("batch_size = 10", "batch_size = 1")
    sqlite_office.config.write_text(text)
    register = sqlite3.connect(sqlite_office.folder / "register.db", isolation_level=None, timeout=60)
    with serving(sqlite_office, before_the_minute(AUTUMN)) as served, closing(register) as other:
        until(lambda: left(sqlite_office) < 60)
        other.execute("BEGIN IMMEDIATE")  # holds the job up wherever it is
        served.process.send_signal(signal.SIGTERM)
        until(lambda: "STOPPING=1" in served.notes)
        other.execute("ROLLBACK")
    state = states(sqlite_office)["run"]
    assert state.outcome in {"stopped", "done"}  # done, where the lock came after the last batch
    assert work.verify().ok
    if state.outcome == "stopped":
        assert state.next_due_at == state.ended_at
    with serving(sqlite_office, AUTUMN.replace(minute=1, second=30)):  # its own next turn is half a minute away
        until(lambda: left(sqlite_office) == 0)
    assert len(work.entries("disposal")) == 60
    assert work.verify().ok
    work.context.database.close()


def test_configuration_is_read_again_and_a_bad_one_changes_nothing(sqlite_office: Office) -> None:
    scheduled(sqlite_office, heartbeat="0 0 1 1 *")
    good = sqlite_office.config.read_text()
    with serving(sqlite_office, AUTUMN.replace(minute=58, second=50)) as served:
        until(lambda: "the promise is" in served.status)
        sqlite_office.config.write_text(good.replace('ingest = ""', f'ingest = "{EVERY}"'))
        served.process.send_signal(signal.SIGHUP)
        until(lambda: "next: ingest at 2026-11-22T12:59:00Z" in served.status)
        reloaded = next(note for note in served.notes if note.startswith("RELOADING=1\nMONOTONIC_USEC="))
        assert int(reloaded.rpartition("=")[2]) > 0
        sqlite_office.config.write_text(good.replace("keep =", "kept =").replace('run = ""', 'run = "x y"'))
        served.process.send_signal(signal.SIGHUP)
        until(lambda: "a new configuration was REFUSED (" in served.status)
        # The file is wrong now, and the job works all the same.
        until(lambda: (state := states_of(sqlite_office, good).get("ingest")) is not None and state.outcome == "done")
        sqlite_office.config.write_text(good.replace("register.db", "other.db"))
        served.process.send_signal(signal.SIGHUP)
        until(lambda: "REFUSED (1 problems" in served.status)
        sqlite_office.config.write_text(good)
        served.process.send_signal(signal.SIGHUP)
        until(lambda: "REFUSED" not in served.status)
        assert served.notes.count("READY=1") == 5
    problems = [
        str(line["problem"]) for line in logged(served, "the new configuration is refused; the old one stays in force")
    ]
    assert any("serve.jobs.run: " in one for one in problems)
    assert any("kept: is not a known key" in one for one in problems)
    assert any(one.startswith("database.url: can only change with a restart") for one in problems)
    assert not (sqlite_office.folder / "other.db").exists()


def states_of(office: Office, good: str) -> dict[str, JobState]:
    """Look into the database while the configuration beside it is wrong."""
    wrong = office.config.read_text()
    office.config.write_text(good)
    try:
        return states(office)
    finally:
        office.config.write_text(wrong)


def test_second_service_on_a_file_stands_by_and_takes_over_when_the_first_is_gone(sqlite_office: Office) -> None:
    scheduled(sqlite_office, heartbeat=EVERY)
    with serving(sqlite_office, SUMMER, code=None) as first:
        until(lambda: "STATUS=leader" in first.status)
        with serving(sqlite_office, SUMMER) as second:
            until(lambda: "STATUS=standby" in second.status)
            assert second.get("/readyz").text == "standby\n"
            first.process.send_signal(signal.SIGKILL)
            until(lambda: "STATUS=leader" in second.status)
    assert first.process.returncode == -signal.SIGKILL
    said = [json.loads(line)["event"] for line in second.log.splitlines() if "this service" in line]
    assert said == ["this service stands by", "this service leads"]


def test_service_that_cannot_open_the_lock_of_its_kind_says_so_once(sqlite_office: Office) -> None:
    scheduled(sqlite_office, heartbeat=EVERY)
    lock = sqlite_office.folder / "register.db.serve-lock"
    lock.mkdir()  # as little to be opened as a file that root made
    with serving(sqlite_office, SUMMER) as served:
        until(lambda: "STATUS=standby" in served.status)
        until(lambda: served.notes.count("WATCHDOG=1") > 3)
        lock.rmdir()
        until(lambda: "STATUS=leader" in served.status)
    assert served.log.count("who leads cannot be settled") == 1
    assert "Is a directory" in served.log


def test_service_works_without_a_manager_and_without_an_address(sqlite_office: Office) -> None:
    scheduled(sqlite_office, heartbeat="0 0 1 1 *")
    sqlite_office.config.write_text(sqlite_office.config.read_text().replace('"127.0.0.1:0"', '""'))
    with serving(sqlite_office, SUMMER, manager=False) as served:
        assert served.url is None
        until(lambda: states(sqlite_office).get("heartbeat") is not None)
    assert served.notes == []


def test_service_says_that_it_is_not_ready_where_the_schema_is_another(sqlite_office: Office) -> None:
    scheduled(sqlite_office, heartbeat="0 0 1 1 *")
    with serving(sqlite_office, SUMMER) as served:
        with closing(sqlite3.connect(sqlite_office.folder / "register.db")) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '0001'")
        answer = served.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "the schema of the database is not the one that is needed\n")
        assert served.get("/healthz").status_code == 200
