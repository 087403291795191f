"""The keys: where they are, who can read them, whether every one is there that must be."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from retention.audit.keyfiles import PRIVATE, PUBLIC
from retention.doctor.line import About
from retention.doctor.modes import OTHERS, may, wrong_access
from retention.errors import KeyFileError
from retention.policy.words import say_count
from retention.store import month_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retention.doctor.case import Case
    from retention.doctor.line import Line


def folder(case: Case) -> Iterator[Line]:
    """Look at the folder of the keys and at every file in it."""
    about, place = About("keys", "files"), case.state / "keys"
    if not place.is_dir():
        yield about.fix(f"{place} is missing: put it back from its backup, or make new keys", case.station.ours("init"))
        return
    files, lines = 0, list(wrong_access(about, case.station, place, OTHERS))
    for path in _inside(place):
        is_folder = path.is_dir()
        closed = OTHERS if is_folder else PUBLIC if ".pub" in path.suffixes else PRIVATE
        try:
            lines += wrong_access(about, case.station, path, closed)
        except OSError as error:  # a link to nowhere, or a key that a run destroyed meanwhile: the others count
            lines.append(about.note(f"{path} cannot be looked at ({error.strerror})"))
        files += not is_folder
    yield from lines or [about.ok(f"{say_count(files, 'file')} in {place}, all private")]


def _inside(folder: Path) -> Iterator[Path]:
    """Give what is in a folder and below it, as far as it can be entered."""
    if not may(folder, os.R_OK | os.X_OK):
        return
    for path in sorted(folder.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _inside(path)


def usable(case: Case) -> Iterator[Line]:
    """Load what signs, and hold the month keys against the register."""
    about, context = About("keys", "every key"), case.opened
    try:
        context.signer()
        context.check_keys()
    except KeyFileError as error:
        yield about.fix(str(error), _listing(case.state / "keys"))
        return
    with context.database.read() as connection:
        live = len(month_keys.live(connection))
    yield about.ok(f"the signing key is the log's own; {say_count(live, 'month key')} as the register says")


def _listing(place: Path) -> str:
    return f"ls -lR {shlex.quote(str(place))}"
