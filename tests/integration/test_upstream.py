"""Disposal orders: issued by each purge, attested by people, settled only by what a later export shows."""

from __future__ import annotations

import csv
import hashlib
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from retention import departures
from retention.acts.ordering import attest_order, export_order, list_orders, show_order
from retention.errors import RetentionError, StoppedError, UsageError
from retention.report.record import gather
from retention.report.record_json import record_as_json
from retention.report.record_words import upstream_reason
from retention.watcher import Watcher
from tests.integration.work import AUTUMN, Work
from tests.kit import row

if TYPE_CHECKING:
    from pathlib import Path


SOURCE = "hootsuite-inbox"
ROWS = [row(f"m-{number}", f"2026-08-{1 + number:02} 09:00:00") for number in range(6)]
"""Received from 1 to 6 August 2026, so due from 2 to 7 November."""

LATER = datetime(2026, 12, 1, 12, tzinfo=UTC)
DUE = datetime(2026, 11, 30, tzinfo=UTC)
"""When an order of 22 November is overdue: it may be carried out through the 29th."""


def export(first: str, last: str, mark: str = "c0ffee") -> str:
    """Name an export by its window, two local times spelled ddMMyyyyHHmmss."""
    return f"[770][message][{first}][{last}][{mark}].csv"


OTHER = """[[source]]
name = "other"
kind = "csv-export"
preset = "hootsuite-inbox"
path = "other"
time_zone = "Europe/London"
settle_seconds = 0
[purge]"""

WHOLE = export("01082026000000", "01122026000000")
"""Made on 1 December or later, from 1 August on."""


@pytest.fixture
def ordered(work: Work) -> Work:
    """Give an installation whose purge has disposed of six messages and issued order 1."""
    work.take(ROWS, export("01082026000000", "10082026000000"))
    work.purge(AUTUMN)
    work.now = AUTUMN
    return work


def order(work: Work, number: int = 1) -> dict[str, Any]:
    return show_order(work.context, number)


def check(work: Work, rows: list[tuple[str, ...]], name: str = WHOLE, now: datetime = LATER) -> None:
    """Ingest an export that is made to check an order."""
    work.take(rows, name, now)


def figures(work: Work, number: int = 1) -> tuple[str, int, int, int, int]:
    found = order(work, number)
    return found["state"], found["left"], found["absent"], found["present"], found["unknown"]


def fresh(name: str = "fresh") -> tuple[str, ...]:
    return row(name, "2026-11-30 09:00:00")


# An order is issued.


def test_purge_orders_what_it_disposed_of_to_go_at_the_source(ordered: Work) -> None:
    found = order(ordered)
    assert (found["state"], found["source"], found["listed"], found["left"]) == ("ordered", SOURCE, 6, 6)
    assert (found["due_on"], found["received_from"], found["received_to"]) == ("2026-11-29", "2026-08-01", "2026-08-06")
    assert [day["messages"] for day in found["days"]] == [1] * 6
    [entry] = ordered.entries("upstream_ordered")
    assert (entry["source"], entry["count"], entry["order"], entry["run"]) == (SOURCE, 6, 1, 1)
    assert entry["list_digest"] == found["list_digest"]
    assert ordered.status().upstream == {"ordered": 6, "overdue": 0, "present": 0}
    assert ordered.status().promise == "kept"


def test_purge_that_disposes_of_nothing_orders_nothing(ordered: Work) -> None:
    ordered.purge(AUTUMN + timedelta(hours=1))
    assert len(list_orders(ordered.context)) == 1


def test_source_that_is_not_to_be_ordered_gets_no_order_and_the_record_says_unknown(work: Work) -> None:
    work.reopen(("settle_seconds = 0", 'settle_seconds = 0\nupstream = "none"'))
    work.take(ROWS)
    _, run = work.purge(AUTUMN)
    assert list_orders(work.context) == []
    assert work.explain("m-1", AUTUMN).upstream == "unknown"
    with work.context.database.read() as connection:
        record = gather(connection, work.context.installation, run.id)
    assert record.upstream_level == "unknown"
    assert "not known" in upstream_reason(record)


def test_day_of_receipt_is_one_of_the_zone_of_the_source(work: Work) -> None:
    work.reopen(('time_zone = "Europe/London"\nsettle', 'time_zone = "Pacific/Kiritimati"\nsettle'))
    work.take([row("m-1", "2026-08-02 01:00:00")])  # still 1 August in London
    work.purge(AUTUMN)
    assert [day["received_on"] for day in order(work)["days"]] == ["2026-08-02"]


