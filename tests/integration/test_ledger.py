"""Whoever deletes or inserts messages around the program is found out: by the next run, and in full by a deep look."""

from __future__ import annotations

import gzip
import random
from typing import TYPE_CHECKING, Any

import pytest

from retention.acts.bundling import verify_deep
from retention.acts.resolving import resolve_finding
from retention.audit.pseudonym import Pseudonymiser
from retention.errors import StoppedError, UsageError
from retention.report import deep
from retention.report.ledger import REGISTER_MISMATCH, difference
from retention.store import ledger
from retention.watcher import Watcher
from tests.integration.work import AUTUMN, SUMMER, Work, at
from tests.kit import row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.audit.verify import Verification

DUE = [row(f"due-{n:02}", f"2026-08-{1 + n % 5:02} 09:00:00") for n in range(25)]
FRESH = [row(f"fresh-{n}", f"2026-11-{1 + n % 3:02} 09:00:00") for n in range(9)]
IN_NOVEMBER = AUTUMN.replace(day=10)

GAP = {"coverage-gap": 1}  # no export covers the time between the two


@pytest.fixture
def filled(work: Work) -> Iterator[Work]:
    """Give an installation that has disposed of 25 messages and has nine left, three on each of three days."""
    work.take(DUE)
    work.take(FRESH, "b.csv", now=IN_NOVEMBER)
    work.purge(AUTUMN)
    yield work
    with work.context.database.read() as connection:
        assert ledger.count(connection).total() == len(work.ids())


def look(work: Work) -> Verification:
    return verify_deep(work.context, [], AUTUMN)


def test_every_change_of_the_register_is_counted_on_in_the_log(filled: Work) -> None:
    steps = [(one["kind"], one["before"], one["after"]) for one in filled.entries() if "before" in one]
    assert steps == [
        ("import_done", 0, 25),
        ("import_done", 25, 34),
        ("batch", 34, 24),
        ("batch", 24, 14),
        ("batch", 14, 9),
    ]
    found = look(filled)
    assert (found.problems, found.registered) == ([], 9)


def test_a_quiet_run_says_how_many_are_registered(filled: Work) -> None:
    filled.run(AUTUMN)
    assert filled.entries("heartbeat")[-1]["registered"] == 9
    assert look(filled).ok


def test_what_was_seen_again_is_not_counted_again(filled: Work) -> None:
    filled.take([*FRESH, FRESH[0], row("more", "2026-11-03 09:00:00")], "c.csv", now=AUTUMN)
    [last] = [one for one in filled.entries("import_done") if one["duplicates"]]
    assert (last["before"], last["after"], last["registered"]) == (9, 10, 1)
    assert look(filled).ok


def test_a_message_with_two_times_of_receipt_is_counted_out_again(filled: Work) -> None:
    filled.take([row("fresh-0", "2026-11-09 09:00:00"), FRESH[1]], "c.csv", now=AUTUMN)
    filled.run(AUTUMN.replace(hour=13))
    assert filled.kinds()["redated"] == 1
    found = look(filled)
    assert (found.problems, found.registered) == ([], 9)


def test_rows_deleted_around_the_program_are_found_by_the_next_run(filled: Work) -> None:
    filled.tell("DELETE FROM message WHERE message_key IN ('1:fresh-0', '1:fresh-1', '1:fresh-3')")
    assert filled.status(AUTUMN).findings["by_kind"] == GAP
    filled.run(AUTUMN)
    [finding] = filled.findings(REGISTER_MISMATCH)
    assert "there are 6, not 9" in finding.reason
    assert "2026-11-01 has 1, not 3, 2026-11-02 has 2, not 3" in finding.reason
    assert "fresh" not in finding.reason
    status = filled.status(AUTUMN)
    assert (status.promise, status.findings["by_kind"]) == ("at_risk", {REGISTER_MISMATCH: 1, **GAP})
    filled.run(AUTUMN.replace(hour=13))
    assert len(filled.findings(REGISTER_MISMATCH)) == 1


def test_a_person_resolves_a_mismatch_and_the_ledger_begins_anew(filled: Work) -> None:
    filled.tell("DELETE FROM message WHERE message_key = '1:fresh-0'")
    filled.ingest(AUTUMN)
    assert not look(filled).ok
    number = filled.findings(REGISTER_MISMATCH)[0].id
    resolve_finding(filled.context, number, "deleted by hand on a court's order", AUTUMN)
    [entry] = filled.entries("register_reconciled")
    assert (entry["before"], entry["after"], entry["finding"]) == (9, 8, number)
    assert entry["reason"].startswith("sha256:")
    assert filled.findings(REGISTER_MISMATCH) == []
    assert look(filled).ok
    filled.run(AUTUMN)
    assert filled.status(AUTUMN).findings["by_kind"] == GAP
    with pytest.raises(UsageError, match="no open finding"):
        resolve_finding(filled.context, number, "again", AUTUMN)


