"""The audit log and its anchors, and what they say of the clock."""

from __future__ import annotations

import json
import os
import shlex
import stat
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from retention.anchors.catalog import anchor_files, build_anchors
from retention.audit import stored
from retention.audit.log import stream
from retention.doctor.line import About
from retention.doctor.modes import OTHERS_WRITE, closing, may, opening
from retention.errors import AnchorError, Exit, LogError, RestoredError, UsageError
from retention.model import from_epoch, iso
from retention.policy.words import say_count
from retention.report.log_standing import log_standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retention.anchors.interface import Anchor
    from retention.doctor.case import Case
    from retention.doctor.line import Line

VERIFIED_WITHIN = timedelta(days=35)
_SLACK = timedelta(minutes=5)


def ends(case: Case) -> Iterator[Line]:
    """Hold the ends of the log against its head and its anchors; say when all of it was last verified."""
    context, about = case.opened, About("audit log", "ends")
    look = case.station.ours("audit", "verify", "--deep")
    memory, emptied, fits = context.remembered(), list[str](), False
    with context.database.read() as connection:
        try:
            emptied = memory.compare(connection)
            fits = not emptied
        except RestoredError as error:
            # To verify it would write down that the log is broken, which the next epoch says better.
            yield about.fix(str(error), case.station.ours("audit", "new-epoch", "--help"), Exit.BELT_CLOSED)
        except LogError as error:
            yield about.fix(str(error), look, Exit.LOG_NOT_VERIFIED)
        log = log_standing(connection, context.installation.origin, context.verifiers)
    yield from (about.fix(told, look) for told in emptied)
    if log.fault is not None:
        yield about.fix(log.words(), look, Exit.LOG_NOT_VERIFIED)
    elif fits:
        yield about.ok(f"{context.installation.origin}: {say_count(log.size, 'entry')}, as the head and anchors say")
    triggers = About("audit log", "triggers")
    if log.triggers is None:
        yield triggers.ok("every trigger that keeps it append-only is there")
    else:
        yield triggers.fix(f"{log.triggers}; find out who did that, and put them back", case.station.ours("init"))
    verified, last = About("audit log", "last verified"), log.last
    if last is None:
        yield verified.note("never in full", look)
    elif last.ok and case.now - from_epoch(last.at) > VERIFIED_WITHIN:
        yield verified.note(f"{iso(from_epoch(last.at))}: longer ago than {VERIFIED_WITHIN.days} days", look)
    elif last.ok:
        yield verified.ok(f"{iso(from_epoch(last.at))}, {say_count(last.size, 'entry')}")


def newest(case: Case) -> Iterator[Line]:
    """Compare the clock with the newest entry of the log."""
    about = About("clock", "newest entry")
    with case.opened.database.read() as connection:
        size, _, _ = stored.head(connection)
        at = next((_instant(body) for _, body in stream(connection, max(0, size - 1), size)), None)
    if at is None:
        yield about.note("the newest entry has no time")
    elif at > case.now + _SLACK:
        told = f"this machine says {iso(case.now)}, the newest entry of the log {iso(at)}: the clock went back"
        yield about.fix(told, "timedatectl status")
    else:
        yield about.ok(f"{iso(at)}, before this machine's {iso(case.now)}")


def _instant(body: str) -> datetime | None:
    at = json.loads(body).get("at")
    return datetime.fromisoformat(at) if isinstance(at, str) else None


def anchors(case: Case) -> Iterator[Line]:
    """Look whether every anchor can be written, without writing to it, and whether it lies apart from the database."""
    try:
        built = build_anchors(case.settings)
    except UsageError as error:
        yield About("anchors", "configuration").fix(str(error), case.station.ours("check"))
        return
    if not built:
        told = "there is none: nothing leaves this database, so a restore or a rewriting would not show"
        yield About("anchors", "configuration").note(told)
    files = {file.name: file.path for file in anchor_files(case.settings)}
    for anchor in built:
        yield from _anchor(case, anchor, files.get(anchor.name))


def _anchor(case: Case, anchor: Anchor, path: Path | None) -> Iterator[Line]:
    about, station = About("anchors", anchor.name), case.station
    try:
        anchor.inspect()
    except AnchorError as error:
        shown = path or next((one.certificate for one in case.settings.anchor if one.name == anchor.name), None)
        yield about.fix(str(error), _way(case, shown))
        return
    if path is None:
        yield _elsewhere(case, about, anchor)
        return
    place = path if path.exists() else next(one for one in path.parents if one.exists())
    if not may(place, os.W_OK):
        yield about.fix(f"{path} cannot be written", _way(case, path))
        return
    if stat.S_IMODE(place.stat().st_mode) & OTHERS_WRITE and not place.stat().st_mode & stat.S_ISVTX:
        yield about.fix(f"{place} can be written by others", closing(station, place, OTHERS_WRITE))
    if case.file is None or not case.file.exists():
        yield about.ok(f"{path} can be written")
    elif case.file.stat().st_dev == place.stat().st_dev:
        yield about.note(f"{path} can be written, and lies on the same disk as the database: who restores one has both")
    else:
        yield about.ok(f"{path} can be written, apart from the database")


def _elsewhere(case: Case, about: About, anchor: Anchor) -> Line:
    if not anchor.place.startswith("/"):
        return about.ok(f"{anchor.kind}, {anchor.place}: not asked; each checkpoint asks it")
    if case.station.exists(anchor.place):
        return about.ok(f"{anchor.kind}, {anchor.place} is there")
    return about.fix(f"nothing listens at {anchor.place}", case.station.machine("ls", "-l", anchor.place))


def _way(case: Case, path: Path | None) -> str:
    """Spell the command that shows, or mends, why a place cannot be used."""
    if path is None or not path.parent.exists():
        return shlex.join(["ls", "-ld", str(path.parent if path else "/dev/log")])
    return opening(case.station, path if path.exists() else path.parent)
