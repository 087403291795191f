"""The clock and the rules of time zones: both decide when something is due."""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from retention.doctor.line import About
from retention.policy.words import say_day

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from retention.doctor.case import Case
    from retention.doctor.line import Line

_OLD_YEARS = 2
_AHEAD = 400
_RELEASE = re.compile(r"\b(20[0-9]{2})[a-z]+\b")


def set_by_network(case: Case) -> Iterator[Line]:
    """Say whether something keeps the clock right, as far as this machine tells without asking anybody."""
    about, station = About("clock", "synchronized"), case.station
    told = station.tool(["timedatectl", "show", "-p", "NTPSynchronized", "--value"]) if station.has_systemd else None
    if station.exists("run/systemd/timesync/synchronized") or (told or "").strip() == "yes":
        yield about.ok("the clock is kept by a time server")
    elif told is not None:
        turn_on = station.machine("timedatectl", "set-ntp", "true")
        yield about.fix("the clock is kept by nobody; it decides what is due", turn_on)
    else:
        yield about.note("whether a time server keeps the clock cannot be told here; it decides what is due")


def zone_data(case: Case) -> Iterator[Line]:
    """Say which rules of time zones are in use, how old they are, and which changes they know next."""
    name = case.settings.schedule.time_zone
    release, where = _release(name)
    about = About("time zone", "data")
    if release is None:
        yield about.note(f"{where}: which version of the IANA data it is cannot be told")
    elif case.now.year - int(release[:4]) > _OLD_YEARS:
        yield about.note(f"IANA {release} ({where}) is older than {_OLD_YEARS} years; bring it up to date")
    else:
        yield about.ok(f"IANA {release} ({where})")
    changes = list(_changes(zoneinfo.ZoneInfo(name), case.now))
    told = "; ".join(f"{say_day(at.date())}, to {at:%z}" for at in changes)
    yield About("time zone", name).ok(f"next changes: {told}" if told else f"no change within {_AHEAD} days")


def _release(name: str) -> tuple[str | None, str]:
    """Give the version of the data that a zone is read from, and where that is."""
    for folder in zoneinfo.TZPATH:
        if (Path(folder) / name).is_file():
            return _said(Path(folder)), folder
    if find_spec("tzdata") is None:  # pragma: no cover - the program requires it
        return None, "no data"
    return str(import_module("tzdata").IANA_VERSION), "the package tzdata"


def _said(folder: Path) -> str | None:
    for name in ("+VERSION", "tzdata.zi"):
        try:
            with (folder / name).open(encoding="utf-8") as file:
                found = _RELEASE.search(file.readline())
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return found[0]
    return None


def _changes(zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """Give the next two changes of a zone's offset, as the local time right after them."""
    found, hour = 0, timedelta(hours=1)
    at = now.replace(minute=0, second=0, microsecond=0)
    for _ in range(_AHEAD):
        after = at + timedelta(days=1)
        if at.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            while at.astimezone(zone).utcoffset() == (at + hour).astimezone(zone).utcoffset():
                at += hour
            yield (at + hour).astimezone(zone)
            found += 1
            if found == 2:  # noqa: PLR2004  # there and back
                return
        at = after
