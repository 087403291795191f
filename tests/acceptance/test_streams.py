"""What goes where: results on stdout, logs on stderr, colours and progress bars on terminals only."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.desk import ask_office
from tests.kit import row

if TYPE_CHECKING:
    from tests.kit import Office

FULL = Path("/dev/full")
ESCAPE = "\x1b"
CURSOR_BACK = ESCAPE + "[?25h"
# A log line says these whatever it is about.
LOG_KEYS = {"event", "level", "logger", "timestamp"}


def _command(office: Office, *arguments: str) -> list[str]:
    where = ["--config", str(office.config), "--now", office.now.isoformat()]
    return [sys.executable, "-m", "retention", *arguments, *where]


def test_in_a_pipe_stdout_is_one_object_and_stderr_json_lines_without_colour(sqlite_office: Office) -> None:
    sqlite_office.drop("a.csv", [row("one-message"), row("other-message", private=False)])
    done = sqlite_office.cli("ingest", "--format", "json", "--verbose")
    assert done.returncode == 0
    answer, end = json.JSONDecoder().raw_decode(done.stdout)
    assert done.stdout[end:] == "\n"
    assert answer.keys() >= {"imports", "drill"}
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines
    assert all(line.keys() >= LOG_KEYS for line in lines)
    assert [line["file"] for line in lines if line["event"] == "import"] == ["a.csv"]
    assert ESCAPE not in done.stdout + done.stderr


def test_text_in_a_pipe_has_neither_colour_nor_progress_bar(sqlite_office: Office) -> None:
    sqlite_office.drop("a.csv", [row("one-message")])
    sqlite_office.environment["TERM"] = "xterm-256color"
    done = sqlite_office.cli("ingest")
    assert "a.csv: 1 row: 1 registered" in done.stdout
    assert ESCAPE not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    assert "reading" not in done.stderr


def _on_a_terminal(office: Office, *arguments: str) -> str:
    """Run a command with all three streams on a terminal of its own and give what the terminal shows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    for name in ("NO_COLOR", "FORCE_COLOR", "CI", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        environment.pop(name, None)
    command = _command(office, *arguments)
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while portion := os.read(ours, 65536):
                shown += portion
        except OSError:  # Linux says EIO where the last one has closed a terminal
            pass
        assert process.wait(timeout=60) == 0
    os.close(ours)
    return shown.decode()


def test_on_a_terminal_long_work_shows_a_progress_bar_that_goes_away(sqlite_office: Office) -> None:
    sqlite_office.drop("a.csv", [row(f"message-{number}") for number in range(300)])
    shown = _on_a_terminal(sqlite_office, "ingest")
    bar, _, rest = shown.partition(CURSOR_BACK)
    assert ESCAPE in bar
    assert "reading" in bar
    result = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", rest).split()
    assert " ".join(result).startswith("DRILL: what follows is an exercise")
    assert "a.csv: 300 rows: 300 registered" in " ".join(result)
    assert '"event"' not in shown, "people read results on a terminal, not JSON logs"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ingest",), "Nothing was ingested."),
        (("purge", "--dry-run"), "Nothing is due. Nothing was changed."),
        (("purge",), "Run 1: 0 messages disposed of in 0 batches."),
        (("run",), "The audit log verifies: "),
        (("status",), "The promise is kept."),
        (("explain", "never-seen"), "no registered message has this identifier"),
        (("hold", "list"), "No holds."),
        (("findings", "list"), "No findings."),
        (("audit", "verify"), "The audit log verifies: 1 entry, root "),
        (("audit", "checkpoint"), "retention/DRILL-"),
        (("scan-residue", "never-seen"), "0 "),
        (("check",), "The schedule, counted in Europe/London:"),
    ],
)
def test_text_for_people_is_short_and_says_what_happened(
    sqlite_office: Office, arguments: tuple[str, ...], words: str
) -> None:
    answer = ask_office(sqlite_office, *arguments)
    assert answer.code == 0
    assert words in answer.out
    assert len(answer.out.splitlines()) <= 14
    assert "None" not in answer.out
    assert not re.search(r"\b(certified|tamper-?proof)\b", answer.out, re.IGNORECASE)


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", [["status"], ["audit", "export"]])
def test_output_that_cannot_be_written_is_a_failure_and_says_so(sqlite_office: Office, arguments: list[str]) -> None:
    with FULL.open("wb") as full:
        done = subprocess.run(
            _command(sqlite_office, *arguments), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_an_old_locale_cannot_spell_is_escaped(sqlite_office: Office, form: str) -> None:
    words = (
        "--kind",
        "foi",
        "--reason",
        "Anfrage \u20ac \U0001f600",
        "--owner",
        "B\xfcro",
        "--review-on",
        "2099-01-01",
    )
    assert ask_office(sqlite_office, "hold", "place", *words, "--everything").code == 0
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = _command(sqlite_office, "hold", "list", "--format", form)
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    if form == "json":
        assert json.loads(done.stdout)["holds"][0]["reason"] == "Anfrage \u20ac \U0001f600"
    else:
        assert "owner B\xfcro" in done.stdout.decode("latin-1")
        assert r"Anfrage \u20ac \U0001f600" in done.stdout.decode("latin-1")


def test_a_reader_that_goes_away_ends_the_command_quietly(sqlite_office: Office) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        _command(sqlite_office, "audit", "export"), stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == ""


def test_a_command_works_where_the_service_manager_gives_it_no_stderr(sqlite_office: Office) -> None:
    command = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *_command(sqlite_office, "status", "--format", "json")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["promise"] == "kept"
