"""What calls the program, in which sandbox, and whether what the configuration names can be reached from there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from retention.anchors.catalog import anchor_files
from retention.doctor.line import About
from retention.doctor.units import CRON, RUN, SERVICE, TIMER, installed, switched_on
from retention.settings.egress import ways_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.doctor.case import Case
    from retention.doctor.line import Line
    from retention.doctor.units import Unit
    from retention.settings.egress import Way

_SANDBOX = {"NoNewPrivileges": ("yes",), "ProtectSystem": ("strict", "full", "yes")}


def callers(case: Case) -> Iterator[Line]:
    """Say what calls the program by itself, and whether two do the same work."""
    about, station, found = About("service", "started by"), case.station, switched_on(case.station)
    if not found:
        if installed(station):
            turn_on = station.machine("systemctl", "enable", "--now", TIMER)
            yield about.note("units are installed and none is switched on", turn_on)
        else:
            told = "neither a unit nor a cron line is installed here: nothing runs by itself"
            yield about.note(told, f"{station.plain(station.program, 'deploy', 'install', '--systemd', '--dry-run')}")
        return
    names = " and ".join(found)
    if f"/{CRON}" in found and len(found) > 1:
        yield about.fix(f"{names} do the same work twice; take one away", station.machine("rm", f"/{CRON}"))
    elif {TIMER, SERVICE} <= set(found) and case.settings.serve.jobs.times:
        told = f"{names} do the same work twice, which does no harm; jobs = false under [serve] leaves it to the timer"
        yield about.note(told)
    else:
        yield about.ok(names)


def egress(case: Case) -> Iterator[Line]:
    """Hold every host that the configuration names against what each installed unit lets out."""
    ways = ways_out(case.settings)
    about = About("egress", "configuration")
    told = "; ".join(f"{way.purpose}: {_spelled(way)}" for way in ways)
    yield about.ok(told or "no host is named: nothing leaves this machine")
    if case.wrong:
        yield about.note("parts of the configuration are wrong and not looked at")
    units = installed(case.station)
    if not units:
        where = "no unit is installed" if case.station.has_systemd else "no systemd here"
        yield About("egress", "units").note(f"{where}: what may leave this machine is for its firewall to say")
    for unit in units:
        yield from _egress_of(case, unit, [way for way in ways if not way.by_people])


def _spelled(way: Way) -> str:
    return way.host if way.host.startswith("/") else f"{way.host} port {way.port}"


def _egress_of(case: Case, unit: Unit, ways: list[Way]) -> Iterator[Line]:
    about, edit = About("egress", unit.name), case.station.machine("systemctl", "edit", unit.name)
    families = unit.list_of("RestrictAddressFamilies")
    lines: list[Line] = []
    if not unit.list_of("IPAddressDeny"):
        lines.append(about.fix("IPAddressDeny= is not set: the unit lets out everything; add IPAddressDeny=any", edit))
    for way in ways:
        local = way.host.startswith("/")
        needed = {"AF_UNIX"} if local else {"AF_INET", "AF_INET6"}
        if families and not needed & set(families):
            told = f"RestrictAddressFamilies= keeps {way.purpose} ({way.host}) from being reached; add {min(needed)}"
            lines.append(about.fix(told, edit))
        lets_out = True if local else unit.lets_out(way.host)
        if lets_out is False:
            told = f"IPAddressAllow= keeps {way.purpose} ({way.host}) from being reached; add its address"
            lines.append(about.fix(f"{told}{'' if _is_number(way.host) else ' and that of the resolver'}", edit))
        elif lets_out is None:
            told = f"{way.purpose}: whether IPAddressAllow= has the addresses of {way.host} only its resolver can tell"
            lines.append(about.note(told, case.station.plain("getent", "ahosts", way.host)))
    yield from lines or [about.ok("lets out what the configuration names")]


def _is_number(host: str) -> bool:
    return host.replace(".", "").isdigit() or ":" in host


def sandbox(case: Case) -> Iterator[Line]:
    """Say whether the service is confined: of this process where it is the unit's, else of the unit."""
    station, about = case.station, About("service", "sandbox")
    status = {
        name: value.strip()
        for name, _, value in (line.partition(":") for line in (station.text("proc/self/status") or "").splitlines())
    }
    groups = station.text("proc/self/cgroup") or ""
    inside = next((name for name in (RUN, SERVICE) if f"/{name}" in groups), None)
    if inside is not None:
        if status.get("NoNewPrivs") == "1" and status.get("Seccomp") == "2":
            yield about.ok(f"this runs inside {inside}: no new privileges, system calls filtered")
        else:
            again = station.machine("systemctl", "cat", inside)
            yield about.fix(f"this runs inside {inside}, which does not confine it", again)
        return
    units = installed(station)
    for unit in units:
        yield from _confined(case, unit)
    if units:
        yield about.note("this process is not the service; what the service may do tells", _within(case, units[0]))
    else:
        yield about.note("no unit is installed, so nothing confines the program but its user")


