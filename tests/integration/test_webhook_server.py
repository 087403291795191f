"""``retention serve`` as a process: real HTTP, real signals, and a database that others use too."""

from __future__ import annotations

import base64
import json
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from retention.errors import ConfigError, UsageError
from retention.service import needs
from retention.service.host import Invocation
from retention.service.needs import lacking
from retention.service.serving import serve
from retention.store import lease
from tests.integration.work import Work
from tests.kit import NOW, Office
from tests.receiver import JSON, NAME, SECRET, SIGNATURE, Receiver, event, hooked, running, sign, until
from tests.simulator import running_simulator

_PERSONAL = ("Jane", "1632", "Where do I", "contact-1", "conversation-1", "message-", "key-of", SECRET)


def count(office: Office, table: str) -> int:
    with closing(sqlite3.connect(office.folder / "register.db")) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608  # names of our own


def answers(receiver: Receiver) -> dict[str, Any]:
    """Call in every way that is not meant, and in some that are; give the status of each."""
    good, url = json.dumps(event(at=NOW)).encode(), receiver.url
    signed = {"Content-Type": JSON, SIGNATURE: sign(good)}
    calls = {
        "no signature": receiver.call("POST", data=good, headers={"Content-Type": JSON}),
        "other signature": receiver.call("POST", data=good, headers={**signed, SIGNATURE: "0" * 64}),
        "changed body": receiver.call("POST", data=good + b" ", headers=signed),
        "password": receiver.call("POST", data=good, headers={"Content-Type": JSON}, auth=("hook", SECRET)),
        "other method": receiver.call("GET", headers=signed),
        "options": receiver.call("OPTIONS", headers=signed),
        "other path": receiver.call("POST", url + "/", data=good, headers=signed),
        "other source": receiver.call("POST", url.replace(NAME, "hootsuite-inbox"), data=good, headers=signed),
        "root": receiver.call("GET", url.partition("/webhook")[0]),
        "form": receiver.call("POST", data=good, headers={**signed, "Content-Type": "text/plain"}),
        "too large": receiver.call("POST", data=b" " * 70_000, headers=signed),
        "too large in pieces": receiver.call("POST", data=iter([b" " * 20_000] * 4), headers=signed),
    }
    for name, told in {
        "not JSON": b"Jane, message-1",
        "no message": event(at=NOW, data={}),
        "stale": event(at=NOW.replace(hour=11)),
        "ahead": event(at=NOW.replace(hour=13)),
        "unknown type": event(at=NOW, type="JANE_ARRIVED"),
        "unknown version": event(at=NOW, version=2),
        "other event": event(at=NOW, type="CONVERSATION_STARTED"),
    }.items():
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        calls[name] = receiver.call("POST", data=body, headers={**signed, SIGNATURE: sign(body)})
    for name, answer in calls.items():
        assert name.startswith("too large") or answer.content == b"", name
        assert not any(value in f"{answer.headers}{answer.text}" for value in _PERSONAL)
        assert "WWW-Authenticate" not in answer.headers
        assert "Server" not in answer.headers
    return {name: answer.status_code for name, answer in calls.items()}