def test_order_of_a_run_that_was_stopped_is_issued_by_the_next_turn(work: Work) -> None:
    work.take([row(f"m-{number}", f"2026-08-01 09:00:{number:02}") for number in range(30)])
    told: list[int] = []

    def stop() -> None:
        if told:
            msg = "stopped"
            raise StoppedError(msg)

    watcher: Watcher = Watcher(tick=told.append, stop=stop)
    with pytest.raises(StoppedError):
        work.purge(AUTUMN, watcher=watcher)
    assert order(work)["state"] == "listing"
    with pytest.raises(UsageError, match="not issued yet"):
        attest_order(work.context, 1, by="Ann", reference="x", now=AUTUMN)
    with pytest.raises(UsageError, match="not issued yet"):
        export_order(work.context, 1, work.office.folder / "a.csv", now=AUTUMN, person="x")
    work.purge(AUTUMN + timedelta(hours=1))
    assert [(one["run"], one["state"], one["listed"]) for one in list_orders(work.context)] == [
        (1, "ordered", 10),
        (2, "ordered", 20),
    ]


def test_order_of_a_source_that_left_the_configuration_is_issued_all_the_same(ordered: Work) -> None:
    ordered.tell("UPDATE upstream_order SET state = 'listing', issued_at = NULL, source = 'gone'")
    ordered.ingest(AUTUMN + timedelta(hours=1))
    assert (order(ordered)["state"], order(ordered)["due_on"]) == ("ordered", "2026-11-29")


def test_only_messages_of_sources_that_are_ordered_are_listed_and_the_record_counts_the_rest(work: Work) -> None:
    work.reopen(("[purge]", OTHER.replace("settle", 'upstream = "none"\nsettle')))
    folder = work.office.folder / "other"
    folder.mkdir()
    work.office.drop("b.csv", [row("other-1", "2026-08-01 09:00:00")]).rename(folder / "b.csv")
    work.office.drop("a.csv", ROWS)
    work.ingest()
    _, run = work.purge(AUTUMN)
    assert (run.disposed, order(work)["listed"]) == (7, 6)
    assert work.explain("other-1", AUTUMN).upstream == "unknown"
    with work.context.database.read() as connection:
        record = gather(connection, work.context.installation, run.id)
    assert (record.upstream_level, record.unlisted) == ("unknown", 1)
    work.office.drop("c.csv", [row("other-2", "2026-11-01 09:00:00")]).rename(folder / "c.csv")
    work.ingest(AUTUMN)
    work.purge(datetime(2027, 2, 10, tzinfo=UTC))
    assert len(list_orders(work.context)) == 1


def test_export_settles_the_order_of_its_days_and_leaves_the_other(ordered: Work) -> None:
    ordered.take([row("n-1", "2026-11-22 09:00:00")])
    again = datetime(2027, 2, 23, 12, tzinfo=UTC)
    ordered.purge(again - timedelta(days=2))
    ordered.purge(again)
    check(ordered, [], export("22112026000000", "24022027000000"), again + timedelta(days=3))
    assert [one["state"] for one in list_orders(ordered.context)] == ["unknown", "absent"]


def test_export_that_settles_one_of_two_orders_leaves_the_other(work: Work) -> None:
    work.take(ROWS)
    for day in (4, 10):
        work.purge(datetime(2026, 11, day, 12, tzinfo=UTC))
    check(work, [], export("04082026000000", "01122026000000"))
    assert [(one["state"], one["left"]) for one in list_orders(work.context)] == [("ordered", 3), ("absent", 0)]
    check(work, [ROWS[0], fresh()], export("31072026000000", "01082026000000"))
    assert [one["state"] for one in list_orders(work.context)] == ["present", "absent"]


# What people do.


