"""Many days of two hosts in a moment: exports arrive, holds come and go, hosts die and come back, clocks change.

Two hundred days with ``DEPTH=full``, when messages are kept for three months and clocks change twice; else seventy,
when they are kept for one and clocks change once.

The hosts are real services whose loops the test turns, under a clock that it moves; some of their runs are processes
that are killed wherever they happen to be. What must be so is known from a model of its own: a list of what was sent,
the calendar of another library, and the log.
"""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from apscheduler.executors.debug import DebugExecutor  # type: ignore[import-untyped]  # it has no types
from dateutil.relativedelta import relativedelta

from retention.errors import LeaseLostError, RetentionError
from retention.service.children import Ended
from retention.service.host import Host, Invocation
from retention.service.reloading import Configuration
from retention.service.timetable import LOOKS, WORKS
from tests.depth import deep
from tests.integration.work import Work
from tests.kit import Office, row
from tests.served import scheduled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retention.service.jobs import Job

LONDON = ZoneInfo("Europe/London")
BEGIN = datetime(2028, 9, 24, tzinfo=UTC)  # two changes of clocks lie ahead: 29 October and 25 March
DAYS = deep(200, 70)
MONTHS = deep(3, 1)
GRACE = timedelta(days=2)
HOUR = timedelta(hours=1)
SURE_HOURS = (0, *range(3, 24))  # those that every day has once
KILLED, FAILED, DIED = (  # which purges meet with what
    deep({4, 40, 75}, {4, 25}),
    deep({20, 50, 51, 52, 90}, {9, 20, 21, 22}),
    deep({33, 80}, {15, 30}),
)


@dataclass
class Message:
    """What the model knows of a message."""

    day: date
    held: dict[int, tuple[datetime, datetime | None]] = field(default_factory=dict)  # by the number of the hold

    @property
    def due_at(self) -> datetime:
        after = self.day + relativedelta(months=MONTHS) + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=LONDON).astimezone(UTC)

    def held_at(self, moment: datetime) -> bool:
        return any(placed <= moment and (end is None or moment < end) for placed, end in self.held.values())

    def latest(self) -> datetime | None:
        """Give the end of its grace; None while a hold is in force."""
        ends = [end for _, end in self.held.values()]
        if None in ends:
            return None
        return max([self.due_at, *(end for end in ends if end is not None)]) + GRACE