def test_every_call_has_its_answer_and_slow_ones_hold_nobody_up(sqlite_office: Office) -> None:
    hooked(sqlite_office)
    with running(sqlite_office) as receiver:
        slow = [receiver.raw() for _ in range(40)]
        for connection in slow:
            connection.sendall(b"POST /webhook/hook HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
        assert answers(receiver) == {
            "no signature": 401,
            "other signature": 401,
            "changed body": 401,
            "password": 401,
            "other method": 405,
            "options": 405,
            "other path": 404,
            "other source": 404,
            "root": 404,
            "form": 415,
            "too large": 413,
            "too large in pieces": 413,
            "not JSON": 400,
            "no message": 400,
            "stale": 401,
            "ahead": 401,
            "unknown type": 200,
            "unknown version": 200,
            "other event": 200,
        }
        assert count(sqlite_office, "webhook_event") == 0
        assert receiver.call("POST", data=b" " * 300_000, headers={"Content-Type": JSON}).status_code == 413
        with ThreadPoolExecutor(50) as pool:
            assert set(pool.map(receiver.send, [event(at=NOW)] * 50)) == {200}
        assert count(sqlite_office, "webhook_event") == 1
        for connection in slow:
            connection.close()
    assert '"kept": 1, "repeated": 49' in receiver.log
    assert not any(value in receiver.log for value in _PERSONAL)
    with closing(sqlite3.connect(sqlite_office.folder / "register.db")) as register:
        told = dict(register.execute("SELECT outcome, calls FROM webhook_refusal WHERE source = 'hook'").fetchall())
    assert told == {"refused": 4, "stale": 2, "unreadable": 2, "not_json": 1, "too_large": 2}


def test_event_whose_answer_never_came_is_there_and_its_retry_is_a_repetition(sqlite_office: Office) -> None:
    hooked(sqlite_office)
    body = json.dumps(event(at=NOW)).encode()
    head = f"POST /webhook/hook HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\n{SIGNATURE}: {sign(body)}\r\n"
    with running(sqlite_office, killed=True) as receiver, receiver.raw() as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        until(lambda: count(sqlite_office, "webhook_event") == 1)
        receiver.process.send_signal(signal.SIGKILL)
        receiver.process.wait()
    with running(sqlite_office) as again:  # registers at its start what waits
        assert again.send(event(at=NOW)) == 200
        until(lambda: count(sqlite_office, "message") == 1)
        until(lambda: count(sqlite_office, "webhook_event") == 0)
    assert count(sqlite_office, "webhook_seen") == 1


def test_server_takes_events_while_others_work_and_registers_them_when_they_have_finished(
    sqlite_office: Office,
) -> None:
    office = hooked(sqlite_office, seconds=0.05)
    work = Work(office)
    held = lease.take(work.context.database)
    with running(office) as receiver, ThreadPoolExecutor(1) as pool:
        assert receiver.send(event("message-1", at=NOW)) == 200
        with closing(sqlite3.connect(office.folder / "register.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            sent = pool.submit(receiver.send, event("message-2", at=NOW))
            other.execute("ROLLBACK")
        assert sent.result() == 200
        assert work.ids() == []
        lease.give_back(work.context.database, held)
        until(lambda: len(work.ids()) == 2)
    assert work.verify().ok
    work.context.database.close()


def test_simulator_delivers(sqlite_office: Office) -> None:
    office = hooked(sqlite_office, seconds=0.05)
    with running_simulator() as simulator, running(office) as receiver:
        simulator.reset()
        simulator.control.did("/simulator/webhook", "PUT", url=receiver.url, secret=SECRET, pause_seconds=0)
        added = simulator.control.did("/simulator/inbox/messages", count=12, visibility="private", deliver=True)
        ids = [one["message_id"] for one in added["messages"]]
        for tamper in ("signature", "timestamp", "duplicate"):
            simulator.control.did("/simulator/webhook/deliver", message_ids=ids[:1], tamper=tamper)
        simulator.control.did("/simulator/webhook/deliver", message_ids=ids[:1], type="SOMETHING_NEW")
        told = simulator.control.got("/simulator/deliveries", wait="true")["deliveries"]
        assert [one["delivered"] for one in told[-5:]] == [False, False, True, True, True]
        assert all(one["delivered"] for one in told[:-5])
        work = Work(office)
        until(lambda: len(work.ids()) == 12 and not count(office, "webhook_event"))
        window = {"from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z"}
        export = simulator.control.ask("GET", "/simulator/export", params=window)
        (office.landing / "export.csv").write_bytes(export.content)
        [result] = work.ingest(NOW)
        assert result.progress.duplicates == 12
    assert set(ids) <= set(work.ids())
    assert len(work.ids()) == len(set(work.ids()))
    assert work.verify().ok
    work.context.database.close()


def test_password_instead_of_a_signature(sqlite_office: Office) -> None:
    basic = (('messages_of = "hootsuite-inbox"', 'auth = "basic"\nusername = "inbox"'),)
    office = hooked(sqlite_office, changes=basic)
    pair = base64.b64encode(f"inbox:{SECRET}".encode()).decode()
    with running(office) as receiver:
        assert receiver.send(event(at=NOW)) == 401
        assert receiver.send(event(at=NOW), Authorization=f"Basic {pair}") == 200


def test_server_says_what_it_lacks(sqlite_office: Office) -> None:
    called = Invocation(sqlite_office.config, lambda: NOW, timedelta(0), jobs=False)
    without = sqlite_office.open()
    with pytest.raises(UsageError, match="nothing to do"):
        serve(without, called, lambda *_: None)
    without.database.close()
    hooked(sqlite_office)
    context = sqlite_office.open()
    with pytest.raises(ConfigError, match='there is no credential "hook-secret"'):
        serve(context, called, lambda *_: None)
    context.database.close()


def test_check_says_where_events_are_taken_and_what_is_lacking(sqlite_office: Office) -> None:
    office = hooked(sqlite_office)
    found = office.cli("check")
    assert found.returncode == 0, found.stderr
    assert "Events of hook are taken by retention serve at 127.0.0.1, port 0." in found.stdout
    assert "Copies of what hook tells of are those of hootsuite-inbox." in found.stdout
    del office.environment["RETENTION_HOOK_SECRET"]
    without = office.cli("check")
    assert without.returncode == 2
    assert 'there is no credential "hook-secret"' in without.stderr


def test_check_says_that_events_show_nothing_of_copies_where_no_export_is_named(sqlite_office: Office) -> None:
    office = hooked(
        sqlite_office, changes=(('messages_of = "hootsuite-inbox"', ""), ("[serve]", "[serve]\nbehind_proxy = true"))
    )
    told = office.cli("check").stdout
    assert "Events show nothing of them; name the source of their exports as messages_of." in told
    assert "port 0, behind a proxy that speaks TLS." in told


def test_library_that_is_missing_is_told_by_name(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = hooked(sqlite_office).settings()
    monkeypatch.setenv("RETENTION_HOOK_SECRET", SECRET)
    assert lacking(settings) == []
    monkeypatch.setattr(needs, "find_spec", lambda _name: None)
    [problem] = lacking(settings)
    assert "retention-enforcer[web]" in problem
