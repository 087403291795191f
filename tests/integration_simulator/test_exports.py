"""The export side: what the Inbox holds at that time, in local times, downloaded or dropped into the folder."""

from __future__ import annotations

import csv
import io
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention.demo.exports import COLUMNS

if TYPE_CHECKING:
    from tests.simulator import Simulator

NAME = re.compile(r"\[626731]\[message]\[(\d{14})]\[(\d{14})]\[[0-9a-f-]{36}]\.csv")
WINDOW = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _export(simulator: Simulator, **query: object) -> list[dict[str, str]]:
    answer = simulator.control.ask("GET", "/simulator/export", params={**WINDOW, **query})
    assert answer.status_code == 200
    return _rows(answer.content.decode())


def _inbox(simulator: Simulator, **query: object) -> list[dict[str, Any]]:
    asked = {**WINDOW, "limit": 1000, **query}
    found: list[dict[str, Any]] = simulator.control.got("/simulator/inbox/messages", **asked)["messages"]
    return found


def test_an_export_holds_what_the_inbox_holds(simulator: Simulator) -> None:
    rows, messages = _export(simulator), _inbox(simulator)
    assert list(rows[0]) == list(COLUMNS)
    assert [row["Message ID"] for row in rows] == [message["message_id"] for message in messages]
    assert {message["visibility"] for message in messages} == {"private", "public"}
    assert max(message["received_at"] for message in messages) <= "2026-11-22T12:00:00Z"


def test_times_are_local_and_say_no_zone(simulator: Simulator) -> None:
    added = {"received_at": "2026-11-22T11:00:00Z", "message_id": "mine"}
    simulator.control.did("/simulator/inbox/messages", **added)
    created = {
        zone: next(row["Created at"] for row in _export(simulator, zone=zone) if row["Message ID"] == "mine")
        for zone in ("Europe/London", "Asia/Kolkata")
    }
    assert created == {"Europe/London": "2026-11-22 11:00:00", "Asia/Kolkata": "2026-11-22 16:30:00"}


def test_what_a_person_deleted_in_the_dashboard_is_gone_from_the_next_export(simulator: Simulator) -> None:
    private = [message["message_id"] for message in _inbox(simulator, visibility="private")]
    answer = simulator.control.did("/simulator/inbox/delete", message_ids=[private[0], "unknown"])
    assert answer == {"deleted": 1, "not_found": 1}
    told = simulator.control.did("/simulator/inbox/delete", before="2026-11-10T00:00:00Z")
    assert told["deleted"] > 1
    left = {row["Message ID"] for row in _export(simulator)}
    rest = _inbox(simulator, visibility="private")
    assert private[0] not in left
    assert min(message["received_at"] for message in rest) >= "2026-11-10T00:00:00Z"
    assert any(row["Message ID"] in left for row in _export(simulator) if row["Created at"] < "2026-11-10")


def test_new_messages_come_with_time(simulator: Simulator) -> None:
    before = len(_export(simulator))
    simulator.control.did("/simulator/clock", advance_seconds=5 * 86_400)
    assert len(_export(simulator)) > before


def test_bad_rows_are_there_on_request(simulator: Simulator) -> None:
    rows = _export(simulator, bad_rows=["missing-id", "missing-date"])
    assert len(rows) == len(_export(simulator)) + 2
    assert sum(not row["Message ID"] for row in rows) == 1


def test_scheduled_exports_appear_under_their_names_as_time_passes(simulator: Simulator, exports: str) -> None:
    schedule = {"every": "day", "zone": "Europe/London", "from": "2026-11-20T00:00:00Z"}
    simulator.control.did("/simulator/export/schedule", "PUT", **schedule)
    simulator.control.did("/simulator/clock", advance_seconds=86_400)
    written = [Path(one["path"]) for one in simulator.control.got("/simulator/state")["exports"]]
    assert {path.parent for path in written} == {Path(exports) / "export" / "message"}
    spans = [match.groups() for path in written if (match := NAME.fullmatch(path.name))]
    days = ["20112026000000", "21112026000000", "22112026000000", "23112026000000"]
    assert spans == list(pairwise(days))
    assert list((Path(exports) / "export" / "message").glob("*.part")) == []
    ids = [row["Message ID"] for path in written for row in _rows(path.read_text(encoding="utf-8"))]
    window = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-23T00:00:00Z"}
    assert ids == [message["message_id"] for message in _inbox(simulator, **window)]


def test_one_export_can_be_dropped_now(simulator: Simulator) -> None:
    told = simulator.control.did("/simulator/export", **WINDOW)
    path = Path(told["path"])
    assert NAME.fullmatch(path.name)
    assert len(_rows(path.read_text(encoding="utf-8"))) == told["rows"] == told["private"] + told["public"]


def test_what_no_export_can_be_is_refused(simulator: Simulator) -> None:
    for wrong in ({"zone": "Nowhere"}, {"to": "2026-10-01T00:00:00Z"}, {"from": "yesterday"}, {"bad_rows": "odd"}):
        answer = simulator.control.ask("GET", "/simulator/export", params={**WINDOW, **wrong})
        assert answer.status_code == 400, wrong
