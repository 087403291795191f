"""Whoever follows deploy/README.md gets there: its commands are run, as an ordinary user below a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

GUIDE = (Path(__file__).resolve().parents[2] / "deploy" / "README.md").read_text(encoding="utf-8")
# What needs root, a package index or a running systemd; everything else is run.
NOT_HERE = ("python3 -m venv", "/opt/retention/bin/pip", "groupadd", "useradd", "systemctl", "R() {")
BASH = shutil.which("bash")


def commands() -> list[str]:
    return [
        line
        for block in re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]


def below(line: str, place: Path) -> str:
    """Move a command of the guide below a folder, where nobody but its owner is known."""
    line = re.sub(r"-o \S+ -g \S+ ", "", line)
    if line == "R check --deep":  # here nobody's user owns anything, and landing folders are open to a group
        line += " || test $? -eq 3"
    line = re.sub(r"(?<= )/(srv|var|etc)/", rf"{place}/\1/", line)
    line = line.replace("/opt/retention/bin/retention deploy", "R deploy")
    return re.sub(r"^R deploy (\w+)", rf"R deploy \1 --prefix {place}", line)


def test_the_steps_are_ten() -> None:
    assert re.findall(r"^\*\*(\d+)\. ", GUIDE, re.MULTILINE) == [str(number) for number in range(1, 11)]


@pytest.mark.timeout(600)  # a dozen processes one after the other
def test_every_command_that_needs_no_root_is_run_and_works(tmp_path: Path) -> None:
    if BASH is None:
        pytest.skip("bash is not on this machine")
    ran = [below(line, tmp_path) for line in commands() if not line.startswith(NOT_HERE)]
    assert sum(line.startswith("R ") for line in ran) >= 12
    script = f'set -euo pipefail\nR() {{ "{sys.executable}" -m retention "$@"; }}\nset -x\n' + "\n".join(ran)
    env = {**os.environ, "RETENTION_CONFIG": str(tmp_path / "etc/retention/retention.toml")}
    env.pop("CREDENTIALS_DIRECTORY", None)
    done = subprocess.run([BASH, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "The register is ready." in done.stdout
    assert (tmp_path / "var/lib/retention").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "var/lib/retention/register.db").is_file()
    assert not (tmp_path / "usr/local").exists(), "it was uninstalled in the end"


def test_everything_that_the_guide_starts_is_known() -> None:
    first = {line.split()[0].removeprefix("/opt/retention/bin/") for line in commands() if line}
    assert first <= {"python3", "pip", "groupadd", "useradd", "install", "retention", "systemctl", "R", "R()"}
    units = {word for line in commands() for word in line.split() if word.startswith("retention") and "." in word}
    assert units == {"retention-run.timer", "retention.service"}


def _wheel(folder: Path, said: str) -> None:
    """Write a wheel of the program's name that holds one word."""
    info = "retention_enforcer-0.1.0.dist-info"
    with zipfile.ZipFile(folder / "dist/retention_enforcer-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("word_of_the_wheel.py", f"print({said!r})\n")
        about = "Metadata-Version: 2.1\nName: retention-enforcer\nVersion: 0.1.0\n"
        wheel.writestr(f"{info}/METADATA", f"{about}Provides-Extra: pdf\nProvides-Extra: postgres\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.timeout(600)  # an environment of its own, and pip in it
def test_an_upgrade_takes_the_new_program_where_its_number_is_the_same(tmp_path: Path) -> None:
    if BASH is None:
        pytest.skip("bash is not on this machine")
    (tmp_path / "dist").mkdir()
    place = tmp_path / "opt"
    subprocess.run([sys.executable, "-m", "venv", place], check=True, capture_output=True)
    upgrade = GUIDE.partition("## Upgrade")[2].partition("```sh\n")[2].partition("```")[0].splitlines()
    lines = [line.replace("/opt/retention", str(place)) for line in upgrade if "/bin/pip install" in line]
    env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for said in ("old", "new"):
        _wheel(tmp_path, said)
        script = "set -euo pipefail\n" + "\n".join(lines)
        done = subprocess.run([BASH, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        asked = subprocess.run(
            [place / "bin/python", "-m", "word_of_the_wheel"], capture_output=True, text=True, check=True
        )
        assert asked.stdout.strip() == said


def test_every_path_that_the_guide_names_in_the_checkout_is_there() -> None:
    folder = Path(__file__).resolve().parents[2] / "deploy"
    links = re.findall(r"\]\(([^)#:]+)\)", GUIDE)
    assert [link for link in links if not (folder / link).exists()] == []