def test_another_finding_leaves_the_ledger_as_it_is(filled: Work) -> None:
    filled.take([row("x", "the day before yesterday")], "c.csv", now=AUTUMN)
    resolve_finding(filled.context, filled.findings("rejected-row")[0].id, "asked", AUTUMN)
    assert filled.entries("register_reconciled") == []


INSERTED = (
    "INSERT INTO message SELECT received_at, :key, class_id, :pseudonym, conversation, contact, import_id, "
    "last_seen_at FROM message WHERE message_key = '1:fresh-0'"
)


def test_rows_inserted_around_the_program_are_found_and_disposed_of_in_the_end(filled: Work) -> None:
    filled.tell(INSERTED, key="1:stranger", pseudonym="A" * 22)
    problems = look(filled).problems
    assert "there are 10, not 9; of the classes that differ, 2026-11-01 has 4, not 3" in problems[0]
    assert problems[1] == "import 2 registered 9 messages, 10 of it are there"
    assert problems[2] == "1 registered messages of 2026-11 have a pseudonym that its key does not make"
    later = AUTUMN.replace(year=2027, month=3)
    filled.purge(later)
    assert filled.ids() == []
    closing = filled.entries("batch")[-1]
    assert (closing["before"], closing["after"]) == (9, -1)
    resolve_finding(filled.context, filled.findings(REGISTER_MISMATCH)[0].id, "looked into", later)
    assert filled.verify().registered == 0


def exchange(work: Work, pseudonym: str | None = None) -> None:
    """Put another row of the same day and class in the place of one; with the month's key, under its right name."""
    key = work.context.month_keys.get("2026-11")
    assert key is not None
    work.tell(INSERTED, key="1:other", pseudonym=pseudonym or Pseudonymiser(key).message("hootsuite-inbox", "other"))
    work.tell("DELETE FROM message WHERE message_key = '1:fresh-0'")


def test_rows_exchanged_for_others_are_found_by_a_deep_look_alone(filled: Work) -> None:
    exchange(filled, "B" * 22)
    filled.run(AUTUMN)
    assert filled.findings(REGISTER_MISMATCH) == []
    [problem] = look(filled).problems
    assert problem == "1 registered messages of 2026-11 have a pseudonym that its key does not make"


def test_rows_exchanged_by_somebody_with_the_month_key_are_not_found(filled: Work) -> None:
    """Say what remains: same day, same class, same import, and the right name under a key that only the service has."""
    exchange(filled)
    assert look(filled).ok


def test_rows_exchanged_on_another_day_are_found_by_a_deep_look(filled: Work) -> None:
    filled.tell("DELETE FROM message WHERE message_key = '1:fresh-1'")
    filled.tell(INSERTED, key="1:fresh-1", pseudonym="C" * 22)
    filled.run(AUTUMN)
    assert filled.findings(REGISTER_MISMATCH) == []
    assert "2026-11-01 has 4, not 3, 2026-11-02 has 2, not 3" in look(filled).problems[0]


def test_a_changed_class_is_found(filled: Work) -> None:
    filled.tell("UPDATE message SET class_id = 77 WHERE message_key = '1:fresh-0'")
    assert "the days add up, their classes do not" in look(filled).problems[0]


def test_a_disposal_of_what_is_still_there_is_named_by_its_index(filled: Work) -> None:
    """Put a row back that was disposed of, in the place of another, so that all counts fit."""
    index = next(n for n, one in enumerate(filled.entries()) if one["kind"] == "disposal")
    pseudonym = filled.entries()[index]["pseudonym"]
    filled.tell("UPDATE message SET pseudonym = :pseudonym WHERE message_key = '1:fresh-0'", pseudonym=pseudonym)
    filled.tell("UPDATE message SET import_id = 1 WHERE message_key = '1:fresh-0'")
    found = look(filled)
    assert found.first_bad_index == index
    assert f"entry {index} is the disposal of a message that is registered" in found.problems


def test_a_message_that_a_longer_schedule_lets_in_again_is_accounted_for(filled: Work) -> None:
    filled.reopen(('keep = "P3M"', 'keep = "P5M"'))
    filled.take([*DUE, FRESH[0]], "again.csv", now=AUTUMN)
    filled.take([*DUE[:5], FRESH[0]], "d.csv", now=AUTUMN)
    assert len(filled.ids()) == 34
    assert look(filled).problems == []


