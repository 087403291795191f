"""An export that cannot be opened for a moment is taken by the next run, and nobody has to tidy up after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention import cycle
from retention.watcher import Watcher
from tests.faults.meanwhile import number_of
from tests.kit import row

if TYPE_CHECKING:
    from tests.kit import Office

OPEN = "SELECT count(*) FROM finding WHERE resolved_at IS NULL AND kind = 'unrecognised-file'"


def _ingest(office: Office) -> None:
    context = office.open()
    cycle.ingest(context, office.now, Watcher())
    context.database.close()


def test_the_finding_about_a_file_that_could_not_be_read_goes_when_it_can_be(sqlite_office: Office) -> None:
    late = sqlite_office.landing / "late.csv"
    late.symlink_to(sqlite_office.folder / "not-there-yet.csv")
    sqlite_office.drop("good.csv", [row("message-1")])
    _ingest(sqlite_office)
    assert number_of(sqlite_office, OPEN) == 1
    late.unlink()
    sqlite_office.drop("late.csv", [row("message-2")])
    _ingest(sqlite_office)
    assert number_of(sqlite_office, OPEN) == 0
    assert number_of(sqlite_office, "SELECT count(*) FROM message") == 2


def test_the_finding_about_a_strange_file_stays_until_the_file_is_taken_away(sqlite_office: Office) -> None:
    strange = sqlite_office.landing / "minutes.pdf"
    strange.write_bytes(b"%PDF-")
    for _ in range(2):
        _ingest(sqlite_office)
        assert number_of(sqlite_office, OPEN) == 1
    strange.unlink()
    _ingest(sqlite_office)
    assert number_of(sqlite_office, OPEN) == 0
