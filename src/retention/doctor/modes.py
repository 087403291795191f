"""Owners and modes of files and folders: who else may read, write or enter."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from retention.doctor.station import group_name, user_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retention.doctor.line import About, Line
    from retention.doctor.station import Station

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def wrong_access(about: About, station: Station, path: Path, forbidden: int, own: int = stat.S_IRUSR) -> Iterator[Line]:
    """Say where a place belongs to somebody else, or has mode bits that it must not have, or lacks those of its user.

    A file needs the bits ``own``, a folder all of its user's.

    Raises:
        OSError: it cannot be looked at.

    """
    found = path.stat()
    if found.st_uid != station.worker:
        who, whom = user_name(found.st_uid), user_name(station.worker)
        yield about.fix(f"{path} belongs to {who} and must belong to {whom}", station.owned(path))
    needed = stat.S_IRWXU if stat.S_ISDIR(found.st_mode) else own
    if needed & ~found.st_mode:
        told = f"{path} is closed to its own user ({say_owner(path)})"
        yield about.fix(told, closing(station, path, forbidden, needed))
    if mode := stat.S_IMODE(found.st_mode) & forbidden:
        yield about.fix(f"{path} {say_access(mode)}", closing(station, path, forbidden, needed))


def closing(station: Station, path: Path, forbidden: int, needed: int = 0) -> str:
    """Spell the command that takes mode bits away, gives those that are needed, and leaves the others."""
    mode = stat.S_IMODE(path.stat().st_mode) & ~forbidden | needed
    return station.on_file(path, "chmod", f"{mode:04o}")


def opening(station: Station, path: Path, *, whole: bool = False) -> str:
    """Spell the command that lets the user of the register work with a place that it cannot work with.

    What belongs to somebody else is given to that user, a whole folder where ``whole`` says so. Where owner and mode
    are right already, the command shows what it is mounted from.
    """
    found = path.stat()
    if found.st_uid != station.worker:
        return station.owned(path, whole=whole)
    own = stat.S_IRWXU if stat.S_ISDIR(found.st_mode) else stat.S_IRUSR | stat.S_IWUSR
    if own & ~found.st_mode:
        return station.on_file(path, "chmod", "u+rwX")
    return station.plain("findmnt", "--target", str(path))


def say_access(mode: int) -> str:
    """Say what mode bits give to whom."""
    may = [word for bits, word in ((0o044, "read"), (0o022, "written"), (0o011, "entered or run")) if mode & bits]
    who = "any user" if mode & stat.S_IRWXO else "its group"
    return f"can be {' and '.join(may)} by {who}"


def say_owner(path: Path) -> str:
    """Say owner, group and mode in one go."""
    found = path.stat()
    return f"{user_name(found.st_uid)}:{group_name(found.st_gid)} {stat.S_IMODE(found.st_mode):04o}"


def may(path: Path, how: int) -> bool:
    """Tell whether who looks may do that with a place; root may do nearly everything."""
    return os.access(path, how, effective_ids=os.access in os.supports_effective_ids)
