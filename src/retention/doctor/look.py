"""Every probe, in the order in which a person wants to read them; none of them ends the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retention.doctor import backups, clock, databases, disks, files, keys, log, process, service, sources
from retention.doctor.line import About
from retention.doctor.station import user_name
from retention.errors import Exit, RetentionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from retention.doctor.case import Case
    from retention.doctor.line import Line


class Probe(NamedTuple):
    """``needs`` names tables of the configuration that must be right, and how far the register must be opened."""

    group: str
    subject: str
    look: Callable[[Case], Iterable[Line]]
    needs: tuple[str, ...] = ()


_REGISTER, _CONNECTION = "register", "connection"
_PRIVATE = frozenset({"database", "folders", "keys", "landing", "sources", "audit log", "anchors", "disk"})

PROBES = (
    Probe("configuration", "file", files.configuration),
    Probe("configuration", "secrets", files.secrets),
    Probe("database", "reachable", databases.reachable, ("database",)),
    Probe("database", "files", databases.file, ("database",)),
    Probe("database", "settings", databases.inside, ("database", _CONNECTION)),
    Probe("folders", "state", files.state, ("paths",)),
    Probe("folders", "quarantine", files.quarantine, ("paths",)),
    Probe("keys", "files", keys.folder, ("paths",)),
    Probe("keys", "every key", keys.usable, ("database", "paths", _REGISTER)),
    Probe("landing", "folders", files.landing, ("source",)),
    Probe("sources", "needs", sources.ways_in, ("source",)),
    Probe("audit log", "ends", log.ends, ("database", "paths", _REGISTER)),
    Probe("anchors", "all", log.anchors, ("paths",)),
    Probe("backups", "known", backups.registered, ("database", "schedule", _REGISTER)),
    Probe("clock", "synchronized", clock.set_by_network),
    Probe("clock", "newest entry", log.newest, ("database", _REGISTER)),
    Probe("time zone", "data", clock.zone_data, ("schedule",)),
    Probe("disk", "space", disks.space),
    Probe("service", "started by", service.callers),
    Probe("service", "sandbox", service.sandbox),
    Probe("egress", "configuration", service.egress),
    Probe("process", "user", process.user),
    Probe("process", "leaks", process.leaks),
    Probe("program", "place", process.program),
    Probe("program", "extras", service.extras),
)


def examine(case: Case, probes: Sequence[Probe] = PROBES) -> list[Line]:
    """Ask every probe that can be asked; one that fails is a line."""
    return [line for probe in probes for line in _asked(case, probe)]


def _asked(case: Case, probe: Probe) -> Iterator[Line]:
    lacking = sorted(case.wrong.intersection(probe.needs))
    about = About(probe.group, probe.subject)
    if lacking:
        yield about.note(f"not looked at: [{'], ['.join(lacking)}] of the configuration is not right")
        return
    station = case.station
    if probe.group in _PRIVATE and station.person not in {0, station.worker}:
        yield about.note(f"not looked at: only {user_name(station.worker)} and root can see it")
        return
    if (_REGISTER in probe.needs and case.context is None) or (_CONNECTION in probe.needs and case.database is None):
        yield about.note("not looked at: the register cannot be opened")
        return
    try:
        yield from probe.look(case)
    except RetentionError as error:
        yield about.fix(str(error), case.station.ours("check"), error.exit_code)
    except Exception as error:  # noqa: BLE001  # whatever it is, the other probes are asked; its words may be personal
        yield about.note(f"cannot be looked at: {type(error).__name__}")


_GRAVE = (Exit.LOG_NOT_VERIFIED, Exit.BELT_CLOSED)


def exit_of(lines: Iterable[Line]) -> Exit:
    """Give the exit code: of a log that does not verify, of a restored database, else whether there is a fix."""
    codes = {line.code for line in lines if line.state == "fix"}
    return next((code for code in _GRAVE if code in codes), Exit.PARTLY_DONE if codes else Exit.DONE)
