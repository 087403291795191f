"""Whatever the interface does, nothing is lost or doubled, and what went wrong is told without a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.watcher import Watcher

if TYPE_CHECKING:
    from retention.sources.interface import SkippedFile
    from tests.integration_api.branch import Branch

LISTING = {"method": "GET", "path": "/v1/messages"}


def skipped_in(branch: Branch) -> list[str]:
    told: list[str] = []

    def skip(source: str, file: SkippedFile) -> None:
        assert source == "posts"
        told.append(file.reason)

    branch.ingest(Watcher(skip=skip))
    return told


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("status", {"status": 429}),
        ("status", {"status": 500}),
        ("status", {"status": 503}),
        ("html", {}),
        ("html", {"status": 502}),
        ("cut", {}),
        ("drop", {}),
        ("lost", {}),
        ("hang", {"seconds": 0.05}),
        ("slow", {"seconds": 0.05}),
    ],
)
def test_what_passes_is_tried_again_and_the_run_misses_nothing(
    branch: Branch, kind: str, fields: dict[str, float]
) -> None:
    branch.fail(kind, count=2, skip=1, **LISTING, **fields)
    assert skipped_in(branch) == []
    assert branch.registered() == branch.everything()


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("status", {"status": 429}, "Hootsuite answered with 429 (code "),
        ("status", {"status": 503}, "Hootsuite answered with 503"),
        ("html", {}, "Hootsuite answered with 200 and something that is not JSON"),
        ("drop", {}, "the connection to Hootsuite could not be made or broke off"),
        ("cut", {}, "the connection to Hootsuite could not be made or broke off"),
        ("html", {"status": 302}, "Hootsuite answered with 302, which sends elsewhere"),
        ("html", {"status": 418}, "Hootsuite answered with 418"),
    ],
)
def test_what_lasts_is_a_finding_and_the_next_run_goes_on(
    branch: Branch, kind: str, fields: dict[str, int], reason: str
) -> None:
    branch.fail(kind, count=100, skip=1, **LISTING, **fields)
    [told] = skipped_in(branch)
    assert told.startswith(reason)
    assert branch.findings() == [("listing-failed", told)]
    branch.simulator.control.did("/simulator/faults", "DELETE")
    assert skipped_in(branch) == []
    assert branch.findings() == []
    assert branch.registered() == branch.everything()


def test_an_error_is_told_by_its_code_and_id(branch: Branch) -> None:
    branch.simulator.control.did("/simulator/settings", requests_per_day=2)
    [told] = skipped_in(branch)
    assert told.startswith("Hootsuite answered with 429 (code 1003, error id ")
    assert "used up" in told
    counters = branch.simulator.control.got("/simulator/counters")
    assert counters["by_status"]["429"] == 1  # nothing is gained by asking again today


def test_a_partial_failure_keeps_the_data_and_does_not_count_as_listed(branch: Branch) -> None:
    branch.fail("partial", skip=1, **LISTING)
    results = branch.ingest()
    incomplete = [result for result in results if result.window_from is None]
    assert len(incomplete) == 1
    assert incomplete[0].progress.rejected > 0
    assert incomplete[0].progress.registered > 0
    kinds = {(kind, reason.partition(", error id")[0]) for kind, reason in branch.findings() if kind != "coverage-gap"}
    assert kinds == {("rejected-row", "Hootsuite left a message out: code 5000")}
    assert "coverage-gap" in dict(branch.findings())
    assert branch.registered() < branch.everything()
    assert list(branch.office.landing.iterdir()) == []
    again = sum(result.progress.registered for result in branch.ingest())
    assert again == incomplete[0].progress.rejected
    assert branch.registered() == branch.everything()
    assert branch.findings() == []


def test_other_sources_go_on_where_an_interface_fails(branch: Branch) -> None:
    text = branch.office.config.read_text()
    block = '[[source]]\nname = "inbox"\nkind = "csv-export"\npreset = "hootsuite-inbox"\npath = "inbox"\n'
    block += 'time_zone = "Europe/London"\nsettle_seconds = 0\n'
    branch.office.config.write_text(text.replace("[purge]", block + "[purge]"))
    branch.close()
    (branch.office.folder / "inbox").mkdir()
    branch.office.drop("export.csv", []).rename(branch.office.folder / "inbox" / "export.csv")
    branch.fail("status", status=500, count=100)
    results = branch.ingest()
    assert [result.source for result in results] == ["inbox"]


@pytest.mark.parametrize(
    ("name", "value"), [("HTTP_PROXY", "http://127.0.0.1:9"), ("ALL_PROXY", "socks5://127.0.0.1:9")]
)
def test_a_proxy_of_the_environment_is_not_asked(
    branch: Branch, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv(name.lower(), value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert skipped_in(branch) == []
