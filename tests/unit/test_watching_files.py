"""Alert rules and dashboard speak of metrics that the program has, and the rules ring when they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from retention.report.prometheus import METRICS
from retention.resources import resource

FOLDER = resource("deploy")
RULES = FOLDER / "prometheus" / "retention.rules.yml"
RULE_TESTS = FOLDER / "prometheus" / "retention.rules.test.yml"
NAMES = {metric.name for metric in METRICS}
NAME = re.compile(r"\bretention_[a-z_]+\b")
LABEL = re.compile(r'\b([a-z_]+)\s*(?:=~|!=|!~|=)\s*"')
LABELS = {"state", "instance"}
EXEMPT = {"RetentionFiguresMissing"}  # there is nothing left that could say that it was a drill
PROMTOOL = shutil.which("promtool")


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "grafana" / "retention.json").read_text(encoding="utf-8"))
    return found


def queries() -> list[str]:
    board = dashboard()
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return [*asked, *(one["query"] for one in board["templating"]["list"] if one["type"] == "query")]


@pytest.mark.parametrize("expression", [*(rule["expr"] for rule in rules()), *queries()])
def test_expressions_ask_for_metrics_and_labels_that_the_program_gives(expression: str) -> None:
    found = set(NAME.findall(expression))
    assert found
    assert found <= NAMES
    assert set(LABEL.findall(expression)) <= LABELS


def test_every_rule_says_how_bad_it_is_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert rule["labels"].keys() == {"severity"}
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"].keys() == {"summary", "description"}


def test_no_rule_rings_for_a_drill() -> None:
    for rule in rules():
        assert (rule["alert"] in EXEMPT) != rule["expr"].endswith("unless on (job, instance) retention_drill == 1")


def test_every_rule_has_a_unit_test_in_which_it_rings() -> None:
    cases = yaml.safe_load(RULE_TESTS.read_text(encoding="utf-8"))["tests"]
    rung = {one["alertname"] for case in cases for one in case["alert_rule_test"] if one["exp_alerts"]}
    silent = {one["alertname"] for case in cases for one in case["alert_rule_test"] if not one["exp_alerts"]}
    assert rung == {rule["alert"] for rule in rules()}
    assert rung - silent == {"RetentionHoldReviewOverdue"}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed; metric names and labels are checked above")
def test_promtool_accepts_the_rules_and_their_tests() -> None:
    assert PROMTOOL is not None
    for command in (["check", "rules", RULES.name], ["test", "rules", RULE_TESTS.name]):
        done = subprocess.run([PROMTOOL, *command], cwd=RULES.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_panels_of_the_dashboard_do_not_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
