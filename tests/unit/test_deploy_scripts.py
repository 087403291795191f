"""What cron and systemd start in our place: when it speaks, to whom, and what it never says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.desk import ask

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SCRIPTS = sorted((DEPLOY / "libexec").iterdir())
CRONTAB = shutil.which("crontab")
SHELL = shutil.which("sh") or "/bin/sh"


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def run_by_cron(folder: Path, code: int) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run the script of cron with a program that says something on both streams and ends so."""
    program(folder / "retention", f'echo "report $*"; echo "a warning at $RETENTION_LOG_LEVEL" >&2; exit {code}')
    script = (DEPLOY / "libexec" / "cron-run").read_text(encoding="utf-8")
    program(folder / "cron-run", script.replace("/opt/retention/bin/retention", str(folder / "retention")))
    log = folder / "cron.log"
    done = subprocess.run(
        [folder / "cron-run", "--config", "x.toml"],
        env={"PATH": os.environ["PATH"], "RETENTION_CRON_LOG": str(log)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, log.read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [0, 11])
def test_cron_has_nothing_to_mail_when_all_is_well_or_another_run_is_at_work(tmp_path: Path, code: int) -> None:
    done, log = run_by_cron(tmp_path, code)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", code)
    assert log == "report run --config x.toml\na warning at warning\n"


@pytest.mark.parametrize("code", [1, 2, 3, 10, 12, 13])
def test_cron_mails_whatever_else_a_run_ends_with(tmp_path: Path, code: int) -> None:
    done, log = run_by_cron(tmp_path, code)
    assert done.stdout.startswith(f"retention run ended with exit code {code} on ")
    assert "a warning at warning" in done.stdout
    assert "report" not in done.stdout.partition("\n")[2].partition("Look at")[0]
    assert (done.returncode, log) == (code, "report run --config x.toml\n")


def test_the_alarm_writes_to_the_system_log_and_mails_where_there_is_a_mail_program(tmp_path: Path) -> None:
    program(tmp_path / "logger", f'echo "$*" >> {tmp_path}/log')
    alarm = DEPLOY / "libexec" / "alarm"
    unit = "retention-run.service"
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "RETENTION_MAILTO": "records@example.org"}
    program(tmp_path / "sendmail", f"cat > {tmp_path}/mail")
    assert subprocess.run([SHELL, alarm, unit], env=env, check=False).returncode == 0
    assert f"{unit} failed on " in (tmp_path / "log").read_text(encoding="utf-8")
    mail = (tmp_path / "mail").read_text(encoding="utf-8")
    assert re.match(rf"To: records@example\.org\nSubject: {unit} failed on \S+\n", mail)
    assert "\n\n" in mail
    program(tmp_path / "sendmail", "exit 75")
    assert subprocess.run([SHELL, alarm, unit], env=env, check=False).returncode == 0
    assert "could not be sent" in (tmp_path / "log").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_one_that_every_shell_can_read(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert subprocess.run([SHELL, "-n", script], check=False).returncode == 0


def cron_lines(prefix: Path) -> list[str]:
    assert ask("deploy", "install", "--cron", "--prefix", str(prefix)).code == 0
    text = (prefix / "etc/cron.d/retention").read_text(encoding="utf-8")
    assert text.endswith("\n"), "cron leaves out a last line without its end"
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_crontab_says_shell_path_and_whom_to_mail_and_names_one_daily_run(tmp_path: Path) -> None:
    *settings, line = cron_lines(tmp_path)
    assert {setting.partition("=")[0] for setting in settings} == {"SHELL", "PATH", "MAILTO"}
    fields = line.split()
    assert re.fullmatch(r"[0-5]?\d", fields[0])
    assert re.fullmatch(r"1?\d|2[0-3]", fields[1])
    assert fields[2:6] == ["*", "*", "*", "retention"]
    assert os.access(fields[6], os.X_OK)
    assert "%" not in line, "cron would take it for the end of the line"


@pytest.mark.skipif(CRONTAB is None, reason="crontab is not on this machine")
def test_cron_itself_takes_the_table(tmp_path: Path) -> None:
    assert CRONTAB is not None
    table = tmp_path / "table"
    text = "\n".join(line.replace(" retention /", " /", 1) for line in cron_lines(tmp_path / "x")) + "\n"
    table.write_text(text, encoding="utf-8")
    done = subprocess.run([CRONTAB, "-T", table], capture_output=True, text=True, check=False)
    if "invalid option" in done.stderr:  # Debian spells it -n, which elsewhere names a host
        done = subprocess.run([CRONTAB, "-n", table], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
