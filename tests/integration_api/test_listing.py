"""Outbound messages come in window by window, whole, once, and whatever goes wrong on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration_api.branch import Branch


def test_every_message_of_the_look_back_is_registered_once_in_windows_of_four_weeks(branch: Branch) -> None:
    results = branch.ingest()
    spans = [result.window_to - result.window_from for result in results if result.window_from and result.window_to]
    assert [span.days for span in spans] == [28, 28, 4]
    assert branch.registered() == branch.everything()
    assert sum(result.progress.registered for result in results) == len(branch.everything())
    assert branch.findings() == []
    assert list(branch.office.landing.iterdir()) == []


def test_the_next_run_lists_only_what_is_new_and_a_day_of_overlap(branch: Branch) -> None:
    branch.ingest()
    branch.office.now = branch.office.now.replace(day=23)
    [result] = branch.ingest()
    assert result.window_from is not None
    assert branch.office.now - result.window_from == timedelta(days=2)
    assert result.progress.duplicates > 0
