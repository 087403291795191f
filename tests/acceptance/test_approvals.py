"""``retention plan``: two people look at a plan by the command line and approve it."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

import pytest

from retention.cli import plan as room
from tests.acceptance.desk import ask, ask_office, told
from tests.kit import Office, row

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def asking(sqlite_office: Office) -> Office:
    """Give an office in which two people must approve and one message is due."""
    sqlite_office.purge = "approvals = 2"
    sqlite_office.configure()
    sqlite_office.drop("a.csv", [row("fresh", "2026-11-01 09:00:00"), row("m-1", "2026-08-23 09:00:00")])
    assert ask_office(sqlite_office, "ingest").code == 0
    sqlite_office.now = sqlite_office.now.replace(day=24)
    return sqlite_office


def test_plan_goes_from_dry_run_to_purge_by_two_people(asking: Office) -> None:
    assert ask_office(asking, "plan", "list").out.endswith("No plans.\n")
    dry = ask_office(asking, "purge", "--dry-run")
    assert "It must be approved by 2 people, each with:\n  retention plan approve sha256:" in dry.out
    refused = ask_office(asking, "purge")
    assert (refused.code, refused.out) == (12, "")
    assert "the plan waits for approval: it has that of 0 of 2 people" in refused.err
    [one] = [one for one in told(ask_office, asking, "plan", "list")["plans"] if one["state"] == "waiting"]
    digest = one["digest"]
    assert digest in dry.out  # the plan that was shown is the one that waits
    first = ask_office(asking, "plan", "approve", digest[7:19], "--by", "ann", "--reason", "counts compared")
    assert (first.code, "approved by 1 of 2 people" in first.out) == (0, True), first.both
    again = ask_office(asking, "plan", "approve", digest, "--by", "Ann")
    assert (again.code, "another person's" in again.err) == (2, True)
    assert "waits with 1 of 2 approvals" in ask_office(asking, "status").out
    assert ask_office(asking, "purge", "--plan", digest).code == 12
    second = told(ask_office, asking, "plan", "approve", digest, "--by", "bob")["standing"]
    assert (second["state"], second["people"]) == ("approved", 2)
    shown = ask_office(asking, "plan", "show", digest)
    assert "ann: counts compared" in shown.out
    assert "Carry it out with: retention purge --plan" in shown.out
    whole = told(ask_office, asking, "plan", "show", digest)
    assert (whole["plan"]["due"], whole["standing"]["state"], whole["objections"]) == (1, "approved", [])
    assert f"{digest[:15]} is approved" in ask_office(asking, "status").out
    done = told(ask_office, asking, "purge", "--plan", digest)
    assert done["run"]["disposed"] == 1
    assert "used by run 1" in ask_office(asking, "plan", "list").out


def test_names_are_typed_in_drills_only(tmp_path: Path) -> None:
    office = Office(tmp_path, f"sqlite:///{tmp_path / 'register.db'}", purge="approvals = 1").found(drill=False)
    answer = ask("plan", "approve", "--config", str(office.config), "5f1c8a90d2b4", "--by", "somebody else")
    assert (answer.code, "--by is for drills only" in answer.err) == (2, True)


def test_whoever_logged_in_approves_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login, own = tmp_path / "loginuid", pwd.getpwuid(os.getuid()).pw_name
    for name in ("LOGNAME", "USER", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert room.logged_in(login) == own  # a kernel that does not say
    login.write_text("4294967295")
    assert room.logged_in(login) == own  # nobody logged in
    login.write_text("54321")
    monkeypatch.setenv("SUDO_UID", "0")
    assert room.logged_in(login) == "user 54321"


@pytest.mark.parametrize(("account", "name"), [(999, "user 54321"), (1000, "user 1000")])
def test_sudo_is_believed_of_accounts_of_the_system_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, account: int, name: str
) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setenv("SUDO_UID", "54321")
    monkeypatch.setattr(os, "getuid", lambda: account)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert room.logged_in(tmp_path / "loginuid") == name
