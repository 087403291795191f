"""Backups are known by what is said of them in the log; a record says what was known when its run ended."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from retention.acts.backups import attest_gone, list_backups, register_backup
from retention.acts.recording import draw
from retention.errors import LogError, UsageError
from retention.report.record_json import record_as_json
from retention.resources import resource
from retention.upkeep import adopt_backups
from tests.integration.work import AUTUMN, SUMMER, Work
from tests.kit import row

if TYPE_CHECKING:
    from datetime import date
    from typing import Any

    from tests.kit import Office

KEEP = '[backups]\nkeep = "P35D"\n[purge]'


def copies(work: Work, run: int = 1) -> dict[str, dict[str, Any]]:
    told = json.loads(record_as_json(draw(work.context, run, AUTUMN)))
    return {one["copy"]: one for one in told["not_yet_beyond_reach"]}


def register(work: Work, made_on: date, gone_by: date, what: str = "database") -> int:
    given = {"made_on": made_on, "gone_by": gone_by, "note": "tape 12", "by": "Jane Doe", "now": AUTUMN}
    return register_backup(work.context, what, **given).number  # type: ignore[arg-type]  # each has its type


def run(work: Work) -> None:
    work.take([row("m-1", "2026-07-01 09:00:00")], now=SUMMER)
    work.run(AUTUMN)


TODAY = AUTUMN.date()


def test_without_a_word_of_backups_nothing_is_known_of_them(work: Work) -> None:
    run(work)
    assert {one["until"] for one in copies(work).values()} == {None}
    working = " ".join(work.explain("m-1", AUTUMN).working)
    assert "not known: no period is registered, and no copy of that time that is still kept" in working
    assert work.entries("backup_period") == []


def test_the_configured_period_says_until_when(work: Work) -> None:
    work.reopen(("[purge]", KEEP))
    run(work)
    (entry,) = work.entries("backup_period")
    assert (entry["keep"], entry["what"]) == ("P35D", ["database"])
    told = copies(work)["Backups of the database"]
    assert told["until"] == (TODAY + timedelta(days=35)).isoformat()
    assert told["why"].startswith("each is kept for 35 days as configured, entry ")
    assert "not shown" in told["why"]
    assert copies(work)["Replicas, standby servers and snapshots"]["until"] is None
    assert "backups of the database may hold it until " in " ".join(work.explain("m-1", AUTUMN).working)
    late = work.explain("m-1", AUTUMN + timedelta(days=36)).working
    assert "which nothing here shows" in " ".join(late)


def test_the_period_is_told_once_and_again_where_it_changes(work: Work) -> None:
    work.reopen(("[purge]", KEEP))
    for _ in range(2):
        adopt_backups(work.context, AUTUMN)
    work.reopen(("[purge]", KEEP.replace("35", "10")))
    adopt_backups(work.context, AUTUMN)
    work.reopen()
    adopt_backups(work.context, AUTUMN)
    assert [entry.get("keep") for entry in work.entries("backup_period")] == ["P35D", "P10D", None]
    assert list_backups(work.context).rule is None


def test_a_copy_of_a_longer_period_before_counts(work: Work) -> None:
    work.reopen(("[purge]", KEEP.replace("P35D", "P90D")))
    work.take([row("m-1", "2026-07-01 09:00:00")], now=SUMMER)
    work.reopen(("[purge]", KEEP))
    adopt_backups(work.context, AUTUMN - timedelta(days=2))
    work.run(AUTUMN)
    assert copies(work)["Backups of the database"]["until"] == (TODAY + timedelta(days=88)).isoformat()


def test_the_registered_copies_that_may_hold_it_say_until_when(work: Work) -> None:
    day = timedelta(days=1)
    register(work, TODAY - 2 * day, TODAY + 5 * day)
    register(work, TODAY - day, TODAY + 9 * day)
    register(work, TODAY - 90 * day, TODAY - day)
    register(work, TODAY, TODAY + 3 * day, "keys")
    run(work)
    told = copies(work)
    assert told["Backups of the database"]["until"] == (TODAY + 9 * day).isoformat()
    assert len(told["Backups of the database"]["entries"]) == 2, "the third was gone before"
    assert told["Backups of the keys"]["until"] == (TODAY + 3 * day).isoformat()


def test_what_is_registered_later_changes_no_record(work: Work) -> None:
    run(work)
    before = record_as_json(draw(work.context, 1, AUTUMN))
    number = register(work, TODAY, TODAY + timedelta(days=9))
    assert record_as_json(draw(work.context, 1, AUTUMN)) == before
    assert "may hold it until" in " ".join(work.explain("m-1", AUTUMN).working), (
        "what is asked today is told as of today"
    )
    attest_gone(work.context, number, note=None, by="Jane Doe", now=AUTUMN)
    assert "not known" in " ".join(work.explain("m-1", AUTUMN).working)
    assert record_as_json(draw(work.context, 1, AUTUMN)) == before


def test_names_and_notes_stay_out_of_the_log(work: Work) -> None:
    register(work, TODAY, TODAY)
    attest_gone(work.context, 1, note="shredded", by="Jane Doe", now=AUTUMN)
    said = json.dumps(work.entries())
    assert "Jane" not in said
    assert "tape" not in said
    assert "shredded" not in said
    (found,) = list_backups(work.context).copies
    assert (found.by, found.note, found.gone_entry is None) == ("Jane Doe", "tape 12", False)


def test_a_row_that_somebody_inserts_registers_nothing(work: Work) -> None:
    run(work)
    before = copies(work)
    work.tell("INSERT INTO backup (entry_index) VALUES (0)")
    assert list_backups(work.context).copies == ()
    assert copies(work) == before


def test_no_record_leaves_out_a_backup_that_the_log_tells_of(work: Work) -> None:
    register(work, TODAY, TODAY + timedelta(days=900))
    run(work)
    assert copies(work)["Backups of the database"]["until"] is not None
    work.tell("DELETE FROM backup")
    with pytest.raises(LogError, match="entries of backups that the register does not know of"):
        copies(work)


def test_what_makes_no_sense_is_refused(work: Work) -> None:
    day = timedelta(days=1)
    with pytest.raises(UsageError, match="before --made-on"):
        register(work, TODAY, TODAY - day)
    with pytest.raises(UsageError, match="a day to come"):
        register(work, TODAY + day, TODAY + 2 * day)
    with pytest.raises(UsageError, match="no backup of this number"):
        attest_gone(work.context, 1, note=None, by="x", now=AUTUMN)
    number = register(work, TODAY, TODAY)
    attest_gone(work.context, number, note=None, by="x", now=AUTUMN)
    with pytest.raises(UsageError, match="was said already"):
        attest_gone(work.context, number, note=None, by="x", now=AUTUMN)


def test_the_command_line_registers_lists_and_takes_a_word(sqlite_office: Office) -> None:
    office = sqlite_office
    made = office.told("backup", "register", "--made-on", "2026-11-20", "--gone-by", "2026-12-25", "--note", "tape 12")
    assert (made["backup"]["number"], made["backup"]["state"]) == (1, "kept")
    listed = office.told("backup", "list")
    assert listed["until"] == {"database": "2026-12-25"}
    assert listed["period"] is None
    assert "until 2026-12-25" in office.cli("backup", "list").stdout
    assert office.cli("backup", "gone", "1").stdout.endswith("of the audit log.\n")
    assert office.told("backup", "list")["backups"][0]["state"] == "destroyed"
    assert office.cli("backup", "gone", "2").returncode == 2
    assert office.cli("backup", "register", "--made-on", "2026-11-20", "--gone-by", "x").returncode == 2
    assert office.cli("audit", "verify", "--deep").returncode == 0


def test_check_says_until_when_and_the_doctor_what_is_not_adopted_yet(sqlite_office: Office) -> None:
    office = sqlite_office
    assert "Until when backups hold what was disposed of is not known" in office.cli("check").stdout
    office.configure(("[purge]", KEEP))
    assert "may be in backups of the database until 27 December 2026" in office.cli("check").stdout
    assert "which the log says from the next run on" in office.cli("check", "--deep").stdout
    office.cli("run")
    assert "what is disposed of today may be in one until 27 December 2026" in office.cli("check", "--deep").stdout


def test_a_period_needs_to_be_one(sqlite_office: Office) -> None:
    sqlite_office.configure(("[purge]", '[backups]\nwhat = ["database"]\n[purge]'))
    assert "backups.what: goes with keep" in sqlite_office.cli("check").stderr
    sqlite_office.configure(("[purge]", '[backups]\nkeep = "P1D"\nwhat = ["everything"]\n[purge]'))
    assert sqlite_office.cli("check").returncode == 2


def test_a_database_of_before_gets_the_table(sqlite_work: Work) -> None:
    before = ScriptDirectory(str(resource("alembic"))).get_revision("0014").down_revision
    with sqlite_work.context.database.write() as connection:
        for table in ("backup", "webhook_refusal"):  # and what came after it
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = :before"), {"before": before})
    sqlite_work.office.found()
    assert list_backups(sqlite_work.context).copies == ()