def test_list_is_private_named_in_the_log_and_goes_with_the_identifiers(ordered: Work, tmp_path: Path) -> None:
    path = tmp_path / "order-1.csv"
    assert export_order(ordered.context, 1, path, now=AUTUMN, person="Ann Example") == 6
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert digest == order(ordered)["list_digest"]
    [entry] = ordered.entries("exported")
    assert (entry["what"], entry["digest"], entry["rows"]) == ("upstream-order-csv", digest, 6)
    assert "Ann" not in str(ordered.entries())
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0][0] == "DRILL: Disposal order 1"
    assert [line[1] for line in lines[2:]] == [f"m-{number}" for number in range(6)]
    check(ordered, [fresh()])
    assert not path.exists()
    assert digest in [entry["file_digest"] for entry in ordered.entries("file_disposed")]
    with pytest.raises(UsageError, match=r"closed \(absent\)"):
        export_order(ordered.context, 1, path, now=LATER, person="Ann")


def test_page_to_print_is_written_by_its_name_and_other_names_are_refused(ordered: Work, tmp_path: Path) -> None:
    export_order(ordered.context, 1, tmp_path / "order.html", now=AUTUMN, person="Ann")
    assert "m-3" in (tmp_path / "order.html").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match=r"\.csv"):
        export_order(ordered.context, 1, tmp_path / "order.txt", now=AUTUMN, person="Ann")
    with pytest.raises(RetentionError, match="cannot be written"):
        export_order(ordered.context, 1, tmp_path / "missing" / "order.csv", now=AUTUMN, person="Ann")
    assert len(ordered.dump("kept_file")["kept_file"]) == 1


def test_attestation_keeps_names_out_of_the_log_and_shows_nothing_by_itself(ordered: Work) -> None:
    assert attest_order(ordered.context, 1, by="Ann Example", reference="ticket 4711", now=AUTUMN) == "attested"
    [entry] = ordered.entries("upstream_attested")
    assert (entry["order"], entry["count"]) == (1, 6)
    assert entry["by"].startswith("sha256:")
    assert "Ann" not in str(ordered.entries())
    [told] = order(ordered)["attestations"]
    assert (told["by"], told["reference"], told["refuted_at"]) == ("Ann Example", "ticket 4711", None)
    assert figures(ordered) == ("attested", 6, 0, 0, 0)
    with pytest.raises(UsageError, match="attested already"):
        attest_order(ordered.context, 1, by="Bo", reference="x", now=AUTUMN)
    assert ordered.status(DUE).upstream == {"ordered": 6, "overdue": 0, "present": 0}
    assert ordered.explain("m-1").upstream == "attested"


def test_two_people_attest_where_two_are_asked_for(work: Work) -> None:
    work.reopen(("[purge]", "[upstream]\nattestations = 2\n[purge]"))
    work.take(ROWS)
    work.purge(AUTUMN)
    assert attest_order(work.context, 1, by="Ann Example", reference="x", now=AUTUMN) == "ordered"
    with pytest.raises(UsageError, match="the same person"):
        attest_order(work.context, 1, by="  ann  EXAMPLE ", reference="y", now=AUTUMN)
    assert attest_order(work.context, 1, by="Bo", reference="y", now=AUTUMN) == "attested"
    assert len(work.entries("upstream_attested")) == 2


def test_there_is_no_order_of_another_number(ordered: Work) -> None:
    for act in (
        lambda: show_order(ordered.context, 2),
        lambda: attest_order(ordered.context, 2, by="Ann", reference="x", now=AUTUMN),
    ):
        with pytest.raises(UsageError, match="there is no order 2"):
            act()


def test_order_that_nobody_attests_in_time_puts_the_promise_at_risk(ordered: Work) -> None:
    before = ordered.status(DUE - timedelta(seconds=1))
    assert (before.promise, before.upstream["overdue"]) == ("kept", 0)
    status = ordered.status(DUE)
    assert (status.promise, status.upstream) == ("at_risk", {"ordered": 6, "overdue": 6, "present": 0})
    assert status.reasons == [
        "order 1 was to be carried out by 2026-11-29, nobody attested it; see: retention upstream show 1"
    ]


# What later exports show.


def test_later_export_of_the_days_without_the_messages_shows_that_they_are_gone(ordered: Work) -> None:
    attest_order(ordered.context, 1, by="Ann", reference="x", now=AUTUMN)
    check(ordered, [fresh()])
    assert figures(ordered) == ("absent", 0, 6, 0, 0)
    [entry] = ordered.entries("upstream_absent")
    assert (entry["order"], entry["count"], entry["window_from"]) == (1, 6, "2026-07-31T23:00:00Z")
    assert ordered.ask("SELECT * FROM upstream_item") == []
    assert ordered.ask("SELECT salt FROM upstream_order") == [(None,)]
    assert ordered.status(LATER).promise == "kept"
    assert ordered.status(LATER).upstream == {"ordered": 0, "overdue": 0, "present": 0}
    assert ordered.explain("m-1").upstream == "absent"


