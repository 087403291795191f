"""Posts that are past their period when they are listed first: never registered, so nobody deletes them by a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.report.upstream import upstream_of

if TYPE_CHECKING:
    from tests.integration_api.branch import Branch


def test_posts_past_their_period_at_the_first_listing_are_a_finding_and_break_the_promise(branch: Branch) -> None:
    text = branch.office.config.read_text()
    assert 'keep = "P3M"' in text
    branch.office.config.write_text(text.replace('keep = "P3M"', 'keep = "P1M"'))
    results = branch.ingest()
    past = sum(result.progress.born_expired for result in results)
    assert past > 0
    told = [reason for kind, reason in branch.findings() if kind == "upstream-present"]
    assert told
    assert all("the source still holds them. They were never registered" in reason for reason in told)
    assert all("retention findings resolve" in reason for reason in told)
    with branch.context.database.read() as connection:
        found = upstream_of(connection, branch.office.now, branch.context.settings.purge.grace_time)
    assert found.present == past
    assert "still holds" in found.broken[0]
