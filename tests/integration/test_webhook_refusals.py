"""Calls of webhooks that are turned away: counted, with the time of the last one, and nothing of what they said."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from retention.report.view import status_as_text
from retention.service.event import Outcome
from retention.service.turned_away import TurnedAway
from tests.integration.hook import DOOR, at_work, take, taking
from tests.integration.work import SUMMER
from tests.receiver import NAME, event, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.work import Work
    from tests.kit import Office


@pytest.fixture
def work(office: Office) -> Iterator[Work]:
    """Give an office with a webhook, once on SQLite and once on PostgreSQL; its log must verify afterwards."""
    yield from at_work(office)


def turned_away(work: Work) -> list[dict[str, Any]]:
    refused: list[dict[str, Any]] = work.status().inbox["refused"]
    return refused


def test_calls_that_were_turned_away_are_told_by_the_status_and_outlive_the_service(work: Work) -> None:
    later = SUMMER + timedelta(hours=2)
    with taking(work) as receiver:
        assert receiver.take(DOOR, b"{}", "0" * 64, "Jane Doe") is Outcome.REFUSED
        assert receiver.take(DOOR, b"{}", "", "") is Outcome.REFUSED
        assert take(receiver, event(at=SUMMER)) is Outcome.KEPT
        assert turned_away(work) == [], "no call costs a write of its own"
    with taking(work, later) as again:
        assert again.take(DOOR, b"{}", "", "") is Outcome.REFUSED
        assert again.turn_away(DOOR, Outcome.TOO_LARGE) is Outcome.TOO_LARGE
    assert turned_away(work) == [
        {"source": NAME, "outcome": "refused", "calls": 3, "last_at": "2026-08-10T14:00:00Z"},
        {"source": NAME, "outcome": "too_large", "calls": 1, "last_at": "2026-08-10T14:00:00Z"},
    ]
    status = work.status(later)
    assert status.promise == "kept"
    told = "turned away: 3 not signed as agreed (401), 1 too large (413); the last 2026-08-10T14:00:00Z"
    assert any(line.startswith(f"  calls of {NAME} ") and line.endswith(told) for line in status_as_text(status))
    assert not any("Jane" in str(rows) for rows in work.dump().values())


def test_count_that_could_not_be_written_down_is_kept_for_the_next_time(work: Work) -> None:
    counting = TurnedAway(work.context.database, lambda: SUMMER)
    counting.note(NAME, Outcome.KEPT)
    counting.note(NAME, Outcome.REFUSED)
    counting.write()
    work.tell("ALTER TABLE webhook_refusal RENAME TO lost")
    counting.write(now=True)
    work.tell("ALTER TABLE lost RENAME TO webhook_refusal")
    counting.note(NAME, Outcome.REFUSED)
    counting.write(now=True)
    assert [(one["outcome"], one["calls"]) for one in turned_away(work)] == [("refused", 2)]


def test_count_is_written_down_while_calls_go_on(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retention.service.turned_away.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("retention.service.receive.PAUSE_SECONDS", 0.01)
    with taking(work) as receiver:
        receiver.turn_away(DOOR, Outcome.NOT_JSON)
        until(lambda: [one["calls"] for one in turned_away(work)] == [1])
