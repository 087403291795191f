"""The doctor says of everything how it stands, gives the command where it is not in order, and changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from retention.cli.app import retention
from retention.doctor.case import opened_case
from retention.doctor.files import letting_read
from retention.doctor.line import About
from retention.doctor.look import PROBES, Probe, examine, exit_of
from retention.doctor.modes import opening
from retention.doctor.station import Station
from retention.errors import DatabaseError, Exit
from retention.settings.load import load_partly
from tests.integration.doctoring import ROOT, fixes, tidy, told
from tests.kit import NOW, Office, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retention.doctor.case import Case
    from retention.doctor.line import Line


def test_an_installation_in_order_has_nothing_to_fix(office: Office) -> None:
    found = told(tidy(office))
    assert fixes(found) == {}
    assert {group for group, _ in found} >= {probe.group for probe in PROBES}
    assert not [key for key, lines in found.items() for line in lines if "cannot be looked at" in line.detail]


def _bytes_and_times(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_doctor_changes_no_byte_and_no_time_of_a_file(sqlite_office: Office) -> None:
    office = tidy(sqlite_office)
    office.drop("waits.csv", [row("m-1")])
    before = _bytes_and_times(office.folder)
    done = office.cli("check", "--deep")
    assert done.returncode in {0, 3}, done.stderr
    assert _bytes_and_times(office.folder) == before


def test_the_doctor_adds_no_entry(office: Office) -> None:
    size = told(office)["audit log", "ends"][0].detail
    assert told(office)["audit log", "ends"][0].detail == size


def test_before_init_there_are_lines_and_no_error(tmp_path: Path) -> None:
    office = Office(tmp_path, f"sqlite:///{tmp_path / 'register.db'}")
    found = told(office)
    assert "no database" in fixes(found)["database", "reachable"]
    assert found["database", "reachable"][0].command == f"retention init --config {office.config}"
    assert fixes(found)["keys", "files"]
    assert found["audit log", "ends"][0].detail == "not looked at: the register cannot be opened"
    assert found["time zone", "Europe/London"][0].state == "ok"


def test_a_server_that_is_down_is_a_line(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    office = Office(tmp_path, f"postgresql://me@/r?host={tmp_path}")
    found = told(office)
    assert found["database", "reachable"][0].state == "fix"
    assert found["disk", "database server"][0].state == "note"


def test_a_server_says_what_it_does_with_what_is_written(office: Office) -> None:
    found = told(tidy(office))
    if office.url.startswith("sqlite"):
        assert "overwrites what is deleted (read back)" in found["database", "secure_delete"][0].detail
        return
    assert "is a superuser" in found["database", "role"][0].detail
    assert found["database", "transport"][0].detail == "the server is on this machine"
    assert [line.detail.split(" is off")[0] for line in found["database", "limits"]] == ["synchronous_commit", "fsync"]
    role, server = (shlex.split(line.command or "") for line in found["database", "limits"])
    folder = office.url.partition("?host=")[2]
    assert role[role.index("psql") :][:5] == ["psql", "-h", folder, "-p", "5432"], "there may be several servers"
    assert role[-1].startswith("ALTER ROLE")
    assert server[-3:] == ["ALTER SYSTEM SET fsync = on", "-c", "SELECT pg_reload_conf()"]


def test_a_server_that_would_cut_long_work_off_is_told(postgres_database: str, tmp_path: Path) -> None:
    office = tidy(Office(tmp_path, postgres_database).found())
    name = urlsplit(postgres_database).path[1:]
    context = office.open()
    with context.database.write() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET statement_timeout = 5000')
    context.database.close()
    lines = told(office)["database", "limits"]
    assert lines[0].detail.startswith("statement_timeout is 5 seconds")
    assert "SET statement_timeout = 0" in str(lines[0].command)


def test_what_is_right_of_a_configuration_is_looked_at(sqlite_office: Office) -> None:
    office = tidy(sqlite_office)
    office.configure(('keep = "P3M"', 'keep = "three months"'), ("max_share = 1.0", "max_share = 7"))
    found = told(office)
    assert [line.detail.split(":")[2].strip() for line in found["configuration", "file"]] == [
        "schedule.rule.1.keep",
        "purge.max_share",
    ]
    assert found["time zone", "data"][0].detail == "not looked at: [schedule] of the configuration is not right"
    assert found["folders", "state"][0].state == "ok"


def test_no_configuration_at_all_gives_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RETENTION_CONFIG", raising=False)
    done = CliRunner().invoke(retention, ["check", "--deep", "--format", "json", "--config", "nowhere.toml"])
    answer = json.loads(done.stdout)
    assert done.exit_code == 3
    assert not answer["in_order"]
    assert {line["group"] for line in answer["lines"]} >= {"configuration", "clock", "process", "service"}


def _open_keys(office: Office) -> None:
    next(
        path for path in (office.folder / "var/keys").rglob("*") if path.is_file() and ".pub" not in path.suffixes
    ).chmod(0o644)


def _open_state(office: Office) -> None:
    (office.folder / "var").chmod(0o755)


def _open_database(office: Office) -> None:
    (office.folder / "register.db").chmod(0o664)


def _closed_database(office: Office) -> None:
    (office.folder / "register.db").chmod(0o400)


def _open_landing(office: Office) -> None:
    office.landing.chmod(0o777)


def _open_configuration(office: Office) -> None:
    office.config.chmod(0o666)


def _open_anchor(office: Office) -> None:
    (office.folder / "anchor").chmod(0o777)


def _closed_keys(office: Office) -> None:
    for folder in ("var/keys/month", "var/keys"):
        (office.folder / folder).mkdir(exist_ok=True)
        (office.folder / folder).chmod(0o600)


def _closed_key(office: Office) -> None:
    (office.folder / "var/keys/signing.pem").chmod(0o000)


def _closed_state(office: Office) -> None:
    (office.folder / "var").chmod(0o500)


def _no_landing(office: Office) -> None:
    office.landing.rmdir()


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (_open_keys, ("keys", "files")),
        (_open_state, ("folders", "state")),
        (_open_database, ("database", "files")),
        (_open_landing, ("landing", "hootsuite-inbox")),
        (_open_configuration, ("configuration", "file")),
        (_open_anchor, ("anchors", "file")),
        (_closed_database, ("database", "files")),
        (_closed_keys, ("keys", "files")),
        (_closed_key, ("keys", "files")),
        (_closed_state, ("folders", "state")),
    ],
)
def test_the_command_of_a_fix_mends_it(
    sqlite_office: Office, spoil: Callable[[Office], None], key: tuple[str, str]
) -> None:
    office = tidy(sqlite_office)
    spoil(office)
    assert key in fixes(told(office))
    for _ in range(2):  # what is in a folder, or lies beside a database, shows once that is in order
        for line in [line for line in told(office).get(key, []) if line.state == "fix"]:
            words = shlex.split(line.command or "")
            assert words[0] == "chmod", "its owner may do that without sudo"
            os.chmod(words[2], int(words[1], 8))  # noqa: PTH101  # as the command has it
    assert fixes(told(office)) == {}


def test_what_is_wrong_with_a_database_file_is_told_once(sqlite_office: Office) -> None:
    _open_database(tidy(sqlite_office))
    context = sqlite_office.open()
    context.database.close()
    assert [line.state for line in told(sqlite_office)["database", "files"]] == ["fix"]


def test_a_database_that_is_lost_is_not_made_anew_beside_its_keys(sqlite_office: Office) -> None:
    (tidy(sqlite_office).folder / "register.db").unlink()
    line = told(sqlite_office)["database", "reachable"][0]
    assert "put that back from its backup" in line.detail
    assert " init " not in str(line.command)


@pytest.mark.parametrize(("mode", "command"), [(0o500, "chmod u+rwX"), (0o700, "findmnt --target")])
def test_who_owns_a_place_is_not_told_to_own_it(tmp_path: Path, mode: int, command: str) -> None:
    tmp_path.chmod(mode)
    mine = Station(None, os.geteuid(), os.geteuid(), tmp_path, {}, lambda _: None, "retention")
    assert opening(mine, tmp_path) == f"{command} {tmp_path}"
    tmp_path.chmod(0o700)
    service = Station(None, 0, 4_000_000, tmp_path, {}, lambda _: None, "retention")
    assert opening(service, tmp_path, whole=True) == f"chown -R 4000000 {tmp_path}"


@pytest.mark.parametrize(("mode", "rest"), [(0o600, " && chmod g+r {}"), (0o640, "")])
def test_a_configuration_of_root_is_made_readable_to_the_group(tmp_path: Path, mode: int, rest: str) -> None:
    path = tmp_path / "retention.toml"
    path.touch()
    path.chmod(mode)
    service = Station(path, 0, 4_000_000, tmp_path, {}, lambda _: None, "retention")
    assert letting_read(service, path) == f"chgrp {os.getegid()} {path}" + rest.format(path)
    mine = Station(path, os.geteuid(), os.geteuid(), tmp_path, {}, lambda _: None, "retention")
    path.chmod(0)
    assert letting_read(mine, path) == f"chmod u+rwX {path}"


def test_a_landing_folder_that_is_not_there_is_made_by_init(sqlite_office: Office) -> None:
    _no_landing(tidy(sqlite_office))
    line = told(sqlite_office)["landing", "hootsuite-inbox"][0]
    assert (line.state, line.command) == ("fix", f"retention init --config {sqlite_office.config}")


def test_secrets_that_every_user_can_read_are_told_and_not_shown(sqlite_office: Office, tmp_path: Path) -> None:
    secret = tmp_path / "of-the-database"
    secret.write_text("hunter2")
    secret.chmod(0o644)
    found = told(tidy(sqlite_office), RETENTION_DATABASE_PASSWORD_FILE=str(secret))
    assert "open to every user" in fixes(found)["configuration", "secrets"]
    assert found["configuration", "secrets"][0].command == f"chmod 0640 {secret}"
    assert "hunter2" not in str(found)


def test_a_probe_that_fails_is_one_line_and_the_others_go_on(sqlite_office: Office) -> None:
    def fails(_: Case) -> Iterator[Line]:
        msg = "a value that may be personal"
        raise ZeroDivisionError(msg)

    def refuses(_: Case) -> Iterator[Line]:
        msg = "the database says: no"
        raise DatabaseError(msg)

    def works(_: Case) -> Iterator[Line]:
        yield About("c", "works").ok("yes")

    part, _ = load_partly(sqlite_office.config)
    here = Station(sqlite_office.config, 0, 0, sqlite_office.folder, {}, lambda _: None, "retention")
    with opened_case(here, NOW, part.settings, part.wrong, ()) as case:
        lines = examine(case, [Probe("a", "fails", fails), Probe("b", "refuses", refuses), Probe("c", "works", works)])
    assert [(line.state, line.detail) for line in lines] == [
        ("note", "cannot be looked at: ZeroDivisionError"),
        ("fix", "the database says: no"),
        ("ok", "yes"),
    ]
    assert exit_of(lines) == Exit.PARTLY_DONE


def test_a_restored_database_and_a_bad_log_have_the_exits_of_check(sqlite_office: Office) -> None:
    about = About("a", "b")
    restored, bad = about.fix("x", "y", Exit.BELT_CLOSED), about.fix("x", "y", Exit.LOG_NOT_VERIFIED)
    assert exit_of([about.ok("x"), restored]) == Exit.BELT_CLOSED
    assert exit_of([restored, bad]) == Exit.LOG_NOT_VERIFIED
    assert exit_of([about.ok("x"), about.note("x")]) == Exit.DONE
    (sqlite_office.folder / "var/keys/signing.pub").unlink()
    assert "signing.pub" in "".join(fixes(told(sqlite_office)).values())


def test_what_waits_for_long_is_noted_without_its_name(sqlite_office: Office) -> None:
    office = tidy(sqlite_office)
    path = office.drop("Jane-Doe.csv", [row("m-1")])
    os.utime(path, (NOW.timestamp() - 5 * 86400,) * 2)
    line = told(office)["landing", "hootsuite-inbox"][-1]
    assert (line.state, line.detail) == ("note", "1 file, the oldest for 5 days; take them in")
    assert "Jane" not in str(told(office))


def test_a_file_of_a_time_that_no_calendar_has_is_waited_for_no_less(sqlite_office: Office) -> None:
    office = tidy(sqlite_office)
    office.landing.rmdir()
    memory = Path("/dev") / "shm"
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        office.landing.symlink_to(folder)
        office.drop("a.csv", [row("m-1")])
        os.utime(office.landing / "a.csv", (10**14, 10**14))  # memory keeps it as it is
        line = told(office)["landing", "hootsuite-inbox"][-1]
        assert "1 file, the oldest for 0 days" in line.detail


def test_a_file_that_is_taken_while_the_doctor_looks_hides_nothing(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = tidy(sqlite_office)
    office.drop("a.csv", [row("m-1")])
    scan = os.scandir

    @contextmanager
    def taken(folder: str | Path = ".") -> Iterator[list[os.DirEntry[str]]]:
        with scan(str(folder)) as entries:
            found = list(entries)
        for one in found:
            if folder == office.landing:
                Path(one.path).unlink()
        yield found

    monkeypatch.setattr("retention.doctor.files.os.scandir", taken)
    found = {line.subject: line for line in examine_landing(office)}
    assert found["hootsuite-inbox"].detail.endswith("nothing waits")


def examine_landing(office: Office) -> list[Line]:
    part, problems = load_partly(office.config)
    station = Station(office.config, os.geteuid(), os.geteuid(), office.folder / "machine")
    with opened_case(station, NOW, part.settings, part.wrong, tuple(problems)) as case:
        return examine(case, [probe for probe in PROBES if probe.group == "landing"])


def test_a_link_to_nowhere_among_the_keys_hides_no_open_key(sqlite_office: Office) -> None:
    office = tidy(sqlite_office)
    _open_keys(office)
    (office.folder / "var/keys/zz").symlink_to("nowhere")
    assert "can be read by any user" in fixes(told(office))["keys", "files"]


def test_a_name_of_a_file_is_shown_as_far_as_it_can_be(sqlite_office: Office) -> None:
    office = tidy(sqlite_office)
    place = os.fsencode(office.folder / "var/keys") + b"/\xff\x1b[2J\nok"
    Path(os.fsdecode(place)).touch(0o666)
    Path(os.fsdecode(place)).chmod(0o666)
    done = office.cli("check", "--deep")
    assert done.returncode == 3
    assert "\x1b" not in done.stdout
    assert "/\ufffd\ufffd[2J; ok can be read and written by any user" in done.stdout


def test_a_command_for_a_secret_that_is_not_there_is_one_command(sqlite_office: Office) -> None:
    place = "/nowhere/x; touch y/z"
    found = told(tidy(sqlite_office), RETENTION_DATABASE_PASSWORD_FILE=place)
    (line,) = found["configuration", "secrets"]
    assert shlex.split(line.command or "") == ["ls", "-l", "/nowhere/x; touch y"]


def test_a_clock_that_went_back_shows_by_the_newest_entry(office: Office) -> None:
    early = office.cli("check", "--deep", "--format", "json", now=NOW.replace(year=2025))
    (line,) = [one for one in json.loads(early.stdout)["lines"] if one["subject"] == "newest entry"]
    assert (line["state"], "the clock went back" in line["detail"]) == ("fix", True)


def test_json_without_deep_is_refused(sqlite_office: Office) -> None:
    done = sqlite_office.cli("check", "--format", "json")
    assert (done.returncode, "--deep" in done.stderr) == (2, True)


def test_a_backup_that_was_put_back_and_a_log_that_was_cut_end_as_check_does(sqlite_office: Office) -> None:
    office, file = tidy(sqlite_office), sqlite_office.folder / "register.db"
    office.drop("a.csv", [row("m-1")])
    assert office.cli("run").returncode == 0
    before = file.read_bytes()
    assert office.cli("run").returncode == 0
    after = file.read_bytes()
    file.write_bytes(before)
    restored = office.cli("check", "--deep")
    assert (restored.returncode, "FIX   audit log" in restored.stdout) == (12, True)
    assert "audit new-epoch --help" in restored.stdout
    assert "audit verify --deep" not in restored.stdout, "that would write down a log that does not verify"
    assert "as the head and anchors say" not in restored.stdout
    file.write_bytes(after)
    with closing(sqlite3.connect(file)) as connection, connection:
        (name,) = connection.execute("SELECT name FROM sqlite_master WHERE name = 'audit_entry_no_delete'").fetchone()
        connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM audit_entry WHERE seq = (SELECT max(seq) FROM audit_entry)")
    cut = office.cli("check", "--deep")
    assert cut.returncode == 13
    assert "BROKEN" in cut.stdout
    assert "1 of the triggers" in cut.stdout, "one thing that is wrong hides no other"


@pytest.mark.skipif(not ROOT, reason="only root can give files to another user")
def test_root_sees_what_the_user_of_the_register_sees(sqlite_office: Office) -> None:
    folder = Path(tempfile.mkdtemp())  # that of the tests is root's alone
    shutil.copytree(tidy(sqlite_office).folder, folder, dirs_exist_ok=True)
    office = Office(folder, f"sqlite:///{folder / 'register.db'}")
    for path in [office.folder, *office.folder.rglob("*")]:
        os.chown(path, 65534, 65534)
    office.folder.chmod(0o755)
    done = office.cli("check", "--deep", "--format", "json")
    shutil.rmtree(folder)
    answer = json.loads(done.stdout)
    lines = {(line["group"], line["subject"]): line for line in answer["lines"]}
    assert lines["process", "user"]["state"] == "note"
    assert lines["keys", "every key"]["state"] == "ok", "root alone would be told to take the keys over"
    assert {key for key, line in lines.items() if line["state"] == "fix"} <= {
        ("program", "place"),
        ("program", "extras"),
    }


def test_an_anchor_that_somebody_emptied_is_told(sqlite_office: Office) -> None:
    office = tidy(sqlite_office)
    office.cli("run")
    assert ("audit log", "ends") not in fixes(told(office))
    [anchor] = (path for path in (office.folder / "anchor").iterdir() if path.is_file())
    anchor.write_bytes(b"")
    assert "whoever emptied it" in fixes(told(office))["audit log", "ends"]
    assert [line.state for line in told(office)["audit log", "ends"]] == ["fix"]


def test_a_key_that_is_lost_is_told(sqlite_office: Office) -> None:
    office = tidy(sqlite_office)
    office.drop("a.csv", [row("m-1")])
    office.cli("ingest")
    next((office.folder / "var/keys/month").glob("*.key")).unlink()
    assert ("keys", "every key") in fixes(told(office))


def test_a_job_that_cron_could_not_spell_is_told(sqlite_office: Office) -> None:
    sqlite_office.configure(("[purge]", '[serve.jobs]\nrun = "61 * * * *"\n[purge]'))
    assert "serve.jobs.run" in fixes(told(tidy(sqlite_office)))["configuration", "file"]


def test_somebody_else_is_told_whom_to_ask_as(sqlite_office: Office) -> None:
    part, _ = load_partly(sqlite_office.config)
    other = Station(sqlite_office.config, 4_000_001, 4_000_000, sqlite_office.folder, {}, lambda _: None, "retention")
    with opened_case(other, NOW, part.settings, part.wrong, ()) as case:
        found = {(line.group, line.subject): line for line in examine(case)}
    assert found["folders", "state"].detail == "not looked at: only #4000000 and root can see it"
    asked = found["process", "user"]
    assert (asked.state, str(asked.command)[:27]) == ("fix", "sudo -u '#4000000' retentio")
