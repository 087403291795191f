"""The database: reachable, of this version, and kept so that what is deleted is gone."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from retention.doctor.disks import NETWORKED, mount_of
from retention.doctor.line import About
from retention.doctor.modes import OTHERS, OTHERS_WRITE, closing, may, opening, say_owner, wrong_access
from retention.errors import RetentionError, SchemaError
from retention.settings.egress import ways_out
from retention.store.condition import ServerCondition, file_condition, server_condition
from retention.store.grants import can_alter_log
from retention.store.schema import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retention.doctor.case import Case
    from retention.doctor.line import Line

_OLDEST = 140_000  # PostgreSQL 14
_SHORT_MS = 600_000
_CLOCKS_APART = 60


def reachable(case: Case) -> Iterator[Line]:
    """Say whether the register can be opened, and what to do where it cannot."""
    about, place = About("database", "reachable"), case.settings.database.place
    if case.context is not None:
        drill = ", a DRILL" if case.context.installation.drill else ""
        yield about.ok(f"{place}: schema {VERSION}, as this program needs{drill}")
        return
    refused = case.refused or RetentionError("it cannot be opened")
    told = str(refused) if place in str(refused) else f"{place}: {refused}"
    keys = case.state / "keys"
    if case.file is not None and not os.path.lexists(case.file) and os.path.lexists(keys / "signing.pub"):
        told += f". But the keys of a register are in {keys}: if its database was lost, put that back from its backup"
        yield about.fix(told, case.station.on_file(case.file.parent, "ls", "-la"))
    else:
        yield about.fix(told, _mending(case, refused))


def _mending(case: Case, refused: RetentionError) -> str:
    station, text = case.station, str(refused)
    if isinstance(refused, SchemaError) and "newer program" not in text and "does not exist" not in text:
        return station.ours("init")
    if "driver is not installed" in text:
        return station.installing("postgres")
    if case.file is not None:
        for place, how in ((case.file.parent, os.W_OK | os.X_OK), (case.file, os.R_OK | os.W_OK)):
            if os.path.lexists(place) and not may(place, how):
                return opening(station, place)
        return station.machine("ls", "-ld", str(case.file.parent), str(case.file))
    server = next(iter(ways_out(case.settings)))
    return station.plain("pg_isready", "-h", server.host, "-p", str(server.port))


def file(case: Case) -> Iterator[Line]:
    """Look at the files of a SQLite database, at their folder and at the disk that they are on."""
    if case.file is None:
        return
    about, station, path = About("database", "files"), case.station, case.file
    if not os.path.lexists(path):
        return  # told by whether it can be reached
    lines: list[Line] = []
    for suffix in ("", "-wal", "-shm"):
        try:  # the last connection takes them away, and SQLite gives them the mode of the file
            part = path.with_name(path.name + suffix)
            lines = lines or list(wrong_access(about, station, part, OTHERS, stat.S_IRUSR | stat.S_IWUSR))
        except FileNotFoundError:
            continue
    folder = path.parent
    if stat.S_IMODE(folder.stat().st_mode) & OTHERS_WRITE:
        told = f"{folder} can be written by others, who could put another database in its place"
        lines.append(about.fix(told, closing(station, folder, OTHERS_WRITE)))
    yield from lines or [about.ok(f"{path} and what lies beside it are private ({say_owner(path)})")]
    yield from _disk(case, path)


def _disk(case: Case, path: Path) -> Iterator[Line]:
    about, mount = About("database", "disk"), mount_of(case.station, path)
    if mount is None:
        yield about.note("which file system it is on cannot be told")
    elif mount.kind in NETWORKED:
        told = f"{path} is on {mount.kind}: SQLite needs a local disk, or two hosts may damage it; move it"
        yield about.fix(told, case.station.machine("findmnt", "--target", str(path)))
    elif mount.kind in {"tmpfs", "ramfs"}:
        yield about.note(f"{path} is in memory ({mount.kind}, {mount.point}): it is gone when the machine restarts")
    else:
        yield about.ok(f"on a local file system ({mount.kind}, {mount.point})")


def inside(case: Case) -> Iterator[Line]:
    """Ask the database what it does with what is written and with what is deleted."""
    yield from _sqlite(case) if case.file is not None else _postgres(case)


def _sqlite(case: Case) -> Iterator[Line]:
    """Read back what makes deleted rows unreadable."""
    about = About("database", "secure_delete")
    with case.connected.read() as connection:
        found = file_condition(connection)
    where = f"SQLite {found.version}"
    if found.secure_delete == 1:
        yield about.ok(f"{where} overwrites what is deleted (read back)")
    else:  # pragma: no cover - no connection is opened to such a build
        yield about.fix(f"{where} leaves deleted rows readable", case.station.ours("check", "--deep"))
    if found.journal_mode != "wal":
        told = f"journal mode {found.journal_mode}: the file system has no shared memory for a write-ahead log"
        yield About("database", "journal").note(told)
    else:
        yield About("database", "journal").ok("write-ahead log, emptied after each run")


def _postgres(case: Case) -> Iterator[Line]:
    """Ask a PostgreSQL server what it is, how it is reached and what it does with what is written."""
    before = case.now.timestamp()
    with case.connected.read() as connection:
        found = server_condition(connection)
        alters = case.context is not None and can_alter_log(connection)
    about = About("database", "server")
    old = found.number < _OLDEST
    yield (
        about.fix(f"PostgreSQL {found.version} is older than 14; upgrade it", "pg_lsclusters")
        if old
        else about.ok(f"PostgreSQL {found.version}")
    )
    yield _transport(case, found)
    yield _role(case, found, alters=alters)
    yield _clock(case, found, before)
    yield from _limits(case, found)
    yield from _copies(found)


def _transport(case: Case, found: ServerCondition) -> Line:
    about = About("database", "transport")
    loopback = any(f"{sep}{host}" in case.settings.database.url for sep in "@=/" for host in _LOOPBACK)
    if found.local or loopback:
        return about.ok("the server is on this machine")
    if found.encrypted:
        return about.ok("TLS")
    told = "the server is elsewhere and the connection is not encrypted; add ?sslmode=verify-full to [database] url"
    return about.fix(told, case.station.ours("check", "--deep"))


_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def _role(case: Case, found: ServerCondition, *, alters: bool) -> Line:
    about = About("database", "role")
    if "superuser" in found.powers:
        told = f"{found.role} is a superuser of the server; work as a role that may do less, which this prints"
        return about.fix(told, case.station.ours("init", "--print-grants"))
    if found.powers:
        return about.note(f"{found.role} may do more than the register needs: {', '.join(found.powers)}")
    if alters:
        told = f"{found.role} can alter the audit log past its triggers; two roles prevent that, which this prints"
        return about.note(told, case.station.ours("init", "--print-grants"))
    return about.ok(f"{found.role} can add to the audit log and cannot alter it")


def _clock(case: Case, found: ServerCondition, before: float) -> Line:
    about = About("clock", "database server")
    apart = found.clock - before
    if case.context is not None and case.context.installation.drill:
        return about.note("a drill has a time of its own")
    if abs(apart) <= _CLOCKS_APART:
        return about.ok("the server's clock agrees with this machine's")
    side = "ahead of" if apart > 0 else "behind"
    told = f"the server's clock is {abs(apart):.0f} seconds {side} this machine's; leases go by it"
    return about.fix(told, "timedatectl timesync-status")


def _limits(case: Case, found: ServerCondition) -> Iterator[Line]:
    about, short = About("database", "limits"), False
    limits = (("transaction_timeout", found.transaction_timeout), ("statement_timeout", found.statement_timeout))
    for name, milliseconds in limits:
        if 0 < milliseconds < _SHORT_MS:
            short = True
            told = f"{name} is {milliseconds / 1000:.0f} seconds: a long verification or erasure would be cut off"
            yield about.fix(told, _setting(case, found, name, "0"))
    if not found.commits_wait:
        told = "synchronous_commit is off: a crash may lose what a run has told as done"
        yield about.fix(told, _setting(case, found, "synchronous_commit", "on"))
    if not found.fsync:
        yield about.fix("fsync is off: a crash may damage the register", _server_setting(case, found, "fsync", "on"))
    if found.recovering:
        yield about.fix(
            "this is a standby, which nothing can be written to; name the primary in [database] url",
            case.station.ours("check", "--deep"),
        )
    if not short and found.commits_wait and found.fsync and not found.recovering:
        yield about.ok("no short time-outs; a commit waits for the disk")


def _setting(case: Case, found: ServerCondition, name: str, value: str) -> str:
    return _psql(case, found, f'ALTER ROLE "{found.role}" IN DATABASE "{found.database}" SET {name} = {value}')


def _server_setting(case: Case, found: ServerCondition, name: str, value: str) -> str:
    return _psql(case, found, f"ALTER SYSTEM SET {name} = {value}", "SELECT pg_reload_conf()")


def _psql(case: Case, found: ServerCondition, *statements: str) -> str:
    server = next(iter(ways_out(case.settings)))
    words = ["psql", "-h", server.host, "-p", str(server.port), "-d", found.database]
    for statement in statements:
        words += ["-c", statement]
    if found.local:
        return case.station.as_user("postgres", *words)
    return case.station.plain(*words, "-U", "postgres")


def _copies(found: ServerCondition) -> Iterator[Line]:
    about = About("database", "copies")
    if found.archives:
        yield about.note("the server archives its write-ahead log: deleted rows are in it until it ages out")
    if found.standbys:
        yield about.note(f"{found.standbys} standbys or replication slots: copies that no run reaches")
    if not found.archives and not found.standbys:
        yield about.ok("no archive of the write-ahead log and no standby that this role can see")