def test_a_large_register_is_met_a_part_at_a_time(filled: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep, "ROWS_AT_ONCE", 4)
    assert look(filled).ok
    filled.tell("UPDATE message SET message_key = '9:' || message_key, received_at = -5")
    problems = look(filled).problems
    assert "9 registered messages of no month have a pseudonym that its key does not make" in problems
    assert "1969-12-31 has 9, not 0" in problems[0]


def test_a_time_of_receipt_that_no_calendar_has_is_told_as_a_number(filled: Work) -> None:
    filled.tell("UPDATE message SET received_at = 9000000000000000 WHERE message_key = '1:fresh-0'")
    assert "day 104166666666 has 1, not 0" in look(filled).problems[0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE register_ledger SET messages = messages - 1", "the ledger has 9 messages by day and 8 in all"),
        (
            "UPDATE register_ledger SET told = told - 1",
            "the log says that 9 messages are registered, the ledger says 8",
        ),
        ("DELETE FROM register_ledger", "the ledger has 9 messages by day and 0 in all"),
        ("UPDATE register_day SET messages = 1", "the ledger has 3 messages by day and 9 in all"),
    ],
)
def test_a_ledger_that_was_changed_itself_is_found(filled: Work, change: str, problem: str) -> None:
    filled.tell(change)
    assert any(problem in one for one in look(filled).problems)
    number = filled.findings(REGISTER_MISMATCH)[0].id
    resolve_finding(filled.context, number, "put right", AUTUMN)
    with filled.context.database.read() as connection:
        assert difference(connection, by_day=True) is None


def test_rows_and_ledger_changed_together_meet_the_log(filled: Work) -> None:
    filled.tell("DELETE FROM message WHERE message_key = '1:fresh-0'")
    filled.tell(
        "UPDATE register_day SET messages = messages - 1 WHERE day = :day", day=at("2026-11-01T00:00+00:00") // 86400
    )
    filled.tell("UPDATE register_ledger SET messages = messages - 1, told = told - 1")
    filled.ingest(AUTUMN)
    assert filled.findings(REGISTER_MISMATCH) == []
    filled.run(AUTUMN)
    [finding] = filled.findings(REGISTER_MISMATCH)
    silence = len(filled.entries()) - 1
    assert filled.entries()[silence]["kind"] == "heartbeat"
    assert finding.reason == f"entry {silence} does not count the register on from the entries before it"


def test_a_ledger_is_not_compared_with_a_log_that_does_not_verify(filled: Work) -> None:
    filled.tell("UPDATE register_ledger SET told = told - 1")
    body = filled.ask("SELECT body FROM audit_entry WHERE seq = 3")[0][0]
    filled.tell("UPDATE audit_entry SET body = :body WHERE seq = 3", body=body.replace("2026", "2025", 1))
    assert look(filled).first_bad_index == 3
    assert filled.findings(REGISTER_MISMATCH) == []
    filled.tell("UPDATE audit_entry SET body = :body WHERE seq = 3", body=body)


@pytest.mark.usefixtures("small_imports")
def test_what_an_import_registered_before_it_was_stopped_is_told_by_the_next_turn(
    work: Work,
) -> None:
    stops: list[None] = []

    def stop() -> None:
        stops.append(None)
        if len(stops) == 2:
            raise StoppedError

    work.office.drop("a.csv", DUE)
    with pytest.raises(StoppedError):
        work.ingest(SUMMER, Watcher(stop=stop))
    work.purge(SUMMER)
    [early] = work.entries("import_interrupted")
    assert (early["before"], early["after"]) == (0, 14)
    work.ingest(SUMMER)
    [done] = work.entries("import_done")
    assert (done["before"], done["after"], done["registered"]) == (14, 25, 25)
    assert look(work).problems == []


@pytest.mark.usefixtures("small_imports")
def test_what_a_file_gave_before_it_was_refused_is_told(work: Work) -> None:
    chance = random.Random(5)  # noqa: S311  # such rows do not compress, so some are read before the file breaks off
    rows = [row(f"m-{n}", "2026-08-01 09:00:00", content=chance.randbytes(500).hex()) for n in range(400)]
    path = work.office.drop("a.csv", rows)
    (path.parent / "a.csv.gz").write_bytes(gzip.compress(path.read_bytes())[:-5_000])
    path.unlink()
    [result] = work.ingest(SUMMER)
    assert result.refused
    assert result.progress.registered
    refused: list[dict[str, Any]] = work.entries("import_refused")
    assert [(one["before"], one["after"]) for one in refused] == [(0, result.progress.registered)]
    assert look(work).ok
