"""Gaps in what was exported and sources that have gone silent: findings opened by each job and mended by late files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from retention.acts.resolving import resolve_finding
from tests.integration.work import SUMMER
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work


def export(first: str, last: str, mark: str = "c0ffee") -> str:
    return f"[770][message][{first}][{last}][{mark}].csv"


def gaps(work: Work) -> list[str]:
    return [finding.reason.partition(" (")[0] for finding in work.findings("coverage-gap")]


FIRST = export("01072026000000", "08072026000000")
THIRD = export("11072026000000", "18072026000000")
SECOND = export("07072026000000", "12072026000000")


def test_gap_between_exports_is_told_in_days_and_mended_when_its_export_arrives(work: Work) -> None:
    work.take([], FIRST)
    work.take([], THIRD)
    assert gaps(work) == ["no export of hootsuite-inbox covers 8 July 2026 to 10 July 2026"]
    assert work.status().promise == "at_risk"
    work.ingest(SUMMER + timedelta(hours=1))
    assert len(work.findings("coverage-gap", open_only=False)) == 1
    work.take([], SECOND, SUMMER + timedelta(hours=2))
    assert gaps(work) == []
    assert work.status(SUMMER + timedelta(hours=2)).promise == "kept"


def test_gap_that_becomes_smaller_is_told_anew(work: Work) -> None:
    work.take([], FIRST)
    work.take([], THIRD)
    work.take([], export("08072026000000", "10072026000000"))
    assert gaps(work) == ["no export of hootsuite-inbox covers 10 July 2026"]


def test_gap_that_a_person_resolved_is_not_told_again(work: Work) -> None:
    work.take([], FIRST)
    work.take([], THIRD)
    resolve_finding(work.context, work.findings("coverage-gap")[0].id, "the office was closed", SUMMER)
    work.ingest(SUMMER + timedelta(hours=1))
    assert gaps(work) == []


def test_old_export_whose_messages_would_be_past_their_period_opens_no_gap(work: Work) -> None:
    work.take([], THIRD)
    work.take([], export("01012026000000", "08012026000000"))
    assert gaps(work) == ["no export of hootsuite-inbox covers 8 January 2026 to 10 July 2026"]
    work.take([], export("01052026000000", "18072026000000"), SUMMER + timedelta(hours=1))
    assert gaps(work) == []


@pytest.mark.parametrize(
    ("end", "start", "gap"),
    [
        ("25102026013000", "25102026013000", []),
        ("25102026000000", "26102026000000", ["no export of hootsuite-inbox covers 25 October 2026"]),
        ("29032026010000", "29032026020000", []),
    ],
    ids=["an hour that occurs twice", "a day of 25 hours", "an hour that does not occur"],
)
def test_change_of_clocks_makes_no_gap_and_hides_none(work: Work, end: str, start: str, gap: list[str]) -> None:
    year = end[4:8]
    now = datetime(2026, 11, 2, tzinfo=UTC) if "10" in end[2:4] else datetime(2026, 4, 20, tzinfo=UTC)
    work.take([], export(f"0103{year}000000", end), now)
    work.take([], export(start, f"0104{year}000000" if "03" in end[2:4] else f"0111{year}000000"), now)
    assert gaps(work) == gap


def test_contents_stand_in_where_a_name_states_no_window(work: Work) -> None:
    work.take([row("a", "2026-07-01 09:00:00"), row("b", "2026-07-03 11:00:00", private=False)], "monday.csv")
    work.take([row("c", "2026-07-04 10:00:00"), row("d", "2026-07-05 10:00:00")], "tuesday.csv")
    assert gaps(work) == []
    work.take([row("e", "2026-07-08 10:00:00")], "late.csv")
    assert gaps(work) == ["no export of hootsuite-inbox covers 6 July 2026 to 7 July 2026"]
    work.take([], "empty.csv")
    assert len(gaps(work)) == 1


def test_refused_export_covers_nothing(work: Work) -> None:
    work.take([], FIRST)
    work.take([], THIRD)
    work.office.drop(SECOND, []).write_text("Message ID\r\n", encoding="utf-8")
    work.ingest(SUMMER + timedelta(hours=1))
    assert len(gaps(work)) == 1


def test_source_that_is_expected_and_silent_is_found_by_each_run_and_by_status_before_it(work: Work) -> None:
    work.reopen(("settle_seconds = 0", 'settle_seconds = 0\nexpect_every = "P2D"'))
    work.take([], FIRST)
    quiet = SUMMER + timedelta(days=2)
    work.run(quiet)
    assert work.status(quiet).promise == "kept"
    silent = quiet + timedelta(seconds=1)
    status = work.status(silent)
    assert status.promise == "at_risk"
    assert status.reasons == ["nothing was ingested from hootsuite-inbox since 2026-08-10T12:00:00Z"]
    assert status.sources[0]["silent"] is True
    for hours in (1, 2):
        work.run(quiet + timedelta(hours=hours))
    [finding] = work.findings("source-silent", open_only=False)
    assert "since 10 August 2026" in finding.reason
    work.take([], SECOND, quiet + timedelta(hours=3))
    assert work.findings("source-silent") == []


def test_source_that_never_gave_anything_is_silent_since_the_register_was_made(work: Work) -> None:
    work.reopen(("settle_seconds = 0", 'settle_seconds = 0\nexpect_every = "P1D"'))
    made = datetime(2026, 11, 22, 12, tzinfo=UTC)
    work.run(made + timedelta(days=1))
    assert work.findings("source-silent") == []
    work.run(made + timedelta(days=1, seconds=1))
    assert len(work.findings("source-silent")) == 1


def test_silence_is_not_watched_where_nothing_is_expected(work: Work) -> None:
    work.take([], FIRST)
    later = SUMMER + timedelta(days=300)
    assert work.status(later).sources == [
        {
            "source": "hootsuite-inbox",
            "last_import_at": "2026-08-10T12:00:00Z",
            "covered_through": "2026-07-07T23:00:00Z",
            "lag_days": 333,
            "lag_seconds": 28_817_999,
            "silent": False,
        }
    ]
    assert work.status(later).promise == "kept"
