"""The job that is disturbed: exports with all that can be wrong with them, ingested in autumn, purged in winter.

Ten days after the purge an export is ingested that was made to check its disposal order: one message is still there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

import pytest

from retention import arrivals, cycle
from retention.acts.holding import HoldOrder, place_hold
from retention.errors import SourceError
from retention.ingest.importing import Terms
from retention.watcher import Watcher
from tests.kit import NOW, Office, row

if TYPE_CHECKING:
    from pathlib import Path

    from retention.context import Context

Part = Literal["ingest", "purge", "check"]
PARTS: tuple[Part, ...] = ("ingest", "purge", "check")
INGESTED_AT = NOW
PURGED_AT = datetime(2027, 2, 12, 12, 0, tzinfo=UTC)
CHECKED_AT = datetime(2027, 2, 22, 12, 0, tzinfo=UTC)
CHECK = "later/[770][message][01092026000000][22022027000000][c0ffee].csv"
STILL_THERE = "due-03"
BATCH = 10

DUE = [f"due-{number:02}" for number in range(20)]
HELD = [f"held-{number}" for number in range(3)]
YOUNG = [f"young-{number}" for number in range(4)]
LATER_DUE = [f"later-{number}" for number in range(6)]
REDATED = "due-01"
IDENTIFIERS = [*DUE, *HELD, *YOUNG, *LATER_DUE]

_FIRST = [
    *(row(name, f"2026-09-{1 + number:02} 10:00:00") for number, name in enumerate(DUE)),
    *(row(name, f"2026-09-{10 + number} 10:00:00", contact="held-contact") for number, name in enumerate(HELD)),
    *(row(name, f"2026-11-{15 + number} 10:00:00") for number, name in enumerate(YOUNG)),
    *(row(f"public-{number}", private=False) for number in range(3)),
    *(row(f"expired-{number}", f"2026-07-{1 + number:02} 10:00:00") for number in range(2)),
    row(DUE[0], "2026-09-01 10:00:00"),
]
_SECOND = [
    *(row(name, f"2026-09-{1 + number:02} 10:00:00") for number, name in enumerate(DUE[:5]) if name != REDATED),
    *(row(name, f"2026-11-{1 + number:02} 10:00:00") for number, name in enumerate(LATER_DUE)),
    row(REDATED, "2026-11-08 10:00:00"),
    row("bad-date", "the day before yesterday"),
]


def prepared(folder: Path, url: str) -> Office:
    """Set an office up with a hold in place and exports in its landing folder; nothing is ingested yet."""
    office = Office(folder, url).found()
    context = office.open()
    order = HoldOrder(
        kind="litigation",
        owner="Legal",
        reason="claim 7",
        review_on=date(2028, 1, 1),
        selectors={"contact": ("held-contact",)},
    )
    place_hold(context, order, INGESTED_AT)
    context.database.close()
    first = office.drop("a-first.csv", _FIRST)
    office.drop("b-second.csv", _SECOND)
    (office.landing / "c-again.csv").write_bytes(first.read_bytes())
    later = [row(STILL_THERE, "2026-09-04 10:00:00"), row("public-9", "2027-02-20 10:00:00", private=False)]
    (folder / CHECK).parent.mkdir()
    office.drop("later.csv", later).rename(folder / CHECK)
    (office.landing / "d-broken.csv").write_text("Message ID,Nothing else\r\nbroken-1,x\r\n", encoding="utf-8")
    return office


def take_part(office: Office, part: Part, late: timedelta = timedelta()) -> None:
    """Do one part of the job as its command does, in small batches, at the part's own time or a little later."""
    context = office.open()
    try:
        if part == "purge":
            cycle.purge(context, PURGED_AT + late, Watcher())
            return
        if part == "check":
            _check(office, context, CHECKED_AT + late)
            return
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(arrivals, "Terms", partial(Terms, batch_size=BATCH))
            cycle.ingest(context, INGESTED_AT + late, Watcher())
    finally:
        context.database.close()


def go_on(office: Office, part: str, last: Part = "check") -> None:
    """Start the job again, from the part in which it was disturbed, and do it through the last part that is wanted."""
    first = next((number for number, each in enumerate(PARTS) if each == part), 0)
    for each in PARTS[first : PARTS.index(last) + 1]:
        take_part(office, each, timedelta(minutes=1))


def _check(office: Office, context: Context, now: datetime) -> None:
    """Ingest the export by its name; where it was ingested before, the turn disposes of it at its beginning."""
    path = office.folder / CHECK
    try:
        if path.exists():
            cycle.ingest(context, now, Watcher(), (context.source(None), [path]))
        else:
            cycle.ingest(context, now, Watcher())
    except SourceError:
        if path.exists():
            raise


def catch_up(office: Office) -> None:
    """Do everything that is left in one run, on the day of the purge."""
    context = office.open()
    cycle.run(context, PURGED_AT, Watcher())
    context.database.close()
