"""The files for containers, as far as they can be judged without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "deploy"
CONTAINERFILE = (FOLDER / "container" / "Containerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "container" / "compose.yaml").read_text(encoding="utf-8"))
HADOLINT = shutil.which("hadolint")


def test_images_are_named_by_version_and_by_no_host() -> None:
    images = re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)
    images += [service["image"] for service in COMPOSE["services"].values()]
    assert images
    assert all(re.fullmatch(r"[a-z]+:\d[\w.-]*", image) for image in images), images


def test_the_image_runs_as_an_ordinary_user_and_says_how_it_is() -> None:
    assert re.findall(r"^USER (\S+)", CONTAINERFILE, re.MULTILINE) == ["8700:8700"]
    assert "retention status" in CONTAINERFILE.partition("HEALTHCHECK")[2]


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_service_is_read_only_without_powers_and_without_the_root_user(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["user"].startswith(("0", "root"))
    assert any(place.startswith("/tmp:") for place in service["tmpfs"])  # noqa: S108  # a folder in memory
    assert not any(
        "password" in str(value).lower() and "/run/secrets/" not in value
        for value in service.get("environment", {}).values()
    )


def test_what_a_service_names_is_defined() -> None:
    for service in COMPOSE["services"].values():
        assert {*service["networks"]} <= {*COMPOSE["networks"]}
        assert {*service["secrets"]} <= {*COMPOSE["secrets"]}
        named = {volume.partition(":")[0] for volume in service["volumes"]}
        assert {name for name in named if not name.startswith("./")} <= {*COMPOSE["volumes"]}
        assert {*service.get("depends_on", {})} <= {*COMPOSE["services"]}
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert all(secret["file"].startswith("./secrets/") for secret in COMPOSE["secrets"].values())


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not on this machine")
def test_the_linter_has_nothing_to_say() -> None:
    assert HADOLINT is not None
    done = subprocess.run(
        [HADOLINT, FOLDER / "container" / "Containerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_rules_for_alerts_ring_for_every_unit_that_works() -> None:
    rules = yaml.safe_load((FOLDER / "alerts" / "retention.yml").read_text(encoding="utf-8"))
    found = [rule for group in rules["groups"] for rule in group["rules"]]
    pattern = re.search(r'name=~"([^"]+)"', found[0]["expr"])
    assert pattern is not None
    for unit in ("retention.service", "retention-run.service"):
        assert re.fullmatch(pattern[1], unit)
    assert all({"alert", "expr", "for", "labels", "annotations"} == {*rule} for rule in found)
