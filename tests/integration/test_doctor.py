"""The doctor says of everything how it stands, gives the command where it is not in order, and changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from retention.cli.app import retention
from retention.doctor.case import opened_case
from retention.doctor.line import About
from retention.doctor.look import PROBES, Probe, examine, exit_of
from retention.doctor.station import Station
from retention.errors import DatabaseError, Exit
from retention.resources import resource
from retention.settings.load import load_partly
from tests.kit import NOW, Office, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retention.doctor.case import Case
    from retention.doctor.line import Line

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
    assert "ALTER ROLE" in str(found["database", "limits"][0].command)


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


def _open_landing(office: Office) -> None:
    office.landing.chmod(0o777)


def _open_configuration(office: Office) -> None:
    office.config.chmod(0o666)


def _open_anchor(office: Office) -> None:
    (office.folder / "anchor").chmod(0o777)


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
    ],
)
def test_the_command_of_a_fix_mends_it(
    sqlite_office: Office, spoil: Callable[[Office], None], key: tuple[str, str]
) -> None:
    office = tidy(sqlite_office)
    spoil(office)
    found = told(office)
    assert key in fixes(found)
    for line in [line for line in found[key] if line.state == "fix"]:
        words = shlex.split(line.command or "")
        assert words[0] == "chmod", "its owner may do that without sudo"
        os.chmod(words[2], int(words[1], 8))  # noqa: PTH101  # as the command has it
    assert fixes(told(office)) == {}


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


def test_two_that_do_the_same_work_are_told(sqlite_office: Office, tmp_path: Path) -> None:
    machine = tmp_path / "m"
    wants = machine / "etc/systemd/system/timers.target.wants"
    wants.mkdir(parents=True)
    (wants / "retention-run.timer").touch()
    (machine / "etc/cron.d").mkdir()
    (machine / "etc/cron.d/retention").touch()
    line = told(tidy(sqlite_office), machine)["service", "started by"][0]
    assert (line.state, line.command) == (
        "fix",
        shlex.join([*([] if ROOT else ["sudo"]), "rm", "/etc/cron.d/retention"]),
    )


def test_a_host_that_the_unit_keeps_in_is_told_by_name(sqlite_office: Office, tmp_path: Path) -> None:
    office, machine = tidy(sqlite_office), tmp_path / "m"
    units = machine / "etc/systemd/system"
    units.mkdir(parents=True)
    unit = units / "retention.service"
    unit.write_text("[Service]\nIPAddressDeny=any\nIPAddressAllow=localhost\nRestrictAddressFamilies=AF_UNIX\n")
    anchor = '[[anchor]]\nname = "far"\nkind = "syslog"\naddress = "udp://192.0.2.9:514"\n'
    office.configure(("[purge]", f"{anchor}[purge]"))
    details = fixes(told(office, machine))["egress", "retention.service"]
    assert "RestrictAddressFamilies= keeps anchor far (192.0.2.9)" in details
    assert "IPAddressAllow= keeps anchor far (192.0.2.9)" in details
    unit.write_text("[Service]\nIPAddressDeny=any\nIPAddressAllow=localhost 192.0.2.9\n")
    found = told(office, machine)
    assert found["egress", "retention.service"][0].state == "ok"
    assert "ProtectSystem=strict" in fixes(found)["service", "retention.service"], "the rest of the sandbox is gone"


def test_a_clock_that_went_back_shows_by_the_newest_entry(office: Office) -> None:
    early = office.cli("check", "--deep", "--format", "json", now=NOW.replace(year=2025))
    (line,) = [one for one in json.loads(early.stdout)["lines"] if one["subject"] == "newest entry"]
    assert (line["state"], "the clock went back" in line["detail"]) == ("fix", True)


def test_json_without_deep_is_refused(sqlite_office: Office) -> None:
    done = sqlite_office.cli("check", "--format", "json")
    assert (done.returncode, "--deep" in done.stderr) == (2, True)


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


def with_shipped_unit(machine: Path, drop_in: str) -> None:
    units = machine / "etc/systemd/system"
    (units / "retention.service.d").mkdir(parents=True)
    shutil.copy(resource("deploy") / "systemd/retention.service", units)
    (units / "retention.service.d/local.conf").write_text(f"[Service]\n{drop_in}\n")
    (units / "multi-user.target.wants").mkdir()
    (units / "multi-user.target.wants/retention.service").touch()


def test_the_shipped_unit_is_in_order_where_it_may_write_what_a_run_writes(
    sqlite_office: Office, tmp_path: Path
) -> None:
    office = tidy(sqlite_office)
    with_shipped_unit(tmp_path / "a", f"ReadWritePaths={office.folder}")
    found = told(office, tmp_path / "a")
    assert fixes(found) == {}
    assert found["service", "started by"][0].detail == "retention.service"
    assert "systemd-run" in str(found["service", "sandbox"][0].command)
    with_shipped_unit(tmp_path / "b", "ReadWritePaths=/srv/elsewhere")
    line = next(one for one in told(office, tmp_path / "b")["service", "retention.service"] if one.state == "fix")
    assert f"ReadWritePaths={office.folder}" in line.detail


@pytest.mark.parametrize(("status", "state"), [("NoNewPrivs:\t1\nSeccomp:\t2\n", "ok"), ("NoNewPrivs:\t0\n", "fix")])
def test_inside_the_unit_the_process_itself_is_looked_at(
    sqlite_office: Office, tmp_path: Path, status: str, state: str
) -> None:
    here = tmp_path / "m/proc/self"
    here.mkdir(parents=True)
    (here / "cgroup").write_text("0::/system.slice/retention-run.service\n")
    (here / "status").write_text(f"{status}Umask:\t0077\n")
    (tmp_path / "m/proc/swaps").write_text("Filename\tType\n/dev/sda2\tpartition\n")
    found = told(tidy(sqlite_office), tmp_path / "m")
    assert found["service", "sandbox"][0].state == state
    assert found["process", "umask"][0].state == "ok"
    assert found["process", "swap"][0].state == "note"


def test_timer_and_service_that_both_work_are_a_note(sqlite_office: Office, tmp_path: Path) -> None:
    office, machine = tidy(sqlite_office), tmp_path / "m"
    with_shipped_unit(machine, f"ReadWritePaths={office.folder}")
    (machine / "etc/systemd/system/timers.target.wants").mkdir()
    (machine / "etc/systemd/system/timers.target.wants/retention-run.timer").touch()
    assert told(office, machine)["service", "started by"][0].state == "note"
    office.configure(("[purge]", "[serve]\njobs = false\n[purge]"))
    assert told(office, machine)["service", "started by"][0].state == "ok"


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
