"""Disks: what a place is mounted from, and whether there is room for what a run needs."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retention.doctor.line import About

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.doctor.case import Case
    from retention.doctor.line import Line
    from retention.doctor.station import Station

NETWORKED = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "gluster", "fuse.glusterfs", "fuse.sshfs", "lustre"}
)
FOR_ERASURE = 3
"""How many times the database must fit beside itself: erasure copies what holds identifiers into the write-ahead log,
writes the overwritten pages of the old tables behind it, and then the file takes the copy (measured: 2.0 and 1.0)."""
_ALWAYS = 64 << 20
_MIB = 1 << 20


class Mount(NamedTuple):
    """Where a file system is mounted, and of which kind it is."""

    point: str
    kind: str


def mount_of(station: Station, path: Path) -> Mount | None:
    """Find the mount that a path is on; None where the system does not tell."""
    real, best = Path(os.path.realpath(path)), None
    for line in (station.text("proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        point = _unescaped(before.split()[4]) if after else ""
        if point and real.is_relative_to(point) and (best is None or len(point) >= len(best.point)):
            best = Mount(point, after.split()[0])
    return best


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def space(case: Case) -> Iterator[Line]:
    """Look whether there is room for an erasure, and for what arrives."""
    needs: dict[int, tuple[Path, int, list[str]]] = {}
    if "database" not in case.wrong and case.file is not None and case.file.exists():
        size = sum(part.stat().st_size for part in _parts(case.file) if part.exists())
        _need(
            needs,
            case.file.parent,
            FOR_ERASURE * size,
            f"erasure: {FOR_ERASURE} times the {_mib(size)} of the database",
        )
    if "paths" not in case.wrong:
        _need(needs, case.state, _ALWAYS, "keys and quarantine")
    if "source" not in case.wrong:
        for source in case.settings.of_files:
            _need(needs, source.folder, _ALWAYS, f"exports of {source.name}")
    for place, bytes_needed, what in needs.values():
        about, free = About("disk", str(place)), shutil.disk_usage(place).free
        told = f"{_mib(free)} free, {_mib(bytes_needed)} needed ({'; '.join(what)})"
        yield about.ok(told) if free >= bytes_needed else about.fix(told, case.station.plain("df", "-h", str(place)))
    if case.file is None:
        yield About("disk", "database server").note("the server's disk cannot be seen from here")


def _need(needs: dict[int, tuple[Path, int, list[str]]], place: Path, size: int, what: str) -> None:
    while not place.exists() and place != place.parent:
        place = place.parent
    device = place.stat().st_dev
    first, before, told = needs.get(device, (place, 0, []))
    needs[device] = (first, before + size, [*told, what])


def _parts(file: Path) -> list[Path]:
    return [file, file.with_name(file.name + "-wal")]


def _mib(size: int) -> str:
    return f"{max(1, -(-size // _MIB)):,} MiB"