def test_message_that_comes_back_in_a_later_export_is_present_and_breaks_the_promise_after_the_grace(
    ordered: Work,
) -> None:
    attest_order(ordered.context, 1, by="Ann", reference="x", now=AUTUMN)
    seen = AUTUMN + timedelta(days=2)
    check(ordered, [ROWS[2], row("fresh", "2026-11-24 09:00:00")], "a.csv", seen)
    # Without a window in its name the file proves whole days only between its first and its last receipt.
    assert figures(ordered) == ("present", 3, 3, 1, 0)
    assert order(ordered)["attestations"][0]["refuted_at"] == "2026-11-24T09:00:00Z"
    [finding] = ordered.findings("upstream-present")
    assert (finding.source, finding.file) == (SOURCE, "order 1")
    status = ordered.status(seen)
    assert (status.promise, status.upstream) == ("at_risk", {"ordered": 3, "overdue": 0, "present": 1})
    assert ordered.status(DUE + timedelta(days=1)).promise == "at_risk"
    late = ordered.status(DUE + timedelta(days=1, seconds=1))
    assert late.promise == "broken"
    assert "still holds 1 message of order 1" in late.reasons[0]
    assert [ordered.explain(name).upstream for name in ("m-2", "m-0", "m-4")] == ["present", "ordered", "absent"]
    # A person's word does not outweigh it, the next export does.
    assert attest_order(ordered.context, 1, by="Ann", reference="again", now=seen) == "present"
    check(ordered, [fresh("other")])
    assert figures(ordered) == ("absent", 0, 6, 0, 0)
    assert ordered.findings("upstream-present") == []
    assert ordered.status(LATER).promise == "kept"


def test_present_message_that_goes_leaves_the_rest_attested(ordered: Work) -> None:
    seen = AUTUMN + timedelta(days=2)
    check(ordered, [ROWS[0], row("fresh", "2026-11-24 09:00:00")], export("01082026000000", "02082026000000"), seen)
    assert figures(ordered) == ("present", 6, 0, 1, 0)
    attest_order(ordered.context, 1, by="Ann", reference="x", now=seen)
    check(ordered, [fresh("a")], export("01082026000000", "04082026000000", "b"))
    assert figures(ordered) == ("attested", 3, 3, 0, 0)


@pytest.mark.parametrize(
    ("rows", "name", "left"),
    [
        ([], export("01082026000000", "22112026120000"), 6),
        ([row("fresh", "2026-11-20 09:00:00")], "a.csv", 6),
        ([], export("01082026000000", "22112026120001"), 0),
        ([], export("02082026000000", "01122026000000"), 1),
        ([], export("02082026000001", "01122026000000"), 2),
        ([fresh()], export("01082026000000", "04082026120000"), 3),
        ([fresh()], "a.csv", 6),
        ([row("old", "2026-08-03 23:00:00", private=False), fresh()], "a.csv", 3),
        ([fresh(), row("", "2026-08-03 23:00:00")], WHOLE, 6),
    ],
    ids=[
        "made before the order",
        "nothing in it is later",
        "a second later",
        "without the first day",
        "without the first second of the second day",
        "half of the fourth day, by a name that is old but a message that is new",
        "one receipt spans no day",
        "the day of the first receipt is not whole",
        "a rejected row might be the message",
    ],
)
def test_absence_is_shown_only_by_a_later_export_that_has_the_whole_day(
    ordered: Work, rows: list[tuple[str, ...]], name: str, left: int
) -> None:
    check(ordered, rows, name)
    assert order(ordered)["left"] == left


def test_old_export_that_is_dropped_again_shows_nothing(ordered: Work) -> None:
    check(ordered, ROWS, "under-another-name.csv")
    assert figures(ordered) == ("ordered", 6, 0, 0, 0)
    assert ordered.findings("upstream-present") == []
    check(ordered, [*ROWS, row("public", "2026-08-07 09:00:00", private=False)], "other-bytes.csv")
    assert figures(ordered) == ("ordered", 6, 0, 0, 0)


