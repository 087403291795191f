"""The CSV export of the Inbox: on demand, and on a schedule into the folder that customers fetch it from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from retention.demo.exports import BAD_ROW_KINDS, export_name, write_csv
from retention.errors import RetentionError
from retention.simulate.answers import invalid
from retention.simulate.clock import moment
from retention.simulate.directory import ORGANIZATION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from retention.demo.exports import ExportFacts
    from retention.simulate.answers import Fields
    from retention.simulate.derive import Names
    from retention.simulate.inbox import Inbox

PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_MOST_AT_ONCE = 400


@dataclass(frozen=True)
class Window:
    """What one export covers, from included, to excluded; and the zone of its local times, which it does not name."""

    start: datetime
    end: datetime
    zone: str
    bad_rows: tuple[str, ...] = ()


def checked_zone(name: str) -> str:
    """Give back the name of a time zone that there is."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        msg = "zone is an IANA time zone such as Europe/London"
        raise invalid(msg) from error
    return name


def checked_bad_rows(kinds: Sequence[str]) -> tuple[str, ...]:
    """Give back kinds of damaged rows that there are."""
    if not set(kinds) <= set(BAD_ROW_KINDS):
        msg = f"bad_rows are of these kinds: {', '.join(BAD_ROW_KINDS)}"
        raise invalid(msg)
    return tuple(kinds)


def write_export(inbox: Inbox, window: Window, path: Path, now_ms: int) -> ExportFacts:
    """Write one export under a name of one's own; what comes later than now is not in it."""
    found = inbox.between(window.start, min(window.end, moment(now_ms + 1)))
    try:
        return write_csv(path, found, zone=window.zone, bad_rows=window.bad_rows)
    except RetentionError as error:
        raise invalid(str(error)) from error


def drop_export(inbox: Inbox, window: Window, root: Path, names: Names, now_ms: int) -> Fields:
    """Write one export into ``export/message`` below the root, under its published name, and tell what is in it."""
    zone = ZoneInfo(window.zone)
    name = export_name(ORGANIZATION, window.start.astimezone(zone), window.end.astimezone(zone), UUID(names.uuid()))
    folder = root / "export" / "message"
    folder.mkdir(parents=True, exist_ok=True)
    facts = write_export(inbox, window, folder / name, now_ms)
    return {"path": str(folder / name), "rows": facts.rows, "private": facts.private, "public": facts.public}


class Schedule:
    """A scheduled export: one file an hour, a day or a week, each when its time has passed."""

    def __init__(self, every: str, zone: str, start: datetime) -> None:
        """Begin at an instant."""
        self.every, self.zone = every, zone
        self._next = start

    def due(self, now: datetime) -> list[Window]:
        """Give the windows that have ended by now and were not given before."""
        windows: list[Window] = []
        while (end := self._next + PERIODS[self.every]) <= now and len(windows) < _MOST_AT_ONCE:
            windows.append(Window(self._next, end, self.zone))
            self._next = end
        return windows

    def told(self) -> Fields:
        """Tell it as the control endpoint does."""
        return {"every": self.every, "zone": self.zone, "next_from": self._next.isoformat()}
