"""No second has more calls than are allowed, whoever makes them, and no day."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.errors import ApiError
from retention.sources.hootsuite_api.limiter import LONGEST_CALL, Limiter
from tests.depth import tries

if TYPE_CHECKING:
    from pathlib import Path


class World:
    """A clock that moves when somebody sleeps or a call takes its time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.seconds = 1000.0
        self.slept = 0.0

    def limiter(self, per_second: int = 3, per_day: int = 1000) -> Limiter:
        return Limiter(
            self.file,
            per_second=per_second,
            per_day=per_day,
            clock=lambda: self.seconds + 1_800_000_000,
            ticks=lambda: self.seconds,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.seconds += seconds
        self.slept += seconds


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "usage")


@settings(max_examples=tries(60))
@given(calls=st.lists(st.tuples(st.integers(0, 1), st.floats(0, 0.7), st.floats(0, 1)), max_size=40))
def test_no_second_has_more_calls_wherever_in_it_they_arrive(
    tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[int, float, float]]
) -> None:
    world = World(tmp_path_factory.mktemp("limiter") / "usage")
    limiters = [world.limiter(), world.limiter()]
    arrived = []
    for which, takes, share in calls:
        with limiters[which].slot():
            arrived.append(world.seconds + takes * share)
            world.seconds += takes
    for at in arrived:
        assert sum(at <= other < at + 0.999 for other in arrived) <= 3


def test_quick_calls_come_at_the_full_rate(world: World) -> None:
    limiter, begin = world.limiter(20), world.seconds
    for _ in range(401):
        with limiter.slot():
            world.seconds += 0.01
    assert 400 / (world.seconds - begin) > 0.95 * 20


def test_a_call_that_takes_long_holds_its_slot(world: World) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(world.limiter().slot())
        taken = world.limiter()._take()  # noqa: SLF001  # nobody would wait for the end of the others
        assert taken == LONGEST_CALL
    with world.limiter().slot():
        assert world.slept == pytest.approx(1)


def test_the_slots_of_a_killed_process_are_free_when_its_calls_can_only_be_over(world: World) -> None:
    for _ in range(3):
        world.limiter()._take()  # noqa: SLF001  # and never given back
    with world.limiter().slot():
        assert world.slept == LONGEST_CALL


def test_slots_from_before_the_machine_was_started_are_free(world: World) -> None:
    for _ in range(3):
        world.limiter()._take()  # noqa: SLF001  # as above
    world.seconds = 5.0
    with world.limiter().slot():
        assert world.slept == 0


def test_the_calls_of_a_day_are_counted_by_all_and_end_at_midnight_utc(world: World) -> None:
    for number in range(4):
        with world.limiter(per_second=10, per_day=4).slot():
            assert world.slept == 0, number
    with pytest.raises(ApiError, match="the day's 4 calls are used up"), world.limiter(10, 4).slot():
        pass
    world.seconds += 86_400
    with world.limiter(10, 4).slot():
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="cannot be written"), Limiter(tmp_path / "missing" / "usage").slot():
        pass