def test_message_that_the_source_dates_anew_is_known_by_its_identifier(ordered: Work) -> None:
    check(ordered, [row("m-2", "2026-11-29 09:00:00"), fresh()])
    assert figures(ordered) == ("present", 1, 5, 1, 0)


def test_later_export_does_not_forget_what_a_still_later_one_showed(ordered: Work) -> None:
    check(ordered, [ROWS[1], fresh()])
    check(ordered, [], export("01082026000000", "25112026000000", "b"), LATER + timedelta(hours=1))
    assert figures(ordered) == ("present", 1, 5, 1, 0)


def test_file_that_breaks_off_shows_presence_and_no_absence(ordered: Work) -> None:
    path = ordered.office.drop(WHOLE, [ROWS[1], fresh()])
    path.write_bytes(path.read_bytes() + b"\x00" * 10 + b"\r\n" + b'"' + b"x" * 3_000_000)
    [result] = ordered.ingest(LATER)
    assert result.refused or result.progress.rejected
    assert figures(ordered) == ("present", 6, 0, 1, 0)


def test_export_of_another_source_shows_nothing(ordered: Work) -> None:
    ordered.reopen(("[purge]", OTHER))
    folder = ordered.office.folder / "other"
    folder.mkdir()
    ordered.office.drop(WHOLE, [ROWS[0], fresh()]).rename(folder / WHOLE)
    ordered.ingest(LATER)
    assert figures(ordered) == ("ordered", 6, 0, 0, 0)


def test_identifiers_go_when_they_were_kept_for_as_long_as_they_may_be(ordered: Work, tmp_path: Path) -> None:
    export_order(ordered.context, 1, tmp_path / "o.html", now=AUTUMN, person="Ann")
    check(ordered, [ROWS[5], fresh()], export("01082026000000", "03082026000000"))
    assert figures(ordered) == ("present", 4, 2, 1, 0)
    end = datetime(2027, 2, 22, 12, tzinfo=UTC)
    ordered.ingest(end - timedelta(seconds=1))
    assert figures(ordered) == ("present", 4, 2, 1, 0)
    ordered.ingest(end)
    assert figures(ordered) == ("unknown", 0, 2, 0, 4)
    assert ordered.ask("SELECT * FROM upstream_item") == []
    assert not (tmp_path / "o.html").exists()
    assert [entry["count"] for entry in ordered.entries("upstream_unknown")] == [4]
    assert {one.kind for one in ordered.findings()} == {"upstream-present", "upstream-unknown"}
    assert ordered.explain("m-4").upstream == "unknown"
    with pytest.raises(UsageError, match="closed"):
        attest_order(ordered.context, 1, by="Ann", reference="x", now=end)


def test_forgetting_does_not_mend_a_broken_promise(ordered: Work) -> None:
    check(ordered, [ROWS[5], fresh()], export("01082026000000", "03082026000000"))
    end = datetime(2027, 2, 22, 12, tzinfo=UTC)
    assert ordered.status(end).promise == "broken"
    ordered.ingest(end)
    assert ordered.status(end).promise == "broken"


# Messages that stand in no order.


def test_stray_past_its_period_is_at_risk_and_breaks_the_promise_after_the_grace(work: Work) -> None:
    day = datetime(2026, 11, 2, 12, tzinfo=UTC)
    work.take([row("stray", "2026-08-01 09:00:00"), row("fresh", "2026-11-02 09:00:00")], now=day)
    assert work.status(day).promise == "at_risk"
    assert work.status(day).upstream["present"] == 1
    late = datetime(2026, 11, 3, tzinfo=UTC) + timedelta(seconds=1)
    status = work.status(late)
    assert status.promise == "broken"
    assert "still holds 1 message past the period, the first due since 2026-11-02T00:00:00Z" in status.reasons[0]


def test_later_export_without_the_stray_mends_its_finding(work: Work) -> None:
    work.take([row("stray", "2026-08-01 09:00:00"), row("new", "2026-11-21 09:00:00")], now=AUTUMN)
    for name in (export("02082026000000", "01122026000000"), export("01082026000000", "01112026000000", "b")):
        work.take([], name, now=LATER)  # without its day, or not later
        assert len(work.findings("upstream-present")) == 1
    check(work, [fresh()])
    assert work.findings("upstream-present") == []
    assert work.status(LATER).promise == "kept"


