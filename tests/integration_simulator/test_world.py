"""The control endpoint: the same world for the same seed, and a clock that can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from retention.cli.app import retention
from retention.errors import UsageError
from retention.simulate import server
from retention.simulate.world import Options
from tests.simulator import Client, running_simulator

if TYPE_CHECKING:
    from tests.simulator import Simulator

WINDOW = {"startTime": "2026-11-01T00:00:00Z", "endTime": "2026-11-29T00:00:00Z", "limit": "100"}


def _everything(simulator: Simulator) -> object:
    told = simulator.control.got("/simulator/inbox/messages", limit=200)
    return simulator.organization().got("/v1/messages", **WINDOW), told, simulator.told["client_id"]


def test_the_same_seed_makes_the_same_world_and_another_another(simulator: Simulator) -> None:
    worlds = []
    for seed in (7, 7, 8):
        simulator.reset(seed=seed)
        worlds.append(_everything(simulator))
    assert worlds[0] == worlds[1] != worlds[2]


def test_a_reset_forgets_what_was_done(simulator: Simulator) -> None:
    before = simulator.control.got("/simulator/state")
    simulator.control.did("/simulator/inbox/messages", count=3)
    simulator.control.did("/simulator/outbound", count=4, state="REJECTED")
    changed = simulator.control.got("/simulator/state")
    assert changed["outbound"] == before["outbound"] + 4
    assert changed["inbox"]["private"] == before["inbox"]["private"] + 3
    simulator.reset()
    assert simulator.control.got("/simulator/state") == before


def test_the_clock_can_be_set_stopped_and_let_go(simulator: Simulator) -> None:
    assert simulator.control.did("/simulator/clock", now="2026-12-24T18:00:00+01:00") == {
        "now": "2026-12-24T17:00:00Z",
        "frozen": True,
    }
    assert simulator.control.did("/simulator/clock", advance_seconds=1)["now"] == "2026-12-24T17:00:01Z"
    assert simulator.control.did("/simulator/clock", frozen=False)["now"] >= "2026-12-24T17:00:01Z"


def test_every_token_can_be_ended_at_once(simulator: Simulator) -> None:
    client = simulator.organization()
    simulator.control.did("/simulator/tokens/expire")
    assert client.ask("GET", "/v1/me").status_code == 401


def test_the_simulator_says_where_everything_is(simulator: Simulator) -> None:
    told = simulator.control.got("/simulator")
    assert set(told["faults"]) == {"status", "drop", "hang", "html", "slow", "cut", "partial", "lost"}
    assert {name: told[name] for name in simulator.told} == simulator.told


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("reset", {"messages": 10**9}),
        ("reset", {"per_day": "many"}),
        ("clock", {"now": "2026-11-22T12:00:00"}),
        ("clock", {"advance_seconds": 1e300}),
        ("settings", {"deletable_states": ["DRAFT"]}),
        ("faults", {"kind": "status", "rate": "often"}),
        ("outbound", {"state": "SENT?"}),
        ("inbox/messages", {"visibility": "secret"}),
        ("inbox/delete", {}),
        ("webhook/deliver", {"message_ids": []}),
    ],
)
def test_a_control_call_that_makes_no_sense_is_refused(
    simulator: Simulator, path: str, wrong: dict[str, object]
) -> None:
    answer = simulator.control.ask("POST", f"/simulator/{path}", json=wrong)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 4000)


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "192.0.2.1:0", "example.org:80"])
def test_it_listens_on_this_machine_only(listen: str) -> None:
    answer = CliRunner().invoke(retention, ["simulate", "--listen", listen])
    assert isinstance(answer.exception, UsageError)
    assert "--allow-remote" in str(answer.exception)


@pytest.mark.parametrize("listen", ["127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", ":80"])
def test_an_address_without_a_port_is_refused(listen: str) -> None:
    answer = CliRunner().invoke(retention, ["simulate", "--listen", listen])
    assert isinstance(answer.exception, UsageError)


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"retention-enforcer\[web\]"):
        server.serve(Options(), "127.0.0.1", 0, print)


def test_a_million_messages_are_there_at_once() -> None:
    with running_simulator("--messages", "1000000", "--now", "2026-11-22T12:00:00Z", "--frozen") as simulator:
        client = simulator.organization()
        page = client.got("/v1/messages", **WINDOW)
        rejected = client.got("/v1/messages", **WINDOW, state="REJECTED")
        assert len(page["data"]) == len(rejected["data"]) == 100
        seen = {message["id"] for message in page["data"]}
        for _ in range(5):
            page = client.got("/v1/messages", **WINDOW, cursor=page["metadata"]["cursor"]["next"])
            seen |= {message["id"] for message in page["data"]}
        assert len(seen) == 600
        number = page["data"][-1]["id"]
        assert client.ask("DELETE", f"/v1/messages/{number}").status_code == 200
        assert simulator.control.got("/simulator/state")["outbound"] == 999_999
        client.close()


def test_sigterm_ends_it_even_while_a_request_hangs() -> None:
    with running_simulator() as simulator:
        simulator.control.did("/simulator/faults", kind="hang", seconds=600)
        with Client(simulator.told["url"]) as client, pytest.raises(OSError, match=r"timed out|Read timed out"):
            client.request("GET", f"{simulator.told['url']}/v1/me", timeout=0.2)
