"""What the doctor says of the machine around an installation: units, cron, sandbox, what is let out."""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

from retention.resources import resource
from tests.integration.doctoring import ROOT, fixes, tidy, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit import Office


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
