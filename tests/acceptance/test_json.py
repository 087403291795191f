"""What scripts read: each report is one object of its documented shape, in an office where everything has happened."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.desk import ask_office, told
from tests.acceptance.shapes import (
    CYCLE,
    DOCTOR,
    DRY_RUN,
    EXPLANATION,
    FINDINGS,
    HOLDS,
    IMPORTS,
    PURGE,
    RESIDUE,
    STATUS,
    TOLD,
    VERIFICATION,
    misfits,
)
from tests.kit import row
from tests.mail_server import table

if TYPE_CHECKING:
    from tests.kit import Office

CHANNEL = table(name="people", kind="webhook", url="http://127.0.0.1:1/x", about=["source-silent"])  # nothing to tell
REPORTS: list[tuple[tuple[str, ...], Any]] = [
    (("ingest",), IMPORTS),
    (("purge", "--dry-run"), DRY_RUN),
    (("purge",), PURGE),
    (("run",), CYCLE),
    (("status",), STATUS),
    (("explain", "held-message"), EXPLANATION),
    (("explain", "old-message"), EXPLANATION),
    (("explain", "nothing"), EXPLANATION),
    (("hold", "list", "--all"), HOLDS),
    (("findings", "list", "--all"), FINDINGS),
    (("audit", "verify"), VERIFICATION),
    (("scan-residue", "held-message"), RESIDUE),
    (("check", "--deep"), DOCTOR),
    (("notify", "--dry-run"), TOLD),
]


def _check_every_report(office: Office) -> None:
    office.configure(("[purge]", f"{CHANNEL}[purge]"))
    for command, shape in REPORTS:
        answer = ask_office(office, *command, "--format", "json")
        assert answer.code in {0, 3, 4, 5}, (command, answer.err)
        assert misfits(json.loads(answer.out), shape) == [], command


def test_every_report_has_its_shape_at_every_stage(office: Office) -> None:
    _check_every_report(office)
    office.drop(
        "[1][message][01112026000000][20112026000000][a].csv", [row("held-message"), row("old-message"), row("")]
    )
    _check_every_report(office)
    order = ("--kind", "foi", "--reason", "r", "--owner", "o", "--review-on", "2026-12-01")
    assert ask_office(office, "hold", "place", *order, "--message", "held-message").code == 0
    office.now += timedelta(days=100)
    _check_every_report(office)
    status = told(ask_office, office, "status")
    assert (status["held"], status["registered"], status["promise"]) == (1, 1, "at_risk")
    assert any("was to be reviewed by 2026-12-01" in reason for reason in status["reasons"])
    assert ask_office(office, "hold", "release", "1", "--reason", "r").code == 0
    _check_every_report(office)


def test_the_five_counts_of_an_import_add_up_to_its_rows(sqlite_office: Office) -> None:
    rows = [row("a-message"), row("a-message"), row("public-one", private=False), row("old-one", "2026-01-01 09:00:00")]
    sqlite_office.drop("[1][message][01112026000000][20112026000000][a].csv", [*rows, row("")])
    [one] = told(ask_office, sqlite_office, "ingest")["imports"]
    counts = [one[key] for key in ("registered", "duplicates", "not_covered", "born_expired", "rejected")]
    assert counts == [1, 1, 1, 1, 1]
    assert one["rows"] == sum(counts)
    assert (one["window_from"], one["window_to"]) == ("2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z")


def test_explain_gives_the_working_of_each_state(sqlite_office: Office) -> None:
    sqlite_office.drop("a.csv", [row("a-message", "2026-11-01 09:00:00")])
    ask_office(sqlite_office, "ingest")
    kept = told(ask_office, sqlite_office, "explain", "a-message")
    assert (kept["state"], kept["rule"], kept["expires_on"]) == ("registered", "direct-messages", "2027-02-01")
    assert kept["due_at"] == "2027-02-02T00:00:00Z"
    assert any("not yet due" in line for line in kept["working"])
    sqlite_office.now += timedelta(days=100)
    ask_office(sqlite_office, "purge")
    gone = told(ask_office, sqlite_office, "explain", "a-message")
    assert gone["state"] == "disposed"
    entry = ask_office(sqlite_office, "audit", "export").out.splitlines()[gone["entry_index"]]
    assert json.loads(entry)["kind"] == "disposal"


@pytest.mark.parametrize("command", [("purge",), ("run",)])
def test_what_could_not_be_done_leaves_stdout_empty_for_scripts(
    sqlite_office: Office, command: tuple[str, ...]
) -> None:
    sqlite_office.drop("a.csv", [row("a-message")])
    assert ask_office(sqlite_office, "ingest").code == 0
    sqlite_office.now += timedelta(days=100)
    sqlite_office.configure(("max_share = 1.0", "max_share = 0.01"))
    answer = ask_office(sqlite_office, *command, "--format", "json")
    assert (answer.code, answer.out) == (12, "")
    assert "safety belt share" in answer.err
