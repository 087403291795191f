"""A hold that another process places in the middle of a purge counts from the very next batch."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

from retention.acts.holding import HoldOrder, place_hold
from retention.errors import TransientDatabaseError
from retention.store import sqlite
from tests.faults.facts import entries_of, names_in, wrong_with
from tests.faults.meanwhile import number_of, register, running, wait_until

if TYPE_CHECKING:
    import pytest

    from tests.kit import Office

MESSAGES = 200
HELD = [f"message-{number:04}" for number in range(0, MESSAGES, 2)]
ORDER = HoldOrder(
    kind="sar",
    owner="Information rights team",
    reason="SAR 12",
    review_on=date(2028, 1, 1),
    selectors={"contact": ("held-contact",)},
)


def _place(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Place the hold; on SQLite ask again and again, because who waits politely may wait to the end of the purge."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.001)
    context = office.open()
    try:
        while True:
            try:
                place_hold(context, ORDER, office.now)
            except TransientDatabaseError:
                continue
            return
    finally:
        context.database.close()


def test_a_hold_placed_in_the_middle_of_a_purge_counts_from_the_very_next_batch(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(office, MESSAGES, batch_size=1, held_every=2)
    with running(office, "purge") as purge:
        wait_until(office, "SELECT count(*) FROM purge_batch")
        _place(office, monkeypatch)
        ended = purge.end()
    assert ended.code == 0, ended.err
    monkeypatch.undo()

    entries = entries_of(office)
    (placed,) = (index for index, entry in enumerate(entries) if entry["kind"] == "hold_placed")
    batches = [index for index, entry in enumerate(entries) if entry["kind"] == "batch"]
    assert batches[0] < placed < batches[-1], "the hold came too late to show anything; make the purge longer"
    covered = names_in(office, HELD)
    gone = [covered.get(entry["pseudonym"]) for entry in entries[:placed] if entry["kind"] == "disposal"]
    assert not [entry for entry in entries[placed:] if entry.get("pseudonym") in covered]
    kept = len(set(HELD) - set(gone))
    assert 0 < kept < len(HELD)
    assert number_of(office, "SELECT count(*) FROM message") == kept
    assert number_of(office, "SELECT skipped_held FROM run") == kept
    assert number_of(office, "SELECT due_after FROM run") == 0
    assert wrong_with(office) == []
    assert json.dumps(entries).count("held-contact") == 0
