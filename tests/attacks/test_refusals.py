"""Nobody goes on with a broken audit log, and everybody says so: faults of the log times commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.desk import Answer, ask
from tests.attacks.conftest import LATER
from tests.kit import row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.attacks.conftest import Besieged

HOLD = ("--kind", "foi", "--owner", "office", "--reason", "asked", "--review-on", "2027-06-30", "--network", "fb")
REFUSED = (
    ("ingest",),
    ("purge",),
    ("purge", "--dry-run"),
    ("run",),
    ("hold", "place", *HOLD),
    ("hold", "release", "1", "--reason", "answered"),
    ("keys", "rotate", "--reason", "yearly"),
    ("explain", "m1"),
    ("audit", "checkpoint"),
    ("audit", "export"),
    ("audit", "export", "--format", "csv"),
    ("audit", "export", "--output", "{out}/log.csv", "--format", "csv"),
    ("audit", "export", "--bundle", "{out}/bundle"),
    ("audit", "prove", "--entry", "0", "--output", "{out}/proof"),
    ("audit", "record", "--run", "1", "--json", "{out}/record.json"),
)
FAULTS = {
    "tail cut off": ("DELETE FROM audit_entry WHERE seq >= 300", 300),
    "emptied": ("DELETE FROM audit_entry", 0),
    "last entry edited": (
        "UPDATE audit_entry SET body = body || ' ' WHERE seq = (SELECT max(seq) FROM audit_entry)",
        None,
    ),
    "checkpoints gone": ("DELETE FROM audit_checkpoint", None),
}
MIDDLE = "UPDATE audit_entry SET body = body || ' ' WHERE seq = 40"


def told(besieged: Besieged, *arguments: str, out: Path | None = None) -> Answer:
    depth = 2 if arguments[0] in {"hold", "audit", "keys"} else 1
    where = ["--config", str(besieged.office.config), "--now", LATER.isoformat()]
    given = [one.format(out=out) for one in arguments]
    return ask(*given[:depth], *where, *given[depth:])


def written(besieged: Besieged) -> dict[str, int]:
    """Count what a command that goes on would have added to or taken from."""
    tables = ("audit_entry", "audit_checkpoint", "message", "run", "import", "hold", "plan")
    context = besieged.office.open()
    with context.database.read() as connection:
        counts = {one: connection.exec_driver_sql(f"SELECT count(*) FROM {one}").scalar_one() for one in tables}  # noqa: S608  # the names above
    context.database.close()
    return counts


def refused_by_all(besieged: Besieged, out: Path, index: int | None) -> None:
    before = written(besieged)
    waiting = besieged.office.drop("waiting.csv", [row("later", "2026-11-20 09:00:00")])
    for arguments in REFUSED:
        answer = told(besieged, *arguments, out=out)
        assert answer.code == 13, (arguments, answer)
        assert answer.out == "", arguments
        assert "verify" in answer.err, arguments
        if arguments[:2] != ("audit", "record"):  # it reads the whole log and tells what it met first
            assert index is None or f"from entry {index} on" in answer.err, (arguments, answer)
            assert "retention audit verify" in answer.err, (arguments, answer)
    assert written(besieged) == before
    assert list(out.iterdir()) == []
    waiting.unlink()


def said_by_all(besieged: Besieged, index: int | None) -> None:
    status = told(besieged, "status", "--format", "json")
    log = json.loads(status.out)["log"]
    assert (status.code, log["verified"], log["in_order"]) == (5, False, False)
    assert index is None or log["first_bad_index"] == index
    assert "BROKEN" in told(besieged, "status").out
    check = told(besieged, "check")
    assert (check.code, "head in order" in check.out) == (13, False), check
    assert "are in order" not in check.out.partition("The audit log")[2]
    assert besieged.asked()[0] == 13


@pytest.mark.parametrize("standing", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_goes_on_with_a_broken_log_and_everything_says_so(
    besieged: Besieged, tmp_path: Path, fault: str
) -> None:
    statement, index = FAULTS[fault]
    with besieged.attacked() as somebody:
        somebody.sql(statement)
    refused_by_all(besieged, tmp_path, index)
    said_by_all(besieged, index)


@pytest.mark.parametrize("standing", ["postgresql"], indirect=True)
def test_nothing_goes_on_with_a_log_whose_tail_was_cut_off_on_a_server(besieged: Besieged, tmp_path: Path) -> None:
    statement, index = FAULTS["tail cut off"]
    with besieged.attacked() as somebody:
        somebody.sql(statement)
    refused_by_all(besieged, tmp_path, index)
    said_by_all(besieged, index)


@pytest.mark.parametrize("standing", ["sqlite"], indirect=True)
def test_what_only_a_full_verification_shows_stops_everything_once_it_was_seen(
    besieged: Besieged, tmp_path: Path
) -> None:
    with besieged.attacked() as somebody:
        somebody.sql(MIDDLE)
    assert besieged.asked()[0] == 13
    refused_by_all(besieged, tmp_path, 40)
    said_by_all(besieged, 40)


@pytest.mark.parametrize(
    ("options", "name"),
    [(("--output", "{out}/log"), "log"), (("--format", "csv", "--output", "{out}/log"), "log"), ((), "")],
)
@pytest.mark.parametrize("standing", ["sqlite"], indirect=True)
def test_export_ends_at_the_first_bad_entry_and_makes_it_known(
    besieged: Besieged, tmp_path: Path, options: tuple[str, ...], name: str
) -> None:
    with besieged.attacked() as somebody:
        somebody.sql(MIDDLE)
    answer = told(besieged, "audit", "export", *options, out=tmp_path)
    assert (answer.code, list(tmp_path.iterdir())) == (13, [])
    assert "from entry 40 on: entry 40 does not have the hash that was kept of it" in answer.err
    assert told(besieged, "status").out.count("does not verify") == 1
    assert (0 < len(answer.out.splitlines()) <= 40) is not bool(name)
    assert told(besieged, "purge", "--dry-run").code == 13
    said_by_all(besieged, 40)


@pytest.mark.parametrize("standing", ["sqlite"], indirect=True)
def test_bundle_of_a_log_that_was_edited_has_no_checkpoint(besieged: Besieged, tmp_path: Path) -> None:
    with besieged.attacked() as somebody:
        somebody.sql(MIDDLE)
    for name in ("bundle", "bundle.tar"):
        answer = told(besieged, "audit", "export", "--bundle", str(tmp_path / name))
        assert answer.code == 13
        assert "entry 40" in answer.err
    assert not (tmp_path / "bundle" / "checkpoint").exists()
    assert not (tmp_path / "bundle.tar").exists()


@pytest.mark.parametrize("standing", ["sqlite"], indirect=True)
def test_missing_triggers_are_said_and_nothing_is_in_order(besieged: Besieged) -> None:
    with besieged.attacked():
        pass
    status = told(besieged, "status")
    assert status.code == 4
    assert "NOT IN ORDER: 16 of the triggers" in status.out
    check = told(besieged, "check")
    assert check.code == 3, "as audit verify has it"
    assert "NOT IN ORDER" in check.out
    assert "are in order" not in check.out
    assert "head in order" not in check.out
    assert "append-only are missing" in check.err
