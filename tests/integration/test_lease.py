"""One run at a time: a second one is turned away, a dead one is taken over, one that lost its turn commits nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import time

import pytest

from retention.errors import Exit, LeaseLostError, LockHeldError
from retention.service.jobs import Ending, pause_after
from retention.settings.serve import ServeSettings
from retention.store import lease, runs
from retention.watcher import Watcher
from tests.integration.work import AUTUMN, Work
from tests.kit import Office, row
from tests.receiver import until

DUE = [row(f"due-{n}", f"2026-07-01 09:00:{n:02}") for n in range(40)]
FAR = int(time()) + 3000


def test_second_run_is_turned_away_and_changes_nothing(work: Work) -> None:
    work.take(DUE)
    held = lease.take(work.context.database)
    before = work.dump()
    work.office.drop("b.csv", [row("new", "2026-08-01 09:00:00")])
    for job in (work.ingest, work.purge, work.run):
        with pytest.raises(LockHeldError, match="another run holds the register") as raised:
            job(AUTUMN)
        assert raised.value.exit_code == Exit.LOCKED
    assert work.dump() == before
    assert work.files() == ["b.csv"]
    # Who only looks need not wait.
    assert work.plan(AUTUMN).due == 40
    assert work.status(AUTUMN).due == 40
    lease.give_back(work.context.database, held)
    assert work.purge(AUTUMN)[1].disposed == 40


def test_turn_is_given_back_after_every_job_even_one_that_failed(work: Work) -> None:
    work.take(DUE)
    assert work.ask("SELECT holder, token FROM lease") == [("", 1)]

    def stop() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        work.purge(AUTUMN, watcher=Watcher(stop=stop))
    assert work.ask("SELECT holder, token FROM lease") == [("", 2)]
    work.purge(AUTUMN.replace(minute=1))
    assert work.ask("SELECT holder, token FROM lease") == [("", 3)]


def _hold_as(work: Work, holder: str, until: int = FAR) -> None:
    lease.take(work.context.database)
    work.tell("UPDATE lease SET holder = :holder, expires_at = :until", holder=holder, until=until)


def _holder(work: Work) -> str:
    held = lease.take(work.context.database)
    lease.give_back(work.context.database, held)
    return held.holder


def test_dead_process_of_this_machine_is_taken_over_at_once(work: Work) -> None:
    work.take(DUE)
    machine = _holder(work).rsplit("|", 2)[0]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        start = lease._started(process.pid)  # noqa: SLF001 - how another process would have named itself
        _hold_as(work, f"{machine}|{process.pid}|{start}")
        with pytest.raises(LockHeldError, match=f"process {process.pid} on {os.uname().nodename}"):
            work.purge(AUTUMN)
        process.communicate(b"\n")
    assert work.purge(AUTUMN)[1].disposed == 40


@pytest.mark.parametrize("at", ["", "events|"])
def test_process_number_that_was_given_out_again_does_not_keep_the_register(work: Work, at: str) -> None:
    work.take(DUE)
    machine = _holder(work).rsplit("|", 2)[0]
    _hold_as(work, f"{at}{machine}|{os.getpid()}|1")
    assert work.purge(AUTUMN)[1].disposed == 40


def test_run_on_another_machine_is_waited_for_until_its_time_is_over(work: Work) -> None:
    work.take(DUE)
    _hold_as(work, "elsewhere|boot|pid:[1]|4711|99")
    with pytest.raises(LockHeldError, match="process 4711 on elsewhere"):
        work.purge(AUTUMN)
    work.tell("UPDATE lease SET expires_at = 1000")
    assert work.purge(AUTUMN)[1].disposed == 40


@pytest.mark.parametrize("name", [lease.NAME, "notify"])
def test_lease_that_was_taken_by_a_clock_years_ahead_is_not_waited_for_until_then(work: Work, name: str) -> None:
    held = lease.take(work.context.database, name)
    work.tell("UPDATE lease SET holder = 'elsewhere|boot|pid:[1]|4711|99', expires_at = 4000000000")
    assert lease.take(work.context.database, name).token == held.token + 1
    work.tell("UPDATE lease SET expires_at = 4000000000")
    with pytest.raises(LockHeldError):  # who is seen to live here keeps it
        lease.take(work.context.database, name)


def test_long_transaction_that_renews_its_lease_does_not_lose_it_to_who_waits_for_the_row(
    postgres_database: str, tmp_path: Path
) -> None:
    work = Work(Office(tmp_path, postgres_database).found())
    held = lease.take(work.context.database)
    work.tell("UPDATE lease SET expires_at = 1000, holder = 'elsewhere|boot|pid:[1]|4711|99'")
    held = replace(held, holder="elsewhere|boot|pid:[1]|4711|99")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool:
        with work.context.database.write() as connection:
            lease.renew(connection, held, work.context.database.dialect.clock)
            other = pool.submit(lease.take, work.context.database)
            until(lambda: work.ask(waiting) == [(1,)])
        with pytest.raises(LockHeldError):
            other.result()
    with work.context.database.write() as connection:
        lease.renew(connection, held, work.context.database.dialect.clock)  # it is its holder's still
    work.context.database.close()


def test_work_of_a_dead_host_goes_on_after_as_long_as_the_guide_says(work: Work) -> None:
    clock = work.context.database.dialect.clock
    held = lease.take(work.context.database)
    [(left,)] = work.ask(f"SELECT expires_at - {clock} FROM lease")  # noqa: S608  # a constant of ours
    assert left <= held.seconds == lease.SECONDS == 120
    taken_over = ServeSettings().take_over_seconds
    assert taken_over == 60
    told = " ".join((Path(__file__).parents[2] / "docs/service.md").read_text(encoding="utf-8").split())
    assert "take over within `take_over_seconds` (60)" in told
    assert "keeps its lease for 120 seconds" in told
    assert pause_after(Ending.WAITING, 0) == timedelta(minutes=1)
    assert max(lease.SECONDS, taken_over) + 60 == timedelta(minutes=3).total_seconds()
    assert "after **three minutes** with the defaults" in told


def test_every_turn_has_a_higher_token_and_batches_bear_it(work: Work) -> None:
    work.take(DUE[:5])
    work.purge(AUTUMN)
    work.reopen()
    work.take([row("later", "2026-08-25 09:00:00")], "b.csv", now=AUTUMN)
    work.purge(AUTUMN.replace(month=12))
    tokens = [entry["fencing_token"] for entry in work.entries("batch")]
    assert tokens == sorted(set(tokens))
    assert tokens == [token for (token,) in work.ask("SELECT token FROM run ORDER BY id")]


def _taken_over(work: Work) -> None:
    work.tell("UPDATE lease SET token = token + 1, holder = 'elsewhere|boot|pid:[1]|4711|99'")


def test_purge_that_lost_its_turn_does_not_commit_its_batch(work: Work) -> None:
    work.take(DUE)
    done: list[int] = []

    def tick(count: int) -> None:
        done.append(count)
        if len(done) == 2:
            _taken_over(work)

    with pytest.raises(LeaseLostError, match="without committing its batch") as raised:
        work.purge(AUTUMN, watcher=Watcher(tick=tick))
    assert raised.value.exit_code == Exit.LOCKED
    assert len(work.ids()) == 20
    assert len(work.entries("disposal")) == 20
    # The turn of whoever took over is left alone.
    assert work.ask("SELECT holder FROM lease") == [("elsewhere|boot|pid:[1]|4711|99",)]
    run = work.last_run()
    assert run is not None
    assert (run.state, run.disposed, run.batches) == ("failed", 20, 2)
    work.tell("UPDATE lease SET expires_at = 0")
    assert work.purge(AUTUMN.replace(hour=13))[1].disposed == 20
    assert work.verify().ok


@pytest.mark.usefixtures("small_imports")
def test_import_that_lost_its_turn_does_not_commit_its_batch(work: Work) -> None:
    work.office.drop("a.csv", DUE)

    def tick(_count: int) -> None:
        if len(work.ids()) == 14:
            _taken_over(work)

    with pytest.raises(LeaseLostError):
        work.ingest(watcher=Watcher(tick=tick))
    assert len(work.ids()) == 14
    assert work.ask('SELECT records, registered FROM "import"') == [(14, 14)]
    work.tell("UPDATE lease SET expires_at = 0")
    [result] = work.ingest()
    assert result.progress.registered == 40
    assert len(work.ids()) == 40


def test_run_that_died_is_told_by_the_next_one(work: Work) -> None:
    work.take(DUE)
    plan = work.plan(AUTUMN)
    with work.context.database.write() as connection:
        number = runs.start(connection, plan, at=AUTUMN, token=1, belts=[], reason=None)
    assert work.status(AUTUMN).last_run is not None
    work.ingest(AUTUMN.replace(hour=13))
    [entry] = work.entries("run_interrupted")
    assert (entry["run"], entry["batches"], entry["disposed"]) == (number, 0, 0)
    assert work.ask("SELECT state FROM run") == [("interrupted",)]
    _, run = work.purge(AUTUMN.replace(hour=14))
    assert (run.id, run.disposed) == (number + 1, 40)
    assert len(work.entries("run_interrupted")) == 1
