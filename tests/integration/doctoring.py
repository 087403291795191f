"""The doctor on a machine that is a folder, and an office with nothing to mend."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from retention.doctor.case import opened_case
from retention.doctor.look import examine
from retention.doctor.station import Station
from retention.settings.load import load_partly
from tests.kit import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from retention.doctor.line import Line
    from tests.kit import Office

ROOT = os.geteuid() == 0
# The server of the tests waits for no disk, and its user is a superuser.
OF_THE_TESTS = {("database", "role"), ("database", "limits")}


def told(office: Office, machine: Path | None = None, **given: str) -> dict[tuple[str, str], list[Line]]:
    """Give the lines by group and subject, on a machine that is a folder."""
    part, problems = load_partly(office.config)
    root = machine or office.folder / "machine"
    here = Station(office.config, os.geteuid(), os.geteuid(), root, given, lambda _: None, "retention")
    found: dict[tuple[str, str], list[Line]] = {}
    with opened_case(here, NOW, part.settings, part.wrong, tuple(problems)) as case:
        for line in examine(case):
            found.setdefault((line.group, line.subject), []).append(line)
    for lines in found.values():
        for line in lines:
            assert line.state != "fix" or line.command, line
            assert shlex.split(line.command or "x")
    return found


def fixes(found: dict[tuple[str, str], list[Line]]) -> dict[tuple[str, str], str]:
    """Give what is to be mended on this machine; that tests may run as root is not the point."""
    return {
        key: "\n".join(line.detail for line in lines if line.state == "fix")
        for key, lines in found.items()
        if key[0] != "process" and key not in OF_THE_TESTS and any(line.state == "fix" for line in lines)
    }


def tidy(office: Office) -> Office:
    office.config.chmod(0o644)
    office.landing.chmod(0o700)
    office.folder.chmod(0o700)
    (office.folder / "anchor").mkdir(exist_ok=True)
    (office.folder / "anchor").chmod(0o700)
    return office
