"""What monitoring reads of the promise: what is coming, the figures for Prometheus, the line of a plugin."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from retention import __version__
from retention.report.nagios import as_nagios, one_line, unknown
from retention.report.prometheus import METRICS, as_prometheus
from retention.standing import metrics
from tests.integration.work import AUTUMN, SUMMER
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work

ROWS = [
    row("m-1", "2026-08-01 09:00:00", contact="ann"),
    row("m-2", "2026-08-01 10:00:00", contact="bob"),
    row("m-3", "2026-08-02 09:00:00", contact="bob"),
    row("m-4", "2026-08-09 09:00:00", contact="bob"),
]
DUE_FROM = datetime.fromisoformat("2026-11-02T00:00:00+00:00")
EXPECTED = ("settle_seconds = 0", 'settle_seconds = 0\nexpect_every = "P7D"')
FIGURE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*=\d+s?;\d*;\d*;\d*(;\d*)?")


def values(text: str) -> dict[str, float]:
    """Read the exposition format with the parser of Prometheus's own client."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_coming_days_are_counted_by_the_day_from_which_messages_are_due(work: Work) -> None:
    work.take(ROWS)
    assert work.status().coming == []
    before = work.status(DUE_FROM - timedelta(days=3))
    assert before.coming == [{"on": "2026-11-02", "due": 2}, {"on": "2026-11-03", "due": 1}]
    assert before.next_due_at == "2026-11-02T00:00:00Z"
    later = work.status(DUE_FROM + timedelta(days=1))
    assert (later.due, later.coming) == (3, [{"on": "2026-11-10", "due": 1}])


def test_what_a_hold_keeps_is_not_coming(work: Work) -> None:
    work.take(ROWS)
    work.hold(contact="bob")
    assert work.status(DUE_FROM - timedelta(days=3)).coming == [{"on": "2026-11-02", "due": 1}]


def test_figures_say_what_the_status_says(work: Work) -> None:
    work.reopen(EXPECTED)
    work.take(ROWS)
    work.hold(contact="ann")
    now = DUE_FROM + timedelta(days=1)
    found = values(as_prometheus(work.status(now)))
    assert {name: found[name] for name in found if name.startswith("retention_promise_state")} == {
        "retention_promise_state{state=kept}": 0,
        "retention_promise_state{state=at_risk}": 0,
        "retention_promise_state{state=broken}": 1,
    }
    wanted = {
        "retention_status_timestamp_seconds": now.timestamp(),
        "retention_drill": 1,
        "retention_messages_registered": 4,
        "retention_messages_due": 2,
        "retention_messages_held": 1,
        "retention_messages_overdue": 1,
        "retention_overdue_oldest_seconds": 86_400,
        "retention_messages_coming_due": 1,
        "retention_next_due_timestamp_seconds": (DUE_FROM + timedelta(days=8)).timestamp(),
        "retention_last_complete_run_timestamp_seconds": 0,
        "retention_holds_active": 1,
        "retention_log_in_order": 1,
        "retention_log_verified_timestamp_seconds": 0,
        "retention_belt_closed": 0,
        "retention_source_silent{source=hootsuite-inbox}": 1,
        "retention_source_last_import_timestamp_seconds{source=hootsuite-inbox}": SUMMER.timestamp(),
        "retention_last_success_timestamp_seconds{activity=ingest}": SUMMER.timestamp(),
        "retention_last_success_timestamp_seconds{activity=purge}": 0,
        f"retention_build_info{{version={__version__}}}": 1,
    }
    assert {name: found[name] for name in wanted if name in found} == wanted


def test_figures_follow_a_run_and_its_findings(work: Work) -> None:
    work.take(ROWS)
    work.run(AUTUMN)
    found = values(metrics(work.context, AUTUMN))
    assert found["retention_last_complete_run_timestamp_seconds"] == AUTUMN.timestamp()
    assert found["retention_last_success_timestamp_seconds{activity=verify}"] == AUTUMN.timestamp()
    assert found["retention_log_entries"] == len(work.entries())
    open_kinds = {name: count for name, count in found.items() if name.startswith("retention_findings_open")}
    by_kind = work.status(AUTUMN).findings["by_kind"]
    assert open_kinds == {f"retention_findings_open{{kind={kind}}}": count for kind, count in by_kind.items()}
    assert found["retention_source_lag_seconds{source=hootsuite-inbox}"] > 0


def test_belt_that_stays_closed_shows(work: Work) -> None:
    work.take(ROWS)
    work.reopen(("max_share = 1.0", "max_share = 0.5"))
    with pytest.raises(Exception, match="safety belt share"):
        work.purge(AUTUMN)
    status = work.status(AUTUMN)
    assert values(as_prometheus(status))["retention_belt_closed"] == 1
    assert "belt_closed=1;0;;0;1" in as_nagios(status)


def test_every_metric_is_told_in_base_units_and_without_a_total(sqlite_work: Work) -> None:
    text = as_prometheus(sqlite_work.status())
    assert text.startswith("# DRILL")
    for metric in METRICS:
        assert re.fullmatch(r"retention_[a-z_]+", metric.name)
        assert not metric.name.endswith(("_total", "_days", "_ms", "_minutes"))
        assert f"# HELP {metric.name} {metric.says}\n# TYPE {metric.name} gauge\n" in text
    assert len({metric.name for metric in METRICS}) == len(METRICS)


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        (SUMMER, "RETENTION OK - DRILL 4 registered, next due on 2026-11-02 | registered=4;;;0 "),
        (
            DUE_FROM,
            "RETENTION WARNING - DRILL findings are open (1 source-silent); see: retention findings list ",
        ),
        (
            AUTUMN,
            "RETENTION CRITICAL - DRILL overdue and not held: 4 messages; run: retention purge (and 1 more) | ",
        ),
    ],
)
def test_line_of_the_plugin_has_the_answer_first_and_figures_after_the_bar(
    work: Work, now: datetime, begins: str
) -> None:
    work.reopen(EXPECTED)
    work.take(ROWS)
    if now == DUE_FROM:
        work.purge(now)
    line = as_nagios(work.status(now))
    assert line.startswith(begins)
    said, _, figures = line.partition(" | ")
    assert "\n" not in said
    for figure in figures.split(" "):
        assert FIGURE.fullmatch(figure), figure


def test_figures_of_the_plugin_tell_when_it_ran_and_how_far_behind_sources_are(work: Work) -> None:
    work.take(ROWS)
    work.purge(AUTUMN)
    line = as_nagios(work.status(AUTUMN + timedelta(hours=2)))
    assert " since_run=7200s;;;0" in line
    assert re.search(r" lag_hootsuite-inbox=\d+s;;;0$", line)


def test_nothing_that_ends_the_text_of_a_plugin_gets_into_it() -> None:
    assert one_line("a | b\nc\td") == "a / b c d"
    assert one_line("bell \x07") == "bell ?"
    assert len(one_line("x" * 900)) == 400
    assert unknown(" \n ") == "RETENTION UNKNOWN - no reason is known"
