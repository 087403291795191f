"""What is written down of jobs, on either database: who may write it, what follows from how a job ended."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import time_machine

from retention.errors import DatabaseError, LeaseLostError
from retention.model import to_epoch
from retention.service.children import Ended
from retention.service.host import Host, Invocation
from retention.service.leading import ByRow, leadership
from retention.service.reloading import Configuration
from retention.service.timetable import Timetable
from retention.service.working import FAILING, Worker
from retention.store import jobs, lease
from tests.integration.work import AUTUMN
from tests.receiver import until
from tests.served import scheduled

if TYPE_CHECKING:
    from pathlib import Path

    from retention.service.jobs import Job
    from retention.service.leading import Leadership
    from retention.store.jobs import JobState
    from tests.integration.work import Work
    from tests.kit import Office

LONDON = ZoneInfo("Europe/London")
TIMES = {"run": "5 3 * * *", "ingest": "*/15 * * * *", "heartbeat": "*/5 * * * *"}
SECOND = timedelta(seconds=1)


@dataclass
class Desk:
    """A worker whose jobs end as the test says, one second after they began."""

    work: Work
    leads: Leadership
    now: datetime = AUTUMN
    codes: list[int | Exception] = field(default_factory=list)
    stopped: bool = False

    def __post_init__(self) -> None:
        self.worker = Worker(self.work.context.database, self.leads, self.launch, lambda: self.now, LONDON)
        self.worker.times = TIMES

    def launch(self, _job: Job) -> Ended:
        self.now += SECOND
        code = self.codes.pop(0)
        if isinstance(code, Exception):
            raise code
        return Ended(code, {"promise": "kept"}, self.stopped)

    def does(self, name: str, code: int | Exception) -> timedelta | None:
        """Do a job; give after which pause it is to be done again."""
        self.codes.append(code)
        again = self.worker.carry_out(name)
        return None if again is None else again - self.now

    def state(self, name: str) -> JobState:
        with self.work.context.database.read() as connection:
            return jobs.load(connection)[name]


@pytest.fixture
def desk(work: Work) -> Desk:
    leads = leadership(work.context.database, work.office.url, 60)
    assert leads.hold()
    return Desk(work, leads)


def test_job_that_fails_is_tried_again_later_and_later_and_a_person_hears_of_it(desk: Desk) -> None:
    pauses = [desk.does("run", 1) for _ in range(8)]
    assert pauses == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 16, 32, 60, 60)]
    assert (desk.state("run").failures, desk.state("run").outcome) == (8, "failed")
    [found] = desk.work.findings(FAILING)
    assert found.file == "run"
    assert desk.does("run", 0) == datetime(2026, 11, 23, 3, 5, tzinfo=LONDON) - desk.now
    assert desk.state("run").failures == 0
    assert desk.work.findings(FAILING) == []


def test_failing_job_never_waits_longer_than_for_its_next_turn(desk: Desk) -> None:
    pauses = [desk.does("ingest", -9) for _ in range(6)]
    assert max(pause for pause in pauses if pause) <= timedelta(minutes=15)


def test_other_run_is_waited_for_and_a_belt_waits_for_a_person(desk: Desk) -> None:
    assert desk.does("run", 11) == timedelta(minutes=1)
    assert (desk.state("run").outcome, desk.state("run").failures) == ("waiting", 0)
    tomorrow = datetime(2026, 11, 23, 3, 5, tzinfo=LONDON)
    assert desk.does("run", 12) == tomorrow - desk.now
    assert (desk.state("run").outcome, desk.state("run").failures) == ("needs_person", 1)


def test_job_that_was_asked_to_end_is_due_at_once(desk: Desk) -> None:
    desk.stopped = True
    assert desk.does("run", 3) == timedelta(0)
    assert desk.state("run").outcome == "stopped"
    assert desk.worker.due()["run"] == desk.now


def test_job_that_died_with_its_service_counts_as_a_failure_and_is_done_again(desk: Desk) -> None:
    begun = to_epoch(desk.now)
    with desk.work.context.database.write() as connection:
        jobs.save(connection, jobs.JobState("run", "running", begun, None, None, 0, begun))
    desk.now += timedelta(hours=5)
    assert desk.worker.due()["run"] <= desk.now
    assert (desk.state("run").outcome, desk.state("run").failures) == ("cut_off", 1)


def test_whatever_a_job_meets_is_told_and_it_is_tried_again(desk: Desk) -> None:
    assert desk.does("run", DatabaseError("it is away")) == timedelta(minutes=1)
    assert desk.does("run", ValueError("a surprise")) == timedelta(minutes=1)
    assert desk.does("heartbeat", 4) is not None
    assert desk.worker.promise == "kept"
    desk.worker.close()
    assert desk.worker.carry_out("run") is None


def test_who_does_not_lead_begins_nothing_and_writes_nothing(desk: Desk) -> None:
    desk.leads.let_go()
    assert desk.worker.carry_out("run") is None
    with pytest.raises(LeaseLostError):
        desk.worker.due()
    with desk.work.context.database.read() as connection:
        assert jobs.load(connection) == {}


def test_leader_that_was_passed_over_cannot_write_what_its_job_did(work: Work) -> None:
    first, second = (ByRow(work.context.database, 60) for _ in range(2))
    assert (first.hold(), second.hold()) == (True, False)
    desk = Desk(work, first)

    def launch(_job: Job) -> Ended:
        work.tell("UPDATE lease SET expires_at = 1000 WHERE name = 'service'")
        lease.take(work.context.database, "service", 60)
        return Ended(0)

    worker = Worker(work.context.database, first, launch, lambda: desk.now, LONDON)
    worker.times = TIMES
    assert worker.carry_out("run") is None
    assert desk.state("run").outcome == "running"
    with pytest.raises(LeaseLostError):
        worker.due()


def test_leadership_is_given_back_for_the_next(work: Work) -> None:
    first, second = (ByRow(work.context.database, 0.5) for _ in range(2))
    assert first.hold()
    first.let_go()
    until(second.hold)
    first.let_go()
    assert second.hold()


def test_leader_without_its_database_leads_until_another_could(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    leads = ByRow(work.context.database, 60)
    moments = [1000.0]
    monkeypatch.setattr("retention.service.leading.monotonic", lambda: moments[0])
    assert leads.hold()

    def away(*_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(lease, "renew", away)
    moments[0] += 30
    assert leads.hold()
    moments[0] += 30
    assert not leads.hold()


def test_jobs_begin_when_their_turn_has_come_and_one_that_was_missed_begins_once() -> None:
    done: list[str] = []
    table = Timetable(done.append, timedelta(0))
    now = datetime.now(LONDON)
    times = {"run": "0 0 1 1 *", "ingest": "0 0 1 1 *", "heartbeat": "0 0 1 1 *"}
    table.set(times, LONDON, {"run": now - timedelta(days=40), "ingest": now + timedelta(hours=1)}, now)
    for _ in range(3):
        table.tick()
    until(lambda: done == ["run"])
    following = table.next()
    assert following is not None
    assert following[0] == "ingest"
    table.clear()
    assert table.next() is None
    table.close()


def test_clock_that_is_put_back_does_not_put_the_jobs_off_for_years(sqlite_office: Office, tmp_path: Path) -> None:
    scheduled(sqlite_office, run="5 3 * * *")
    moments = [datetime(2036, 11, 22, 12, tzinfo=UTC)]
    with time_machine.travel(moments[0], tick=False) as clock:
        called = Invocation(sqlite_office.config, lambda: moments[0], timedelta(0), launch=lambda _: Ended(0))
        context = sqlite_office.open()
        with closing(Host(context, called, Configuration(sqlite_office.config, tmp_path, jobs=True))) as host:
            host.tick()
            assert host.next_turn() == datetime(2036, 11, 23, 3, 5, tzinfo=UTC)
            moments[0] = AUTUMN
            clock.move_to(AUTUMN)
            host.tick()
            assert host.next_turn() == datetime(2026, 11, 23, 3, 5, tzinfo=UTC)
            host.end_jobs()
        context.database.close()
