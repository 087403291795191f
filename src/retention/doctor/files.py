"""Folders and files of ours: configuration, secrets, state, quarantine, landing."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retention.configured import check_sources
from retention.doctor.line import About
from retention.doctor.modes import OTHERS, OTHERS_WRITE, closing, may, opening, say_owner, wrong_access
from retention.doctor.station import user_name
from retention.errors import ConfigError
from retention.policy.words import say_count
from retention.service.trigger import check_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.doctor.case import Case
    from retention.doctor.line import Line
    from retention.doctor.station import Station

_SECRET_FILE = re.compile(r"RETENTION_[A-Z0-9_]+_FILE")
_LONG = timedelta(days=1)
_PRIVATE = ("", "quarantine", "api", "keys")


def configuration(case: Case) -> Iterator[Line]:
    """Look whether the configuration is right, and who else could write it."""
    about, station = About("configuration", "file"), case.station
    again = station.ours("check")
    for problem in case.problems:
        yield about.fix(problem, again)
    path = station.config
    if path is None or not path.exists():
        return
    if not may(path, os.R_OK):
        told = f"{path} cannot be read by {user_name(station.worker)} ({say_owner(path)})"
        yield about.fix(told, letting_read(station, path))
    elif not case.problems:
        try:
            check_sources(path, case.settings)
            check_jobs(path, case.settings, case.now)
        except ConfigError as error:
            for problem in error.problems:
                yield about.fix(problem, again)
        else:
            yield about.ok(f"{path}: every key is right ({say_owner(path)})")
    if stat.S_IMODE(path.stat().st_mode) & OTHERS_WRITE:
        told = f"{path} can be written by others ({say_owner(path)}), who could shorten a period"
        yield about.fix(told, closing(station, path, OTHERS_WRITE))
    folder = path.resolve().parent
    if stat.S_IMODE(folder.stat().st_mode) & stat.S_IWOTH and not folder.stat().st_mode & stat.S_ISVTX:
        yield about.fix(f"{folder} can be written by any user", closing(station, folder, stat.S_IWOTH))


def letting_read(station: Station, path: Path) -> str:
    """Spell the command that lets the user of the register read a file of somebody else's by its group."""
    found = path.stat()
    if found.st_uid == station.worker:
        return opening(station, path)
    commands = [station.machine("chgrp", str(os.getegid()), str(path))]
    if not found.st_mode & stat.S_IRGRP:
        commands.append(station.machine("chmod", "g+r", str(path)))
    return " && ".join(commands)


def secrets(case: Case) -> Iterator[Line]:
    """Look whether files with secrets are open to every user."""
    about, found = About("configuration", "secrets"), 0
    for path in _secret_files(case):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            look = case.station.plain("ls", "-l", str(path.parent))
            yield about.fix(f"{path} is named as a file with a secret and is not there", look)
            continue
        except OSError as error:
            yield about.note(f"{path} cannot be looked at ({error.strerror})")
            continue
        found += 1
        if mode & stat.S_IRWXO:
            yield about.fix(f"{path} is open to every user", closing(case.station, path, stat.S_IRWXO))
        elif not may(path, os.R_OK):
            yield about.note(
                f"{path} cannot be read by {user_name(os.geteuid())}: commands of people do not get this secret"
            )
    if found:
        yield about.ok(f"{say_count(found, 'file')} with secrets looked at")


def _secret_files(case: Case) -> Iterator[Path]:
    environment = case.station.environment
    yield from (Path(value) for name, value in sorted(environment.items()) if _SECRET_FILE.fullmatch(name) and value)
    if folder := environment.get("CREDENTIALS_DIRECTORY"):
        try:
            yield from sorted(path for path in Path(folder).iterdir() if path.is_file())
        except OSError:
            yield Path(folder)
    yield from (source.key_file for source in case.settings.source if source.key_file)


