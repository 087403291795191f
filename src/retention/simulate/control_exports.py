"""``/simulator/export``: the CSV export of the Inbox, downloaded on demand or written into the folder on a schedule."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from retention.demo.exports import export_name
from retention.simulate.answers import Fields, RefusedError, Reply, invalid
from retention.simulate.call import Route
from retention.simulate.clock import moment
from retention.simulate.control import asked_fields
from retention.simulate.directory import ORGANIZATION
from retention.simulate.exports import (
    PERIODS,
    Schedule,
    Window,
    checked_bad_rows,
    checked_zone,
    drop_export,
    write_export,
)
from retention.simulate.read import instant, text, texts

if TYPE_CHECKING:
    from retention.simulate.call import Call


def downloaded(call: Call) -> Reply:
    """Give an export of a time, as a person downloads it."""
    query = {name: call.one(name) or "" for name in ("from", "to", "zone")}
    window = _window(call, {name: value for name, value in query.items() if value}, call.query.get("bad_rows", []))
    zone = ZoneInfo(window.zone)
    uuid = UUID(call.world.names.uuid())
    name = export_name(ORGANIZATION, window.start.astimezone(zone), window.end.astimezone(zone), uuid)
    folder = Path(mkdtemp(prefix="retention-simulate-"))
    try:
        write_export(call.world.desk.inbox, window, folder / name, call.now)
    except RefusedError:
        folder.rmdir()
        raise
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Reply(mime="text/csv; charset=utf-8", file=folder / name, headers=headers)


def dropped(call: Call) -> Reply:
    """Write an export of a time into the folder now."""
    asked = asked_fields(call)
    window = _window(call, asked, texts(asked, "bad_rows"))
    facts = drop_export(call.world.desk.inbox, window, _root(call), call.world.names, call.now)
    call.world.dropped.append(facts)
    return Reply(facts)


def scheduled(call: Call) -> Reply:
    """Write an export every hour, day or week from a time on; each when the clock has passed its end."""
    asked = asked_fields(call)
    every = text(asked, "every")
    if every not in PERIODS:
        msg = f"every is one of {', '.join(PERIODS)}"
        raise invalid(msg)
    _root(call)
    zone = checked_zone(text(asked, "zone", call.world.options.zone))
    start = instant(text(asked, "from"), "from") if "from" in asked else moment(call.now)
    call.world.schedule = Schedule(every, zone, start)
    call.world.tick()
    return Reply(call.world.schedule.told())


def unscheduled(call: Call) -> Reply:
    """Write no more exports by themselves."""
    call.world.schedule = None
    return Reply({})


def _window(call: Call, asked: Fields, bad_rows: list[str]) -> Window:
    start = instant(text(asked, "from"), "from")
    end = instant(text(asked, "to"), "to")
    if end <= start:
        msg = "to is after from"
        raise invalid(msg)
    zone = checked_zone(text(asked, "zone", call.world.options.zone))
    return Window(start, end, zone, checked_bad_rows(bad_rows))


def _root(call: Call) -> Path:
    root = call.world.options.directory
    if root is None:
        msg = "start the simulator with --directory to have a folder"
        raise invalid(msg)
    return root


ROUTES = (
    Route("GET", "/simulator/export", downloaded),
    Route("POST", "/simulator/export", dropped),
    Route("PUT", "/simulator/export/schedule", scheduled),
    Route("DELETE", "/simulator/export/schedule", unscheduled),
)
