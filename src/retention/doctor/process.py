"""The process: as whom it runs, what it leaves open, and where memory may end up on a disk."""

from __future__ import annotations

import os
import re
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from retention.doctor.line import About
from retention.doctor.modes import may
from retention.doctor.station import user_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.doctor.case import Case
    from retention.doctor.line import Line


def user(case: Case) -> Iterator[Line]:
    """Say as whom the register is worked with: an ordinary user, and the same one always."""
    about, station = About("process", "user"), case.station
    name = user_name(station.worker)
    if station.worker == 0:
        told = "the register belongs to root; give the program a user of its own"
        add = ("useradd", "--system", "--home-dir", str(case.state), "--shell", "/usr/sbin/nologin", "retention")
        yield about.fix(told, station.machine(*add))
    elif station.person == station.worker:
        yield about.ok(name)
    else:
        told = f"asked by {user_name(station.person)}; the register belongs to {name}, as whom to give commands"
        again = station.ours("check", "--deep")
        yield about.note(told, again) if station.person == 0 else about.fix(told, again)


def program(case: Case) -> Iterator[Line]:
    """Look whether the program can be run by the user whom the register belongs to."""
    about, package = About("program", "place"), Path(__file__).resolve().parent
    hidden = next((place for place in (package, Path(sys.executable).resolve()) if not may(place, os.R_OK)), None)
    if hidden is None:
        yield about.ok(str(package.parent))
    else:
        told = f"{hidden} cannot be read by {user_name(case.station.worker)}, who is to run it; install it elsewhere"
        yield about.fix(told, case.station.plain("namei", "-l", str(hidden)))


def leaks(case: Case) -> Iterator[Line]:
    """Say what of the memory may reach a disk, and how open files are that people make."""
    station = case.station
    umask = re.search(r"^Umask:\s*([0-7]+)", station.text("proc/self/status") or "", re.MULTILINE)
    about = About("process", "umask")
    if umask is None:
        yield about.note("cannot be told here")
    elif int(umask[1], 8) & 0o077 == 0o077:  # noqa: PLR2004  # a mode is read in octal
        yield about.ok(umask[1])
    else:
        yield about.note(f"{umask[1]}: exports and bundles that you write are open to others", "umask 077")
    dumps = About("process", "core dumps")
    if resource.getrlimit(resource.RLIMIT_CORE)[0]:
        yield dumps.note("are on here: a crash may write keys and identifiers to a disk", "ulimit -c 0")
    else:
        yield dumps.ok("off")
    swaps = (station.text("proc/swaps") or "").splitlines()[1:]
    swap = About("process", "swap")
    yield swap.note("is on: memory may be written to it; encrypt it", "swapon --show") if swaps else swap.ok("off")
