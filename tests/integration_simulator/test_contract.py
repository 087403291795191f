"""Every published call is served, and every answer is what the published schema says, and no more."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema.validators import Draft4Validator, Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4, DRAFT202012

from retention.demo.exports import HistorySpec, messages
from retention.simulate.events import TYPES, event_data, inbox_body
from tests.integration_simulator.walk import METRICS, SINCE, walk

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

    from tests.simulator import Simulator

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"
needs_contract = pytest.mark.skipif(
    not (REFERENCE / "rest-swagger.yaml").is_file(), reason="the published contract is not beside the project"
)
DAY = date(2026, 11, 1)
EVENTS = dict(
    zip(TYPES, ("ConversationStartedEvent", "ConversationDelegatedEvent", "InboundMessageReceivedEvent"), strict=True)
)


class Contract:
    """One published document: which calls there are and what their answers look like."""

    def __init__(self, name: str) -> None:
        document = yaml.load((REFERENCE / name).read_text(encoding="utf-8"), yaml.CSafeLoader)
        self.version = 2 if "swagger" in document else 3
        self.document = _told_in_full(document)
        specification = DRAFT4 if self.version == 2 else DRAFT202012
        self._registry: Registry[Any] = Registry().with_resource(
            "contract:all", specification.create_resource(self.document)
        )

    def calls(self) -> set[tuple[str, str]]:
        return {(method.upper(), path) for path, operations in self.document["paths"].items() for method in operations}

    def problems(self, method: str, path: str, body: Any) -> list[str]:  # noqa: ANN401  # JSON
        answer = self.document["paths"][path][method.lower()]["responses"]["200"]
        place = ["paths", path, method.lower(), "responses", "200"]
        if self.version == 2:
            place += ["schema"]
        else:
            place += ["content", next(iter(answer["content"])), "schema"]
        if self.version == 2 and "schema" not in answer:
            return []
        return self.unfit("/".join(part.replace("~", "~0").replace("/", "~1") for part in place), body)

    def unfit(self, pointer: str, body: Any) -> list[str]:  # noqa: ANN401  # JSON
        kind: type[Validator] = Draft4Validator if self.version == 2 else Draft202012Validator
        escaped = pointer.replace("{", "%7B").replace("}", "%7D").replace(";", "%3B")
        validator = kind({"$ref": f"contract:all#/{escaped}"}, registry=self._registry)
        return [f"{list(error.path)}: {error.message[:200]}" for error in validator.iter_errors(body)]


def _told_in_full(part: Any) -> Any:  # noqa: ANN401  # JSON
    """Allow null where the description says null, and nothing that is not described."""
    if isinstance(part, list):
        return [_told_in_full(one) for one in part]
    if not isinstance(part, dict):
        return part
    told = {name: _told_in_full(value) for name, value in part.items()}
    if isinstance(told.get("type"), str):
        if isinstance(told.get("properties"), dict):
            told.setdefault("additionalProperties", False)
        if "null" in str(told.get("description", "")):
            told["type"] = [told["type"], "null"]
    return told


@pytest.fixture(scope="module")
def contracts() -> tuple[Contract, Contract]:
    return Contract("rest-swagger.yaml"), Contract("inbox-openapi.yaml")


def test_everything_that_is_published_is_answered(simulator: Simulator) -> None:
    exchanges = list(walk(simulator))
    assert [(e.method, e.path, e.answer.text) for e in exchanges if e.answer.status_code != 200] == []
    assert len({(exchange.method, exchange.path) for exchange in exchanges}) == 65


@needs_contract
def test_every_answer_fits_the_published_schema(simulator: Simulator, contracts: tuple[Contract, Contract]) -> None:
    called: set[tuple[str, str]] = set()
    problems: list[str] = []
    for method, path, answer in walk(simulator):
        called.add((method, path))
        for contract in contracts:
            if (method, path) in contract.calls():
                body = answer.json() if "json" in answer.headers["Content-Type"] else None
                problems += [f"{method} {path} {problem}" for problem in contract.problems(method, path, body)]
    assert problems == []
    assert called == contracts[0].calls() | contracts[1].calls()


@needs_contract
def test_refusals_fit_the_published_schema(simulator: Simulator, contracts: tuple[Contract, Contract]) -> None:
    rest, _ = contracts
    client = simulator.member()
    refused = {
        "ErrorsResponseEnvelope": client.ask("GET", "/v1/messages/1"),
        "ScimErrorResponse": client.ask("POST", "/scim/v2/Users", json={"userName": 5}),
        "OAuthError": simulator.token(grant_type="password"),
    }
    problems = {name: rest.unfit(f"definitions/{name}", answer.json()) for name, answer in refused.items()}
    assert [answer.status_code for answer in refused.values()] == [404, 400, 400]
    assert problems == {name: [] for name in refused}


@needs_contract
def test_webhook_events_fit_the_published_schema(contracts: tuple[Contract, Contract]) -> None:
    message = next(iter(messages(HistorySpec(first_on=DAY, last_on=DAY))))
    for kind in TYPES:
        body = yaml.safe_load(inbox_body(kind, "key", 1_700_000_000_000, event_data(kind, message)))
        assert set(body) == {"type", "version", "idempotencyKey", "timestamp", "data"}
        told = {"type": body["type"], "data": body["data"]}
        assert contracts[1].unfit(f"components/schemas/{EVENTS[kind]}/allOf/1", told) == []


def test_a_metric_by_interval_is_as_in_the_published_example(simulator: Simulator) -> None:
    asked: dict[str, Any] = {**METRICS["reporting/metrics/inbound-message-volume"], "to": "2026-11-15T00:00:00Z"}
    whole = simulator.member().did("/inbox/v1/reporting/metrics/inbound-message-volume", **asked)
    days = simulator.member().did(
        "/inbox/v1/reporting/metrics/inbound-message-volume", **asked, groupByInterval="DAY", timezone="Europe/London"
    )
    assert [point["timestamp"] for point in days["value"]] == [f"2026-11-{day}T00:00:00.000Z" for day in (12, 13, 14)]
    assert sum(point["value"] for point in days["value"]) == whole["value"] > 0
    assert asked["from"] == SINCE
