"""The units hold what they promise, for systemd itself where it is here, and read as text everywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from retention.cli.app import retention
from retention.cli.manual import pages
from retention.settings.serve import ServeSettings
from tests.acceptance.desk import ask

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "systemd"
WORKING = ["retention.service", "retention-run.service"]
UNITS = [*WORKING, "retention-run.timer", "retention-alarm@.service"]
ANALYZE = shutil.which("systemd-analyze")
needs_analyze = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this machine")
KNOWN = {
    "Unit": "After Description Documentation OnFailure StartLimitBurst StartLimitIntervalSec Wants",
    "Install": "WantedBy",
    "Timer": "AccuracySec FixedRandomDelay OnCalendar Persistent RandomizedDelaySec",
    "Service": (
        "AmbientCapabilities CapabilityBoundingSet DevicePolicy ExecReload ExecStart Group "
        "IPAddressAllow IPAddressDeny KeyringMode KillMode LimitCORE LockPersonality MemoryDenyWriteExecute "
        "NoNewPrivileges NotifyAccess PrivateDevices PrivateTmp PrivateUsers ProcSubset ProtectClock "
        "ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs ProtectKernelModules "
        "ProtectKernelTunables ProtectProc ProtectSystem ReadWritePaths RemoveIPC Restart "
        "RestartPreventExitStatus RestartSec RestrictAddressFamilies RestrictNamespaces RestrictRealtime "
        "RestrictSUIDSGID StateDirectory StateDirectoryMode SuccessExitStatus SystemCallArchitectures "
        "SystemCallErrorNumber SystemCallFilter TimeoutStartSec TimeoutStopSec Type UMask User "
        "WatchdogSec WorkingDirectory"
    ),
}


def read(name: str) -> list[tuple[str, str, str]]:
    """Give section, directive and value of every line that is neither empty nor a comment."""
    lines, section = [], ""
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, sign, value = line.partition("=")
            assert sign, line
            lines.append((section, key, value))
    return lines


def values(name: str, key: str) -> list[str]:
    return [value for _, found, value in read(name) if found == key]


def hardening(name: str) -> list[tuple[str, str, str]]:
    text = read(name)
    return text[text.index(("Service", "IPAddressDeny", "any")) :]


@pytest.mark.parametrize("name", UNITS)
def test_every_directive_is_a_known_one_of_its_section(name: str) -> None:
    assert [line for line in read(name) if line[1] not in KNOWN[line[0]].split()] == []


@pytest.mark.parametrize("name", WORKING)
def test_a_unit_that_works_runs_as_a_user_of_its_own_and_reaches_nothing_but_this_machine(name: str) -> None:
    assert values(name, "User") == values(name, "Group") == ["retention"]
    assert (values(name, "IPAddressDeny"), values(name, "IPAddressAllow")) == (["any"], ["localhost"])
    assert values(name, "StateDirectory") == ["retention"]
    assert values(name, "WorkingDirectory") == ["/var/lib/retention"]
    assert values(name, "OnFailure") == ["retention-alarm@%n.service"]
    assert values(name, "LimitCORE") == ["0"], "a core dump would hold keys"


def test_both_units_that_work_are_closed_alike() -> None:
    alike = [[line for line in hardening(name) if line[0] == "Service"] for name in WORKING]
    assert alike[0] == alike[1]


def test_the_service_tells_systemd_how_it_is() -> None:
    assert values("retention.service", "Type") == ["notify"]
    assert values("retention.service", "NotifyAccess") == ["main"]
    assert values("retention.service", "WatchdogSec") == ["180"]
    assert values("retention.service", "KillMode") == ["mixed"]
    assert values("retention.service", "ExecReload") == ["/bin/kill -HUP $MAINPID"]


def test_the_service_has_the_time_to_let_its_jobs_end() -> None:
    stop = int(values("retention.service", "TimeoutStopSec")[0])
    assert stop >= ServeSettings().stop_seconds + 30
    assert int(values("retention.service", "WatchdogSec")[0]) > stop - ServeSettings().stop_seconds


def test_the_guide_of_the_service_and_its_unit_say_the_same() -> None:
    guide = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
    for key in ("Type", "NotifyAccess", "WatchdogSec", "KillMode", "TimeoutStopSec"):
        assert f"`{key}={values('retention.service', key)[0]}`" in guide


def test_a_database_that_is_away_for_some_minutes_does_not_end_the_service() -> None:
    patience, burst = (values("retention.service", key)[0] for key in ("RestartSec", "StartLimitBurst"))
    waited = int(patience) * int(burst)
    assert 300 <= waited < int(values("retention.service", "StartLimitIntervalSec")[0]), "or it never gives up"


def test_the_service_does_the_jobs_unless_it_is_told_otherwise() -> None:
    assert "run" in ServeSettings().jobs.times, "the head of the unit says so"


def test_a_run_beside_another_is_no_failure_and_a_closed_belt_is_one() -> None:
    assert values("retention-run.service", "SuccessExitStatus") == ["3 11"]
    assert "12" in values("retention.service", "RestartPreventExitStatus")[0].split()


@pytest.mark.parametrize("name", WORKING)
def test_every_secret_that_the_program_reads_is_named_in_a_comment(name: str) -> None:
    told = set(re.findall(r"^#LoadCredential=(\S+?):", (FOLDER / name).read_text(encoding="utf-8"), re.MULTILINE))
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "retention").rglob("*.py"))
    fixed = set(re.findall(r'read_secret\("([a-z-]+)"\)', code))
    of_a_source = {f"NAME-{what}" for what in re.findall(r'f"\{[a-z_.]+\}-([a-z-]*secret)"', code)}
    of_a_server = {f"NAME-sftp-{what}" for what in ("password", "key", "passphrase")}
    assert fixed
    assert of_a_source
    assert told >= fixed | of_a_source | of_a_server


def test_every_page_that_a_unit_names_is_in_the_manual() -> None:
    there = {name.removesuffix(".1") for name, _ in pages(retention)}
    named = {
        page for unit in UNITS for line in values(unit, "Documentation") for page in re.findall(r"man:(\S+)\(1\)", line)
    }
    assert named <= there
    assert named & there


@needs_analyze
@pytest.mark.parametrize("name", WORKING)
def test_the_exposure_of_a_unit_that_works_is_small(name: str) -> None:
    done = _analyze("security", "--offline=true", "--threshold=15", str(FOLDER / name))
    assert done.returncode == 0, done.stdout[-200:]


@needs_analyze
def test_the_alarm_is_open_only_as_far_as_a_mail_program_needs() -> None:
    done = _analyze("security", "--offline=true", "--threshold=30", str(FOLDER / "retention-alarm@.service"))
    assert done.returncode == 0, done.stdout[-200:]


@needs_analyze
def test_systemd_has_nothing_to_say_about_the_installed_units(tmp_path: Path) -> None:
    assert ask("deploy", "install", "--systemd", "--prefix", str(tmp_path)).code == 0
    for name in UNITS:
        done = _analyze("verify", "--man=no", str(tmp_path / "etc/systemd/system" / name))
        assert (done.returncode, done.stderr) == (0, ""), name


@needs_analyze
def test_the_timer_fires_once_a_day() -> None:
    done = _analyze("calendar", "--iterations=2", values("retention-run.timer", "OnCalendar")[0])
    assert done.returncode == 0
    assert len(set(re.findall(r"\d{4}-\d\d-\d\d 04:00:00", done.stdout))) == 2


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, check=False)
