"""When a job's turn comes, by cron's own rules, in an IANA zone, whatever its clocks do.

A turn in the hour that is left out in spring comes right after it; a turn in the hour that comes twice in autumn comes
once. Jobs of every hour or minute go by elapsed time. cronsim counts like Debian's cron; what it gives is compared as
an instant, because two times of one zone are compared by their hands on the clock alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]  # it has no types
from cronsim import CronSim, CronSimError

from retention.errors import ConfigError
from retention.settings import say_where

if TYPE_CHECKING:
    from pathlib import Path

    from retention.settings import Settings
    from retention.settings.locate import Place


def next_turn(times: str, zone: ZoneInfo, after: datetime) -> datetime:
    """Give the first turn after an instant, in UTC."""
    for found in CronSim(times, after.astimezone(zone)):
        turn = found.astimezone(UTC)
        if turn > after:
            return turn
    raise CronSimError


class CronTrigger(BaseTrigger):  # type: ignore[misc]  # a class of a library without types
    """Gives a job's turns to the scheduler. ``ahead`` is by how much a drill's time is ahead of the clock's."""

    def __init__(self, times: str, zone: ZoneInfo, ahead: timedelta) -> None:
        """Take five fields of cron and the zone in which they are meant."""
        self._times = times
        self._zone = zone
        self._ahead = ahead

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Give the next turn; those that were missed are one, so they are passed over here."""
        after = max(previous_fire_time.astimezone(UTC), now.astimezone(UTC)) if previous_fire_time else now
        return next_turn(self._times, self._zone, after.astimezone(UTC) + self._ahead) - self._ahead


def check_jobs(path: Path, settings: Settings, now: datetime) -> None:
    """Try the times of every job.

    Raises:
        ConfigError: some are not what cron understands, or never come; each is told with file, line and key.

    """
    problems: list[tuple[Place, str]] = []
    zone = ZoneInfo(settings.schedule.time_zone)
    for name, times in settings.serve.jobs.times.items():
        try:
            next_turn(times, zone, now)
        except CronSimError:
            reason = "is no time that cron understands, or never comes; five fields such as 5 3 * * * are meant"
            problems.append((("serve", "jobs", name), reason))
    if problems:
        raise ConfigError(say_where(path, problems))