class Later(DebugExecutor):  # type: ignore[misc]  # a class of a library without types
    """Does jobs when the test says so, and not in the middle of the scheduler's own work."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[tuple[Any, Any]] = []

    def _do_submit_job(self, job: object, run_times: object) -> None:
        self._waiting.append((job, run_times))

    def work(self) -> None:
        while self._waiting:
            super()._do_submit_job(*self._waiting.pop(0))


class World:
    """The office, its two hosts, and what happens to them."""

    def __init__(self, office: Office, folder: Path, clock: time_machine.Traveller, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  # not for secrets
        self.office = office
        self.folder = folder
        self.clock = clock
        self.now = BEGIN
        self.work = Work(office)
        self.sent: dict[str, Message] = {}
        self.names: dict[str, str] = {}
        self.holds: dict[int, list[str]] = {}
        self.hosts: list[Host | None] = [None, None]
        self.executors = [Later(), Later()]
        self.frozen: set[int] = set()
        self.turn: int | None = None
        self.runs = self.led = 0
        self.events = sorted(self._events(), key=lambda one: one[0])

    def _events(self) -> list[tuple[datetime, str, int]]:
        """Draw what will happen: when, what, and to which host."""
        found = [(BEGIN, "up", 0), (BEGIN, "up", 1)]
        for day in range(DAYS):
            morning = BEGIN + timedelta(days=day)
            if day % 2 == 0 and day < DAYS - 8:
                found.append((morning + 14 * HOUR, "export", day))
            if day % 9 == 4:
                found.append((morning + self.random.uniform(0, 20) * HOUR, "hold", day))
            for host in (0, 1):
                if self.random.random() < 0.12:
                    down = morning + self.random.uniform(0, 14) * HOUR
                    what = self.random.choice(["stop", "freeze"])
                    found += [(down, what, host), (down + self.random.uniform(0.1, 9) * HOUR, "up", host)]
        return found

    def live(self) -> None:
        """Let all of it happen."""
        happens: dict[str, Callable[[int], None]] = {
            "up": self._up,
            "stop": self.stop,
            "freeze": self._freeze,
            "export": self._export,
            "hold": self._hold,
            "release": self._release,
        }
        end = BEGIN + timedelta(days=DAYS)
        while True:
            turns = [turn for host in self._awake() if (turn := host.next_turn()) is not None]
            coming = [*turns, *(self.events[0][:1] if self.events else ())]
            moment = max(self.now, min(coming, default=end))
            if moment >= end:
                break
            self._to(moment)
            while self.events and self.events[0][0] <= self.now:
                _, what, number = self.events.pop(0)
                happens[what](number)
            self._tick()
        self._to(end)

    def _to(self, moment: datetime) -> None:
        self.now = moment.astimezone(UTC)
        self.clock.move_to(self.now)

    def _awake(self) -> list[Host]:
        return [host for number, host in enumerate(self.hosts) if host is not None and number not in self.frozen]

    def _tick(self) -> None:
        for number in self.random.sample([0, 1], 2):
            host = self.hosts[number]
            if host is not None and number not in self.frozen:
                self.turn = number
                host.tick()
                self.executors[number].work()
        leading = [host for host in self._awake() if host.role == "leader"]
        assert len(leading) <= 1
        self.led += len(leading)

    # What happens.

    def _export(self, number: int) -> None:
        rows = []
        for serial in range(self.random.randint(2, 6)):
            name = f"message-{number:03}-{serial}"
            local = self.now.astimezone(LONDON).date() - timedelta(days=self.random.randint(0, 2))
            at = f"{local} {self.random.choice(SURE_HOURS):02}:{self.random.choice([0, 30, 59]):02}:00"
            if at < f"{self.now.astimezone(LONDON):%Y-%m-%d %H:%M:%S}":
                rows.append(row(name, at, contact=f"c{serial}"))
                self.sent[name] = Message(local)
        self.office.drop(f"export-{number:03}.csv", rows)

    def _hold(self, _day: int) -> None:
        registered = self.work.ids()
        chosen = self.random.sample(registered, min(3, len(registered)))
        if not chosen:
            return
        hold = self.work.hold(now=self.now, review_on=date(2031, 1, 1), selectors={"message": tuple(chosen)})
        self.holds[hold] = chosen
        for name in chosen:
            self.sent[name].held[hold] = (self.now, None)
        back = self.now + timedelta(days=self.random.randint(3, 110), hours=self.random.randint(0, 9))
        self.events = sorted([*self.events, (back, "release", hold)], key=lambda one: one[0])

    def _release(self, hold: int) -> None:
        self.work.release(hold, self.now)
        for name in self.holds[hold]:
            self.sent[name].held[hold] = (self.sent[name].held[hold][0], self.now)

    def _up(self, number: int) -> None:
        if number in self.frozen:
            self.frozen.discard(number)  # it wakes up and does not know that it was away
        elif self.hosts[number] is None:
            self.executors[number] = Later()
            called = Invocation(
                self.office.config,
                lambda: self.now.replace(microsecond=0),
                timedelta(0),
                launch=self._launch,
                executors={WORKS: self.executors[number], LOOKS: Later()},
            )
            self.hosts[number] = Host(
                self.office.open(), called, Configuration(self.office.config, self.folder, jobs=True)
            )

    def stop(self, number: int) -> None:
        """Let a host die; what it held runs out."""
        host, self.hosts[number] = self.hosts[number], None
        self.frozen.discard(number)
        if host is not None:
            host.close()
            host.context.database.close()

    def _freeze(self, number: int) -> None:
        """Let a host stand still for so long that its lease runs out; a lock on a file does not."""
        host = self.hosts[number]
        if host is None or self.office.url.startswith("sqlite"):
            self.stop(number)
            return
        self.frozen.add(number)
        if host.role == "leader":
            self.work.tell("UPDATE lease SET expires_at = 0 WHERE name = 'service'")

    # What jobs do.

    def _launch(self, job: Job) -> Ended:
        assert self.turn is not None
        if job.name == "purge":
            self.runs += 1
            if self.runs in FAILED:
                return Ended(1)
            if self.runs in DIED:
                self.stop(self.turn)
                msg = "the host is dead"
                raise LeaseLostError(msg)
            if self.runs in KILLED:
                return Ended(self._killed())
        try:
            if job.name == "purge":
                self.work.purge(self.now)
            elif job.name == "run":
                self.work.run(self.now)
            else:
                self.work.ingest(self.now)
            if job.name != "purge":
                self._note_names()
        except RetentionError as error:
            return Ended(error.exit_code)
        return Ended(0)

    def _killed(self) -> int:
        """Do a purge as a process and kill it at some moment."""
        # The residue scan has taken the locks of this process away, so no connection may stay open beside another's.
        self.work.context.database.close()
        for host in self.hosts:
            if host is not None:
                host.forget_connections()
        command = [sys.executable, "-m", "retention", "purge", "--config", str(self.office.config), "--now"]
        with subprocess.Popen(
            [*command, self.now.isoformat()], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as run:
            with suppress(subprocess.TimeoutExpired):
                run.wait(self.random.uniform(0.3, 1.5))
            run.kill()
            return run.wait()

    def _note_names(self) -> None:
        for key, pseudonym in self.work.ask("SELECT message_key, pseudonym FROM message"):
            self.names.setdefault(str(pseudonym), str(key).partition(":")[2])


def _disposals(work: Work) -> list[tuple[str, datetime]]:
    """Give the pseudonym of each disposal, and when its batch was committed."""
    entries = work.entries()
    batches = {one["batch"]: datetime.fromisoformat(one["at"]) for one in entries if one["kind"] == "batch"}
    return [(one["pseudonym"], batches[one["batch"]]) for one in entries if one["kind"] == "disposal"]


def _check(world: World) -> dict[str, Any]:
    end, registered = world.now, set(world.work.ids())
    gone: dict[str, datetime] = {}
    for pseudonym, at in _disposals(world.work):
        name = world.names[pseudonym]
        assert name not in gone, "disposed of twice"
        gone[name] = at
    for name, message in world.sent.items():
        if name in gone:
            latest = message.latest()
            assert name not in registered
            assert message.due_at <= gone[name], "disposed of too early"
            assert not message.held_at(gone[name]), "disposed of while it was held"
            assert latest is None or gone[name] <= latest, "disposed of too late"
        else:
            assert name in registered, "neither registered nor disposed of"
            latest = message.latest()
            assert latest is None or end <= latest, "kept for too long"
    assert registered <= set(world.sent)
    return {"sent": len(world.sent), "gone": len(gone), "registered": len(registered)}


@pytest.mark.timeout(300)
@pytest.mark.unmeasured
def test_many_days_of_two_hosts_keep_the_promise(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 01:05 does not exist on one of the days, and comes twice on another.
    scheduled(office, purge="5 1 */2 * *", run="5 2 * * 1", ingest="40 17 */3 * *")
    text = office.config.read_text(encoding="utf-8").replace("max_share = 1.0", 'max_share = 1.0\ngrace = "P2D"')
    text = text.replace('keep = "P3M"', f'keep = "P{MONTHS}M"')
    office.config.write_text(text, encoding="utf-8")
    with time_machine.travel(BEGIN, tick=False) as clock:
        copies = tmp_path / "copies"
        copies.mkdir()
        world = World(office, copies, clock, seed=2026)
        monkeypatch.setattr("retention.service.leading.monotonic", lambda: world.now.timestamp())  # noqa: PLW0108  # it moves
        world.live()
        found = _check(world)
        assert world.work.verify().ok
        for number in (0, 1):
            world.stop(number)
        world.work.context.database.close()
    assert found["gone"] > DAYS // 2
    assert world.runs > DAYS // 2
    assert world.led > DAYS
