"""What comes in: five counts that add up, and nothing that was there before or must not be there at all."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from retention.model import from_epoch, iso
from tests.integration.work import AUTUMN, SUMMER, at
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work

FIVE = ("registered", "duplicates", "not_covered", "born_expired", "rejected")


def test_every_row_is_in_one_of_five_counts(work: Work) -> None:
    work.take([row("known", "2026-08-01 09:00:00")], "first.csv")
    result = work.take(
        [
            row("new-1", "2026-08-02 09:00:00"),
            row("new-2", "2026-05-10 00:00:00"),
            row("known", "2026-08-01 09:00:00"),
            row("comment", "2026-08-02 10:00:00", private=False),
            row("expired", "2026-05-09 23:59:59"),
            row("", "2026-08-02 11:00:00"),
            row("bad-date", "2026-13-02 11:00:00"),
        ],
        "second.csv",
    )
    counts = result.progress.counts()
    assert counts == {"rows": 7, "registered": 2, "duplicates": 1, "not_covered": 1, "born_expired": 1, "rejected": 2}
    assert counts["rows"] == sum(counts[name] for name in FIVE)
    assert work.ids() == ["new-2", "known", "new-1"]
    entry = work.entries("import_done")[-1]
    assert {name: entry[name] for name in counts} == counts
    assert entry["file_digest"] == result.file_digest


def test_message_that_no_rule_covers_leaves_no_trace_but_a_number(work: Work) -> None:
    result = work.take([row("comment-1", "2026-08-02 10:00:00", private=False, channel="A wall")])
    assert result.progress.not_covered == 1
    assert work.ids() == []
    assert work.dump("message_class")["message_class"] == []
    assert work.findings() == []


def test_message_that_is_due_on_arrival_is_never_stored(work: Work) -> None:
    result = work.take([row("expired-1", "2026-05-09 10:00:00"), row("kept-1", "2026-05-10 10:00:00")])
    assert (result.progress.born_expired, result.progress.registered) == (1, 1)
    assert work.ids() == ["kept-1"]
    assert "expired-1" not in repr(work.dump())


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        ("2026-11-30T23:59:59+00:00", ["last-day"]),
        ("2026-12-01T00:00:00+00:00", []),
        ("2026-12-01T12:00:00+00:00", []),
    ],
)
def test_message_of_the_last_of_august_may_be_kept_through_november(work: Work, now: str, kept: list[str]) -> None:
    work.take([row("last-day", "2026-08-31 23:59:59")], now=from_epoch(at(now)))
    assert work.ids() == kept


def test_born_expired_message_is_reported_without_its_identifier(work: Work) -> None:
    work.take([row("expired-1", "2026-05-08 10:00:00"), row("fresh-1", "2026-08-09 10:00:00")])
    [finding] = work.findings("upstream-present")
    assert "1 message past the period" in finding.reason
    assert "since 2026-08-08T23:00:00Z" in finding.reason
    assert "expired-1" not in finding.reason
    assert (finding.file, finding.source) == ("a.csv", "hootsuite-inbox")


def test_old_export_that_was_right_when_it_was_made_says_nothing_of_upstream(work: Work) -> None:
    name = "[770][message][01052026000000][08052026000000][c0ffee].csv"
    result = work.take([row("expired-1", "2026-05-02 10:00:00"), row("expired-2", "2026-05-07 10:00:00")], name)
    assert result.progress.born_expired == 2
    assert result.window_to is not None
    assert iso(result.window_to) == "2026-05-07T23:00:00Z"
    assert work.findings("upstream-present") == []


def test_export_made_after_its_messages_were_due_says_that_upstream_keeps_them(work: Work) -> None:
    name = "[770][message][01052026000000][09082026000000][c0ffee].csv"
    work.take([row("expired-1", "2026-05-02 10:00:00")], name)
    assert len(work.findings("upstream-present")) == 1


@pytest.mark.parametrize(
    ("received", "registered"),
    [("2026-08-11 13:00:00", 1), ("2026-08-11 13:00:01", 0), ("2026-10-10 08:00:00", 0)],
    ids=["a day ahead", "a second more", "two months ahead"],
)
def test_message_more_than_a_day_in_the_future_is_rejected(work: Work, received: str, registered: int) -> None:
    result = work.take([row("future-1", received)])  # it is noon in UTC and 13:00 in London
    assert (result.progress.registered, result.progress.rejected) == (registered, 1 - registered)
    assert len(work.ids()) == registered
    for finding in work.findings("rejected-row"):
        assert (finding.line, finding.file) == (2, "a.csv")
        assert "more than a day in the future" in finding.reason


def test_rejected_row_is_told_by_file_line_column_and_reason_and_never_by_value(work: Work) -> None:
    result = work.take(
        [
            row("good-1", "2026-08-01 09:00:00", content="one\r\ntwo\r\nthree"),
            row("bad-id-MARKED", "2026-08-01T25:61:00 MARKED"),
            row("", "2026-08-01 09:00:00", contact="MARKED"),
            ("MARKED", "too", "few"),
            row("good-2", "2026-08-01 10:00:00"),
        ]
    )
    assert (result.progress.registered, result.progress.rejected) == (2, 3)
    found = [(one.file, one.line, one.column) for one in work.findings("rejected-row")]
    assert found == [("a.csv", 5, "Created at"), ("a.csv", 6, "Message ID"), ("a.csv", 7, None)]
    assert all(one.reason for one in work.findings())
    assert "MARKED" not in repr(work.dump())
    assert work.ids() == ["good-1", "good-2"]


def test_same_file_again_changes_nothing_whatever_it_is_called(work: Work) -> None:
    rows = [row(f"message-{n}", f"2026-08-01 09:00:{n:02}") for n in range(25)]
    first = work.take(rows, "a.csv")
    before = work.dump("message", "import", "audit_entry", "finding")
    again = work.take(rows, "another name.csv", now=AUTUMN)
    assert again.file_digest == first.file_digest
    assert again.already_imported
    assert again.progress.rows == 0
    after = work.dump("message", "import", "finding")
    assert after == {name: before[name] for name in after}
    assert work.kinds()["import_done"] == 1
    assert work.files() == []


def test_overlapping_files_register_each_message_once_and_only_say_when_it_was_seen(work: Work) -> None:
    def told(first: int, last: int) -> list[tuple[str, ...]]:
        return [row(f"message-{n}", f"2026-08-01 09:{n:02}:00", contact=f"c{n % 7}") for n in range(first, last)]

    later = SUMMER.replace(hour=18)
    assert work.take(told(0, 30), "a.csv").progress.registered == 30
    before = _without_last_seen(work)
    progress = work.take(told(20, 50), "b.csv", now=later).progress
    assert (progress.registered, progress.duplicates) == (20, 10)
    assert set(before) <= set(_without_last_seen(work))
    assert len(work.ids()) == 50
    seen = {key.partition(":")[2]: when for key, when in work.ask("SELECT message_key, last_seen_at FROM message")}
    assert {seen[f"message-{n}"] for n in range(20)} == {int(SUMMER.timestamp())}
    assert {seen[f"message-{n}"] for n in range(20, 50)} == {int(later.timestamp())}


def test_message_twice_in_one_file_is_registered_once(work: Work) -> None:
    twice = row("message-1", "2026-08-01 09:00:00")
    progress = work.take([twice, row("message-2", "2026-08-01 09:00:00"), twice, twice]).progress
    assert (progress.registered, progress.duplicates) == (2, 2)
    assert work.ids() == ["message-1", "message-2"]


def test_message_seen_in_an_older_run_of_the_clock_keeps_its_later_sighting(work: Work) -> None:
    work.take([row("message-1", "2026-08-01 09:00:00")], "a.csv", now=SUMMER)
    both = [row("message-1", "2026-08-01 09:00:00"), row("message-2", "2026-08-01 09:00:00")]
    work.take(both, "b.csv", now=SUMMER.replace(day=9))
    [(seen,)] = work.ask("SELECT last_seen_at FROM message WHERE message_key LIKE '%message-1'")
    assert seen == int(SUMMER.timestamp())


def test_old_export_dropped_again_after_its_purge_changes_nothing(work: Work) -> None:
    rows = [row(f"message-{n}", f"2026-08-0{1 + n % 9} 09:00:00") for n in range(18)]
    work.take(rows, "old.csv")
    work.take([row("fresh", "2026-11-20 09:00:00")], "fresh.csv", now=AUTUMN)
    _, run = work.purge(AUTUMN)
    assert run.disposed == 18
    before = work.dump("message", "message_class", "run", "hold", "month_key")
    # Once byte for byte, and once with another row, as an overlapping export would have it.
    assert work.take(rows, "old.csv", now=AUTUMN).already_imported
    progress = work.take([*rows, row("message-18", "2026-08-09 10:00:00")], "old again.csv", now=AUTUMN).progress
    assert (progress.born_expired, progress.registered, progress.duplicates) == (19, 0, 0)
    assert work.dump("message", "message_class", "run", "hold", "month_key") == before


def test_text_and_identifiers_of_people_are_nowhere_in_the_database(work: Work) -> None:
    work.take(
        [
            row("message-1", "2026-08-01 09:00:00", contact="MARKED-1", conversation="MARKED-2", content="MARKED 3"),
            row("message-2", "2026-05-01 09:00:00", contact="MARKED-4", conversation="MARKED-5", content="MARKED 6"),
            row("message-3", "nonsense", contact="MARKED-7", conversation="MARKED-8", content="MARKED 9"),
        ]
    )
    assert "MARKED" not in repr(work.dump())


def test_contact_has_one_pseudonym_a_month_and_another_in_the_next(work: Work) -> None:
    days = ("2026-07-03", "2026-07-04", "2026-08-01")
    work.take([row(f"message-{n}", f"{day} 09:00:00", contact="contact-1") for n, day in enumerate(days)])
    one, two, three = [name for (name,) in work.ask("SELECT contact FROM message ORDER BY received_at")]
    assert one == two != three
    assert [entry["month"] for entry in work.entries("key_created")] == ["2026-07", "2026-08"]


def test_identifier_of_a_month_whose_key_is_gone_stops_the_import_and_names_the_file(work: Work) -> None:
    work.take([row("message-1", "2026-08-01 09:00:00")])
    key = work.office.folder / "var" / "keys" / "month" / "2026-08.key"
    kept = key.read_bytes()
    key.unlink()
    work.office.drop("b.csv", [row("message-2", "2026-08-02 09:00:00")])
    with pytest.raises(Exception, match=r"2026-08\.key: is missing"):
        work.ingest()
    assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o600)
    assert work.ingest()[0].progress.registered == 1


def test_counts_add_up_for_any_mixture_of_rows(work: Work) -> None:
    rng = random.Random(20261122)  # noqa: S311 - the same rows every time
    known: set[tuple[str, str]] = set()
    for number in range(4):
        rows, expected = [], dict.fromkeys(FIVE, 0)
        for _ in range(60):
            identifier, minute = f"id-{rng.randrange(90)}", rng.randrange(60)
            kind = rng.choice(FIVE)
            if kind in {"registered", "duplicates"}:
                key = (identifier, "2026-08-01 09:00:00")
                expected["duplicates" if key in known else "registered"] += 1
                known.add(key)
                rows.append(row(*key))
                continue
            expected[kind] += 1
            received = {"not_covered": f"2026-08-01 10:{minute:02}:00", "born_expired": f"2026-04-01 10:{minute:02}:00"}
            rows.append(row(identifier, received.get(kind, "soon"), private=kind != "not_covered"))
        counts = work.take(rows, f"{number}.csv").progress.counts()
        assert counts == {"rows": 60, **expected}
    assert len(work.ids()) == len(known)


def _without_last_seen(work: Work) -> list[tuple[object, ...]]:
    return work.ask(
        "SELECT received_at, message_key, class_id, pseudonym, conversation, contact, import_id FROM message"
    )
