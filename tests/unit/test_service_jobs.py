"""When jobs are done, what their exit codes ask for, and what may stand in the configuration about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.errors import ConfigError, Exit
from retention.resources import resource
from retention.service.jobs import JOBS, LATEST, SOON, Ending, ending, failures_after, pause_after
from retention.service.needs import say_serving
from retention.service.trigger import CronTrigger, check_jobs, next_turn
from retention.settings import Settings, load_settings
from retention.settings.serve import JobSettings

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = (resource("config") / "retention.toml").read_text(encoding="utf-8")
LONDON, SYDNEY = ZoneInfo("Europe/London"), ZoneInfo("Australia/Lord_Howe")
MINUTE = timedelta(minutes=1)


def loaded(folder: Path, added: str) -> Settings:
    config = folder / "retention.toml"
    config.write_text(f"{EXAMPLE}\n{added}\n", encoding="utf-8")
    settings = load_settings(config)
    check_jobs(config, settings, datetime(2026, 11, 22, tzinfo=UTC))
    return settings


def turns(times: str, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    found = []
    while (begin := next_turn(times, zone, begin)) < end:
        found.append(begin)
    return found


@pytest.mark.parametrize(
    ("times", "day", "said"),
    [
        ("30 1 * * *", datetime(2026, 3, 29, tzinfo=UTC), ["2026-03-29T01:00:00+00:00"]),  # left out: right after it
        ("5 3 * * *", datetime(2026, 3, 29, tzinfo=UTC), ["2026-03-29T02:05:00+00:00"]),
        (
            "30 1 * * *",
            datetime(2026, 10, 24, 22, tzinfo=UTC),
            ["2026-10-25T00:30:00+00:00"],
        ),  # twice on the clock: once
        ("5 3 * * *", datetime(2026, 10, 24, 22, tzinfo=UTC), ["2026-10-25T03:05:00+00:00"]),
    ],
)
def test_daily_job_has_one_turn_on_the_days_when_clocks_change(times: str, day: datetime, said: list[str]) -> None:
    assert [turn.isoformat() for turn in turns(times, LONDON, day, day + timedelta(hours=22))] == said


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_job_of_every_quarter_of_an_hour_goes_by_elapsed_time(day: datetime) -> None:
    found = turns("*/15 * * * *", LONDON, day, day + timedelta(hours=5))
    assert {after - before for before, after in pairwise(found)} == {15 * MINUTE}


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    start=st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 30)),  # noqa: DTZ001  # made UTC below
    zone=st.sampled_from([LONDON, SYDNEY]),
)
def test_turns_go_forward_once_a_local_day_wherever_one_begins(
    minute: int, hour: int, start: datetime, zone: ZoneInfo
) -> None:
    begin = start.replace(tzinfo=UTC)
    turn = next_turn(f"{minute} {hour} * * *", zone, begin)
    assert begin < turn <= begin + timedelta(hours=50)
    following = next_turn(f"{minute} {hour} * * *", zone, turn)
    assert following.astimezone(zone).date() == turn.astimezone(zone).date() + timedelta(days=1)
    shown = turn.astimezone(zone)
    if (shown.hour, shown.minute) != (hour, minute):  # what the clock left out comes right after the gap
        before = (turn - MINUTE).astimezone(zone)
        assert (before.hour, before.minute) < (hour, minute) < (shown.hour, shown.minute + 1)


def test_sunday_is_the_day_zero() -> None:
    turn = next_turn("30 4 * * 0", LONDON, datetime(2026, 11, 22, 12, tzinfo=UTC))
    assert turn == datetime(2026, 11, 29, 4, 30, tzinfo=UTC)


def test_turns_that_were_missed_are_one() -> None:
    trigger = CronTrigger("*/15 * * * *", LONDON, timedelta(0))
    before, now = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 22, 12, 1, tzinfo=UTC)
    assert trigger.get_next_fire_time(before, now) == datetime(2026, 11, 22, 12, 15, tzinfo=UTC)
    ahead = CronTrigger("*/15 * * * *", LONDON, timedelta(days=7, minutes=10))
    assert ahead.get_next_fire_time(None, now) == datetime(2026, 11, 22, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "code", "stopped", "found"),
    [
        ("run", Exit.DONE, False, Ending.DONE),
        ("run", Exit.DONE, True, Ending.DONE),
        ("run", Exit.PARTLY_DONE, False, Ending.PARTLY),
        ("run", Exit.PARTLY_DONE, True, Ending.STOPPED),
        ("run", -15, True, Ending.STOPPED),
        ("run", -9, False, Ending.FAILED),
        ("run", Exit.LOCKED, False, Ending.WAITING),
        ("run", Exit.BELT_CLOSED, False, Ending.NEEDS_PERSON),
        ("verify", Exit.LOG_NOT_VERIFIED, False, Ending.NEEDS_PERSON),
        ("run", Exit.BROKEN, False, Ending.FAILED),
        ("heartbeat", Exit.BROKEN, False, Ending.DONE),
        ("heartbeat", Exit.AT_RISK, True, Ending.DONE),
        ("heartbeat", Exit.FAILED, False, Ending.FAILED),
        ("ingest", 99, False, Ending.FAILED),
    ],
)
def test_exit_code_says_how_a_job_ended(name: str, code: int, stopped: bool, found: Ending) -> None:  # noqa: FBT001  # a table
    assert ending(name, code, stopped=stopped) is found


def test_what_fails_is_tried_again_later_and_later_and_never_in_a_hot_loop() -> None:
    pauses = [pause_after(Ending.FAILED, failures) for failures in range(1, 200)]
    assert pauses[:4] == [SOON, SOON * 2, SOON * 4, SOON * 8]
    assert pauses[6:] == [LATEST] * len(pauses[6:])
    assert pause_after(Ending.WAITING, 0) == SOON
    for found in (Ending.NEEDS_PERSON, Ending.DONE, Ending.PARTLY):
        assert pause_after(found, 7) is None


def test_failures_are_counted_in_a_row() -> None:
    assert [failures_after(found, 2) for found in Ending] == [0, 0, 2, 3, 3, 2, 3]


def test_every_job_of_the_configuration_is_a_command_and_the_other_way_round() -> None:
    assert set(JobSettings.model_fields) == set(JOBS)


def test_defaults_do_the_whole_job_once_a_day(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    assert set(settings.serve.jobs.times) == {"run", "ingest", "verify", "heartbeat", "notify"}
    assert any("run (5 3 * * *)" in line for line in say_serving(settings))


@pytest.mark.parametrize(
    "added", ["[serve]\njobs = false", '[serve.jobs]\nrun = ""\ningest = ""\nverify = ""\nheartbeat = ""']
)
def test_jobs_can_be_switched_off(tmp_path: Path, added: str) -> None:
    settings = loaded(tmp_path, added)
    assert settings.job_times == {}
    assert "no jobs" in say_serving(settings)[-1]
    assert loaded(tmp_path, "[serve]\njobs = true").serve.jobs == JobSettings()


@pytest.mark.parametrize(
    "spelled",
    [
        "5 3 * *",
        "5 3 * * * *",
        "60 3 * * *",
        "0 0 30 2 *",
        "*/0 * * * *",
        "daily",
        "@daily",
        "5 3 * * MOON",
        "5; 3 * * *",
    ],
)
def test_times_that_cron_does_not_know_are_told_by_their_line(tmp_path: Path, spelled: str) -> None:
    line = len(EXAMPLE.splitlines()) + 4
    with pytest.raises(ConfigError, match=rf":{line}: serve\.jobs\.run: ") as raised:
        loaded(tmp_path, f'\n[serve.jobs]\nrun = "{spelled}"')
    assert spelled not in str(raised.value).partition("serve.jobs.run")[2].replace('"5 3 * * *"', "")


@pytest.mark.parametrize("given", ["5", "[]", '"daily"'])
def test_jobs_are_a_table_or_nothing(tmp_path: Path, given: str) -> None:
    with pytest.raises(ConfigError, match=r"serve\.jobs: write false, or a table \[serve\.jobs\]"):
        loaded(tmp_path, f"[serve]\njobs = {given}")


def test_unknown_job_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"serve\.jobs\.residue: is not a known key"):
        loaded(tmp_path, '[serve.jobs]\nresidue = "5 3 * * *"')


def test_nothing_listens_without_an_address(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[serve]\nlisten = ""').serve.address is None
