from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hatchling.build import build_editable, build_wheel
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TARGETS = ["help", "setup", "demo", "test", "lint", "bench", "lock", "clean"]

# One block a package: its pin, a marker perhaps, and its hashes on lines of their own.
PINS = {
    canonicalize_name(match["name"]): match
    for match in re.finditer(
        r"^(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>\S+)[^\n\\]*(?P<hashes>(?: \\\n +--hash=\S+)*)$",
        LOCK,
        re.MULTILINE,
    )
}


def declared() -> list[Requirement]:
    project = PROJECT["project"]
    lines = [*project["dependencies"], *PROJECT["dependency-groups"]["dev"], *PROJECT["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        lines += extra
    return [Requirement(line) for line in lines]


def contents_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_lock_names_no_address_and_no_option() -> None:
    offending = [line for line in LOCK.splitlines() if "://" in line or line.startswith("-")]

    assert offending == []


def test_everything_in_the_lock_is_pinned_and_hashed() -> None:
    assert len(PINS) == sum(1 for line in LOCK.splitlines() if line and not line.startswith((" ", "#")))
    for name, pin in PINS.items():
        hashes = re.findall(r"--hash=(\S+)", pin["hashes"])
        assert hashes, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), name


@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: requirement.name)
def test_every_declared_dependency_is_locked_at_a_version_it_allows(requirement: Requirement) -> None:
    pin = PINS[canonicalize_name(requirement.name)]

    assert requirement.specifier.contains(pin["version"], prereleases=True)


def test_the_default_target_of_make_lists_every_other() -> None:
    make = shutil.which("make")
    assert make is not None
    listed = subprocess.run([make, "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert re.findall(r"^  make (\w+)", listed.stdout, re.MULTILINE) == TARGETS


def test_a_wheel_carries_the_folders_that_the_command_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    contents = contents_of(tmp_path / build_wheel(str(tmp_path)))

    assert "retention/__init__.py" in contents
    for folder in ("alembic", "config", "deploy"):
        shipped = {name for name in contents if name.startswith(f"retention/_data/{folder}/")}
        present = {
            f"retention/_data/{path.relative_to(ROOT).as_posix()}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and not {"__pycache__", "var"} & set(path.parts)
        }
        assert shipped == present
    assert not any(name.startswith(("tests/", "benchmarks/", "src/")) for name in contents)


def test_an_editable_install_copies_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    contents = contents_of(tmp_path / build_editable(str(tmp_path)))

    assert [name for name in contents if ".dist-info/" not in name] == ["_retention_enforcer.pth"]


def test_what_runs_the_checks_is_executable() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
