"""A message that comes with two times of receipt: the earlier is kept, the later row goes, and the log says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.errors import StoppedError
from retention.watcher import Watcher
from tests.integration.work import AUTUMN, at
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work

EARLIER, LATER = "2026-08-01 09:00:00", "2026-08-03 10:00:00"


def times(work: Work) -> list[int]:
    return [received for (received,) in work.ask("SELECT received_at FROM message ORDER BY received_at")]


@pytest.mark.parametrize(("first", "second"), [(EARLIER, LATER), (LATER, EARLIER)], ids=["later after", "later before"])
def test_earlier_time_is_kept_whichever_came_first(work: Work, first: str, second: str) -> None:
    work.take([row("moved", first), row("other", first)], "a.csv")
    result = work.take([row("moved", second)], "b.csv")
    assert result.progress.registered == 1
    assert work.ids() == ["moved", "other"]
    assert at("2026-08-01T09:00:00+01:00") in times(work)
    [finding] = work.findings("received-time-changed")
    assert (finding.file, finding.source) == ("b.csv", "hootsuite-inbox")
    assert "2026-08-01T08:00:00Z" in finding.reason
    assert "2026-08-03T09:00:00Z" in finding.reason
    assert "moved" not in finding.reason
    [entry] = work.entries("redated")
    assert (entry["received_on"], entry["previous_on"]) == ("2026-08-01", "2026-08-03")
    assert work.ask("SELECT * FROM redated") == []


def test_both_times_in_one_file_leave_the_earlier(work: Work) -> None:
    result = work.take([row("moved", LATER), row("still", EARLIER), row("moved", EARLIER)])
    assert result.progress.counts()["registered"] == 3
    assert sorted(work.ids()) == ["moved", "still"]
    assert times(work) == [at("2026-08-01T09:00:00+01:00")] * 2
    assert len(work.entries("redated")) == 1


def test_three_times_leave_the_earliest(work: Work) -> None:
    work.take([row("moved", "2026-08-05 09:00:00")], "a.csv")
    work.take([row("moved", "2026-08-01 09:00:00"), row("moved", "2026-08-03 09:00:00")], "b.csv")
    assert times(work) == [at("2026-08-01T09:00:00+01:00")]
    assert len(work.entries("redated")) == 2


def test_many_changed_times_each_have_an_entry_that_fits_the_row_that_is_gone(work: Work) -> None:
    work.take([row(f"moved-{n}", f"2026-08-01 09:{n:02}:00") for n in range(30)], "a.csv")
    work.take([row(f"moved-{n}", f"2026-08-02 09:{n:02}:00") for n in range(30)], "b.csv")
    assert len(work.ids()) == len(set(work.ids())) == 30
    registered = {name for (name,) in work.ask("SELECT pseudonym FROM message")}
    # Both times lie in one month, so the row that stays bears the name that the entry gives.
    assert {entry["pseudonym"] for entry in work.entries("redated")} == registered
    assert len(work.findings("received-time-changed")) == 30


def test_two_sources_may_use_the_same_identifier(work: Work) -> None:
    (work.office.folder / "second").mkdir()
    work.reopen(("[purge]", _SECOND_SOURCE + "[purge]"))
    work.office.drop("a.csv", [row("same", EARLIER)])
    (work.office.landing / "a.csv").rename(work.office.folder / "second" / "a.csv")
    work.office.drop("a.csv", [row("same", LATER)])
    assert [result.progress.registered for result in work.ingest()] == [1, 1]
    assert work.ids() == ["same", "same"]
    assert work.findings() == []


@pytest.mark.parametrize("after", ["ingest", "purge", "run"])
def test_later_row_under_a_hold_stays_until_the_release(work: Work, after: str) -> None:
    work.take([row("moved", EARLIER)], "a.csv")
    hold = work.hold(message="moved")
    work.take([row("moved", LATER)], "b.csv")
    assert work.ids() == ["moved", "moved"]
    assert work.entries("redated") == []
    work.ingest()
    assert work.ids() == ["moved", "moved"]
    work.release(hold)
    getattr(work, after)()
    assert times(work) == [at("2026-08-01T09:00:00+01:00")]
    assert len(work.entries("redated")) == 1


def test_row_under_a_second_time_is_nowhere_once_it_was_purged(work: Work) -> None:
    work.take([row("moved-message", EARLIER)], "a.csv")
    hold = work.hold(message="moved-message")
    work.take([row("moved-message", LATER)], "b.csv")
    work.release(hold, AUTUMN)
    _, run = work.purge(AUTUMN)
    assert work.ids() == []
    assert run.residue == 0
    assert "1:moved-message" not in repr(work.dump())  # the order spells it bare


def test_import_that_is_told_to_stop_before_its_end_finds_changed_times_when_it_goes_on(work: Work) -> None:
    work.take([row("moved", EARLIER)], "a.csv")
    work.office.drop("b.csv", [row("moved", LATER)])

    def stop() -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        work.ingest(watcher=Watcher(stop=stop))
    assert work.ids() == ["moved", "moved"]
    work.ingest()
    assert times(work) == [at("2026-08-01T09:00:00+01:00")]


_SECOND_SOURCE = """
[[source]]
name = "second"
kind = "csv-export"
preset = "hootsuite-inbox"
path = "second"
time_zone = "Europe/London"
settle_seconds = 0
"""