def _confined(case: Case, unit: Unit) -> Iterator[Line]:
    about = About("service", unit.name)
    missing = [f"{name}={right[0]}" for name, right in _SANDBOX.items() if unit.words.get(name) not in right]
    missing += [] if unit.list_of("SystemCallFilter") else ["SystemCallFilter=@system-service"]
    if missing:
        told = f"the sandbox of the shipped unit is not in force; add {' and '.join(missing)}"
        yield about.fix(told, case.station.machine("systemctl", "edit", unit.name))
    else:
        yield about.ok("confined: no new privileges, system calls filtered, the file system read-only")
    writable = [Path(word.lstrip("-+")) for word in unit.list_of("ReadWritePaths")]
    writable += [Path("/var/lib") / word for word in unit.list_of("StateDirectory")]
    hidden = [place for place in _written(case) if not any(place.is_relative_to(one) for one in writable)]
    if unit.words.get("ProtectSystem") == "strict" and hidden:
        told = f"cannot write {', '.join(map(str, hidden))}; add ReadWritePaths={' '.join(map(str, hidden))}"
        yield about.fix(told, case.station.machine("systemctl", "edit", unit.name))


def _written(case: Case) -> list[Path]:
    """List the folders that a run writes to."""
    places = [] if "paths" in case.wrong else [case.state]
    if "database" not in case.wrong and case.file is not None:
        places.append(case.file.parent)
    if "source" not in case.wrong:
        places += [source.folder for source in case.settings.of_files]
    if "paths" not in case.wrong:
        places += [file.path.parent for file in anchor_files(case.settings)]
    return list(dict.fromkeys(places))


def _within(case: Case, unit: Unit) -> str:
    """Spell the command that asks the doctor inside a sandbox like the unit's."""
    station = case.station
    like = ("User", "NoNewPrivileges", "ProtectSystem", "IPAddressDeny", "IPAddressAllow", "StateDirectory")
    given = [f"-p{name}={unit.words[name]}" for name in like if unit.words.get(name)]
    where = ["--config", str(station.config)] if station.config else []
    words = ["systemd-run", "--wait", "--pipe", "--collect", *given, station.program, "check", "--deep", *where]
    return station.machine(*words)


def extras(case: Case) -> Iterator[Line]:
    """Look whether the packages are there that only this configuration needs."""
    needed = {
        "postgres": ("psycopg",) if "database" not in case.wrong and case.file is None else (),
        "sftp": ("paramiko",) if any(source.kind == "sftp" for source in case.settings.source) else (),
        "timestamp": ("rfc3161_client",) if any(one.kind == "timestamp" for one in case.settings.anchor) else (),
        "web": ("flask", "waitress") if case.settings.webhooks and "source" not in case.wrong else (),
    }
    asked = {extra: modules for extra, modules in needed.items() if modules}
    missing = [extra for extra, modules in asked.items() if not all(map(importlib.util.find_spec, modules))]
    for extra in missing:
        about = About("program", f"extra {extra}")
        yield about.fix("the configuration needs it and it is not installed", case.station.installing(extra))
    if not missing:
        python = ".".join(map(str, sys.version_info[:3]))
        yield About("program", "extras").ok(f"Python {python}; {', '.join(asked) or 'no extra is'} needed, and there")