def test_later_export_that_still_has_the_stray_tells_it_anew(work: Work) -> None:
    work.take([row("stray", "2026-08-01 09:00:00"), row("new", "2026-11-21 09:00:00")], now=AUTUMN)
    check(work, [row("stray", "2026-08-01 09:00:00")])
    assert [one.file for one in work.findings("upstream-present")] == [WHOLE]


def test_listed_and_stray_messages_of_one_export_are_told_apart(ordered: Work) -> None:
    check(ordered, [*ROWS[:2], row("stray", "2026-08-02 10:00:00"), fresh()])
    assert figures(ordered) == ("present", 2, 4, 2, 0)
    assert [one.file for one in ordered.findings("upstream-present")] == ["order 1", WHOLE]
    assert "has 1 message past the period" in ordered.findings("upstream-present")[1].reason
    assert ordered.status(LATER).upstream == {"ordered": 2, "overdue": 2, "present": 3}


# What else knows of orders.


def test_record_of_the_run_tells_how_far_the_evidence_goes(ordered: Work) -> None:
    def told() -> tuple[str, str]:
        with ordered.context.database.read() as connection:
            record = gather(connection, ordered.context.installation, 1)
        assert f'"upstream": "{record.upstream_level}"'.encode() in record_as_json(record)
        return record.upstream_level, upstream_reason(record)

    assert told()[0] == "ordered"
    assert "Order 1 to hootsuite-inbox, due by 29 November 2026: 6 messages; nobody has attested it yet." in told()[1]
    check(ordered, [ROWS[0], fresh()])
    assert told()[0] == "present"
    assert "5 shown gone, 1 shown present" in told()[1]
    ordered.take([], export("01082026000000", "02122026000000"), LATER + timedelta(days=2))
    assert told()[0] == "absent"
    assert "6 messages, 6 shown gone; later exports show that all are gone." in told()[1]
    ordered.tell("UPDATE upstream_order SET listed = 4, absent = 4")
    assert told()[0] == "unknown"
    assert "Of 2 messages more nothing is known" in told()[1]


def test_search_for_residue_excepts_open_orders_in_the_database_alone_and_counts_them(
    sqlite_work: Work, tmp_path: Path
) -> None:
    sqlite_work.take([row(f"message-{number}", f"2026-08-0{1 + number} 09:00:00") for number in range(3)])
    _, run = sqlite_work.purge(AUTUMN)
    assert run.residue == 0
    names = [f"message-{number}" for number in range(3)]
    assert departures.residue(sqlite_work.context, [*names, "never-seen"]) == ({}, 3, {})
    left = sqlite_work.context.settings.paths.state / "left.csv"
    left.write_text("message-1", encoding="utf-8")
    assert departures.residue(sqlite_work.context, names) == ({left: 1}, 3, {})
    left.unlink()
    sqlite_work.tell("INSERT INTO redated VALUES (1, '1:message-2', 1)")
    assert departures.residue(sqlite_work.context, names) == ({tmp_path / "register.db": 1}, 3, {})
    sqlite_work.tell("DELETE FROM redated")
    sqlite_work.run(AUTUMN + timedelta(hours=1))
    check(sqlite_work, [fresh()])
    sqlite_work.run(LATER + timedelta(hours=1))  # what went from the order is erased by the next run
    assert departures.residue(sqlite_work.context, names) == ({}, 0, {})
    assert sqlite_work.ask("SELECT unerased FROM upstream_order") == [(0,)]


def test_message_that_stands_in_one_run_twice_is_listed_without_harm(work: Work) -> None:
    """An import that was cut off leaves a message under two times of receipt, and the purge comes before its end."""
    work.take([row("m-1", "2026-08-01 09:00:00"), *(row(f"n-{n}", f"2026-08-02 09:00:{n:02}") for n in range(12))])
    work.tell(
        "INSERT INTO message SELECT received_at + 86400 * 2, message_key, class_id, pseudonym, conversation, contact, "
        "import_id, last_seen_at FROM message WHERE message_key = '1:m-1'"
    )
    work.tell(
        "INSERT INTO message SELECT received_at + 1, message_key, class_id, pseudonym, conversation, contact, "
        "import_id, last_seen_at FROM message WHERE message_key = '1:m-1'"
    )
    _, run = work.purge(AUTUMN)
    assert run.disposed == 16
    assert [day["messages"] for day in order(work)["days"]] == [1, 12, 1]
    check(work, [fresh()])
    assert order(work)["state"] == "absent"