def state(case: Case) -> Iterator[Line]:
    """Look whether the state folder is there and the program's alone, and whether every file in it is its user's."""
    about, station = About("folders", "state"), case.station
    if not may(case.state.parent, os.X_OK) or not case.state.is_dir():
        yield about.fix(f"{case.state} is not a folder that can be seen from here", station.ours("init"))
        return
    lines: list[Line] = []
    for name in _PRIVATE:
        if (folder := case.state / name).is_dir():
            lines += wrong_access(about, station, folder, OTHERS)
    strange = sum(
        1
        for folder, _, names in os.walk(case.state)
        for name in names
        if _is_strange(Path(folder, name), station.worker)
    )
    if strange:
        told = (
            f"{say_count(strange, 'file')} in {case.state} belong to another user, so the program cannot work with them"
        )
        lines.append(about.fix(told, station.owned(case.state, whole=True)))
    if not lines and not may(case.state, os.W_OK | os.X_OK):
        lines.append(about.fix(f"{case.state} cannot be written", opening(station, case.state, whole=True)))
    yield from lines or [about.ok(f"{case.state} is the program's alone ({say_owner(case.state)})")]


def _is_strange(path: Path, worker: int) -> bool:
    try:
        return path.lstat().st_uid != worker
    except OSError:
        return False


class _Waiting(NamedTuple):
    """How many files wait in a folder, and since when the oldest (epoch seconds)."""

    files: int
    since: float


def _waiting(folder: Path) -> _Waiting:
    with os.scandir(folder) as entries:
        files = [one for one in entries if one.is_file(follow_symlinks=False) and not one.name.startswith(".")]
        times = []
        for one in files:
            with suppress(FileNotFoundError):  # a run that is at work has just taken it
                times.append(one.stat(follow_symlinks=False).st_mtime)
    return _Waiting(len(times), min(times, default=0.0))


def _say_waiting(case: Case, waiting: _Waiting) -> tuple[str, bool]:
    """Say what waits and since when, and whether that is long."""
    if not waiting.files:
        return "nothing waits", False
    # Whoever delivers a file sets its time, to one that no calendar has if he likes.
    age = timedelta(seconds=min(max(case.now.timestamp() - waiting.since, 0), case.now.timestamp()))
    told = f"{say_count(waiting.files, 'file')}, the oldest for {say_count(age.days, 'day')}"
    return told, age > _LONG


def quarantine(case: Case) -> Iterator[Line]:
    """Say what waits in quarantine for a person."""
    about, folder = About("folders", "quarantine"), case.state / "quarantine"
    if not folder.is_dir():
        yield about.ok("nothing waits")
        return
    told, _ = _say_waiting(case, waiting := _waiting(folder))
    yield about.note(told, case.station.ours("findings", "list")) if waiting.files else about.ok(told)


def landing(case: Case) -> Iterator[Line]:
    """Look whether exports can be read and removed where they arrive, who else writes there, and what waits."""
    station = case.station
    for source in case.settings.of_files:
        about, folder = About("landing", source.name), source.folder
        if not folder.is_dir():
            yield about.fix(f"{folder} is not a folder", station.ours("init"))
            continue
        if not may(folder, os.R_OK | os.W_OK | os.X_OK):
            told = f"{folder} cannot be read and written ({say_owner(folder)}); ingested files are disposed of"
            yield about.fix(told, opening(station, folder))
            continue
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & stat.S_IWOTH:
            yield about.fix(f"{folder} can be written by any user", closing(station, folder, stat.S_IWOTH))
        if mode & stat.S_IROTH:
            told = f"{folder} can be read by any user: exports hold texts and names"
            yield about.fix(told, closing(station, folder, stat.S_IRWXO))
        if mode & stat.S_IWGRP:
            yield about.note(f"its group writes to it too ({say_owner(folder)}), as whoever delivers exports must")
        told, is_long = _say_waiting(case, _waiting(folder))
        yield about.note(f"{told}; take them in", station.ours("ingest")) if is_long else about.ok(f"{folder}: {told}")
