"""What becomes of an event between its arrival and the register, on either database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from retention import cycle
from retention.acts.epochs import begin_epoch
from retention.errors import LeaseLostError, LockHeldError, OtherScheduleError, RestoredError, StoppedError
from retention.ingest.inbox import KEYS_KEPT, EventInbox
from retention.service import receive
from retention.service.event import Outcome
from retention.service.registering import Registrar
from retention.store import inbox, lease, month_keys
from retention.watcher import Watcher
from tests.integration.backups import Backup
from tests.integration.hook import DOOR, DUE, at_work, reconfigure, register, take, taking, took, waiting
from tests.integration.work import QUIET, SUMMER, Work
from tests.kit import row
from tests.receiver import NAME, event, hooked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.kit import Office


@pytest.fixture
def work(office: Office) -> Iterator[Work]:
    """Give an office with a webhook, once on SQLite and once on PostgreSQL; its log must verify afterwards."""
    yield from at_work(office)


def test_event_waits_without_text_names_or_identifiers_that_the_register_has_not(work: Work) -> None:
    took(work, "message-1")
    stored = repr(work.dump("webhook_event", "webhook_seen"))
    for value in ("Where do I", "Jane", "1632", "contact-1", "conversation-1", "bb7b0f8f", "key-of", "Forms"):
        assert value not in stored
    assert "message-1" in stored
    [(conversation, contact)] = work.ask("SELECT conversation, contact FROM webhook_event")
    assert register(work)["registered"] == 1
    assert work.ask("SELECT conversation, contact FROM message") == [(conversation, contact)]
    assert waiting(work) == 0


def test_registered_event_has_the_class_of_a_private_message(work: Work) -> None:
    took(work, "message-1")
    register(work)
    columns = "source, network, channel, direction, visibility, message_type"
    told = [(NAME, "fb", "Office page", "inbound", "private", "private message")]
    assert work.ask(f"SELECT {columns} FROM message_class") == told  # noqa: S608  # names of our own
    assert work.kinds()["import_done"] == 1


def test_event_and_export_of_the_same_message_are_one_registration_with_the_same_pseudonyms(work: Work) -> None:
    took(work, "message-1")
    register(work)
    [before] = work.ask("SELECT pseudonym, conversation, contact FROM message")
    work.take([row("message-1", "2026-08-10 12:59:57")])  # London; three seconds before the event was sent
    assert work.ids() == ["message-1"]
    [(received_at, *after)] = work.ask("SELECT received_at, pseudonym, conversation, contact FROM message")
    assert (received_at, tuple(after)) == (int(SUMMER.timestamp()) - 3, before)
    assert work.findings() == []


def test_event_that_comes_after_the_export_changes_nothing(work: Work) -> None:
    work.take([row("message-1", "2026-08-10 12:59:57")])
    took(work, "message-1")
    register(work)
    assert work.ask("SELECT received_at FROM message") == [(int(SUMMER.timestamp()) - 3,)]
    assert work.findings() == []


def test_export_and_event_of_the_same_second_are_a_duplicate(work: Work) -> None:
    work.take([row("message-1", "2026-08-10 13:00:00")])
    took(work, "message-1")
    assert register(work)["duplicates"] == 1


def test_export_that_is_days_off_is_still_told(work: Work) -> None:
    took(work, "message-1")
    register(work)
    work.take([row("message-1", "2026-08-05 13:00:00")])
    assert [one.kind for one in work.findings()] == ["received-time-changed"]


def test_repeated_key_is_taken_once_while_it_is_kept(work: Work) -> None:
    with taking(work) as receiver:
        assert take(receiver, event(at=SUMMER)) is Outcome.KEPT
        assert take(receiver, event(at=SUMMER + timedelta(seconds=2))) is Outcome.REPEATED
        assert receiver.counts()["kept"] == receiver.counts()["repeated"] == 1
    with taking(work) as again:
        assert take(again, event(at=SUMMER)) is Outcome.REPEATED
    register(work)
    with taking(work) as again:
        assert take(again, event(at=SUMMER)) is Outcome.REPEATED
    assert waiting(work) == 0


def test_key_is_erased_once_no_repetition_would_be_taken(work: Work) -> None:
    took(work, "message-1")
    Registrar(work.context, lambda: SUMMER + KEYS_KEPT, 1).once()
    assert work.ask("SELECT count(*) FROM webhook_seen") == [(1,)]
    later = SUMMER + KEYS_KEPT + timedelta(seconds=1)
    assert not Registrar(work.context, lambda: later, 1).once()
    assert work.ask("SELECT count(*) FROM webhook_seen") == [(0,)]
    took(work, "message-2")
    took(work, "message-3", at=later + KEYS_KEPT)
    assert work.ask("SELECT count(*) FROM webhook_seen") == [(1,)]


def test_timer_registers_what_waits_too(work: Work) -> None:
    took(work, "message-1", "message-2")
    result = work.run(SUMMER)
    assert [one.source for one in result.imports] == [NAME]
    assert work.ids() == ["message-1", "message-2"]


def test_nothing_waiting_is_no_import(work: Work) -> None:
    assert cycle.register_events(work.context, SUMMER, QUIET) == []


def test_without_a_common_identity_the_same_message_is_registered_for_each_source(work: Work) -> None:
    work.office.config.write_text(work.office.config.read_text().replace('messages_of = "hootsuite-inbox"', ""))
    work.context.database.close()
    work.context = work.office.open()
    took(work, "message-1")
    register(work)
    work.take([row("message-1", "2026-08-10 13:00:00")])
    assert work.ids() == ["message-1", "message-1"]


def test_key_of_a_month_that_somebody_else_made_meanwhile_is_recorded_once(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = month_keys.find, 0

    def not_yet(connection: Connection, month: str) -> month_keys.MonthKey | None:
        nonlocal asked
        asked += 1
        return None if asked == 1 else real(connection, month)

    took(work, "message-1")
    monkeypatch.setattr(month_keys, "find", not_yet)
    took(work, "message-2")
    assert asked == 2
    assert work.kinds()["key_created"] == 1
    assert register(work)["registered"] == 2


def test_event_that_waited_past_its_period_is_not_registered(work: Work) -> None:
    took(work, "message-1")
    assert register(work, DUE)["born_expired"] == 1
    assert (work.ids(), waiting(work)) == ([], 0)


def test_event_that_no_rule_covers_is_counted(work: Work) -> None:
    rule = 'match = { visibility = "private" }'
    work.office.config.write_text(
        work.office.config.read_text().replace(rule, 'match = { visibility = "private", network = "whatsapp" }')
    )
    work.context.database.close()
    work.context = work.office.open()
    took(work, "message-1")
    assert register(work)["not_covered"] == 1
    assert (work.ids(), waiting(work)) == ([], 0)


@pytest.mark.parametrize("selector", ["message", "conversation", "contact"])
@pytest.mark.parametrize("placed", ["before", "while it waited"])
def test_hold_covers_an_event_whenever_it_was_placed(work: Work, selector: str, placed: str) -> None:
    if placed == "before":
        work.hold(selectors={selector: (f"{selector}-1",)})
    took(work, "message-1")
    if placed != "before":
        work.hold(selectors={selector: (f"{selector}-1",)})
    register(work)
    work.purge(DUE)
    assert work.ids() == ["message-1"]


def test_disposed_message_leaves_no_trace_in_the_inbox(work: Work, tmp_path: Path) -> None:
    reconfigure(work, ("settle_seconds = 0", 'settle_seconds = 0\nupstream = "none"'))
    took(work, "message-with-a-long-name-1", "message-with-a-long-name-2")
    register(work)
    _, finished = work.purge(DUE)
    assert (finished.disposed, finished.due_after, finished.residue) == (2, 0, 0)
    for file in (one for one in tmp_path.glob("register.db*") if one.is_file()):
        assert b"message-with-a-long-name" not in file.read_bytes()


def test_events_wait_while_another_run_is_at_work(work: Work) -> None:
    took(work, "message-1")
    held = lease.take(work.context.database)
    with pytest.raises(LockHeldError):
        Registrar(work.context, lambda: SUMMER, 1).once()
    took(work, "message-2")
    assert waiting(work) == 2
    lease.give_back(work.context.database, held)
    assert Registrar(work.context, lambda: SUMMER, 1).once()
    assert work.ids() == ["message-1", "message-2"]


class _KilledError(BaseException):
    """Stands for a process that ends without a word."""


@pytest.mark.usefixtures("small_imports")
@pytest.mark.parametrize("after", [1, 2, 3])
def test_registering_that_was_killed_goes_on_and_takes_later_events_apart(work: Work, after: int) -> None:
    ids = [f"message-{number:02}" for number in range(20)]
    took(work, *ids)
    stops = 0

    def stop() -> None:
        nonlocal stops
        stops += 1
        if stops == after:
            raise _KilledError

    with pytest.raises(_KilledError):
        cycle.register_events(work.context, SUMMER, Watcher(stop=stop))
    took(work, "message-20")
    results = cycle.register_events(work.context, SUMMER, QUIET)
    assert [one.progress.registered for one in results] == [20, 1]
    assert work.ids() == [*ids, "message-20"]
    assert waiting(work) == 0


def test_batch_that_was_imported_and_not_yet_forgotten_is_forgotten_then(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    took(work, "message-1")

    _register_and_die(work, monkeypatch)
    assert waiting(work) == 1
    [again] = cycle.register_events(work.context, SUMMER, QUIET)
    assert again.already_imported
    assert (work.ids(), waiting(work)) == (["message-1"], 0)


def _register_and_die(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register what waits, and end before it is gone from the inbox."""

    def killed(*_: object, **__: object) -> None:
        raise _KilledError

    with monkeypatch.context() as patched:
        patched.setattr(EventInbox, "forget", killed)
        with pytest.raises(_KilledError):
            cycle.register_events(work.context, SUMMER, QUIET)


def test_batch_that_is_forgotten_after_its_disposal_makes_an_erasure_owed(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    took(work, "message-1")
    _register_and_die(work, monkeypatch)
    assert work.purge(DUE)[1].disposed == 1
    assert waiting(work) == 1
    [again] = cycle.register_events(work.context, DUE + timedelta(hours=1), QUIET)
    assert (again.already_imported, waiting(work)) == (True, 0)
    with work.context.database.read() as connection:
        assert inbox.erasure_owed(connection)
    work.purge(DUE + timedelta(hours=2))
    with work.context.database.read() as connection:
        assert not inbox.erasure_owed(connection)


OF_PRIVATE = 'match = { visibility = "private" }'
OF_WHATSAPP = 'match = { visibility = "private", network = "whatsapp" }'


def test_event_that_is_sent_again_after_the_rule_was_widened_is_registered(work: Work) -> None:
    reconfigure(work, (OF_PRIVATE, OF_WHATSAPP))
    took(work, "message-1")
    assert register(work)["not_covered"] == 1
    reconfigure(work, (OF_WHATSAPP, OF_PRIVATE))
    work.ingest()
    with taking(work) as receiver:
        assert take(receiver, event("message-1", at=SUMMER, key="another")) is Outcome.KEPT
    assert register(work)["registered"] == 1


def test_events_wait_where_a_job_has_adopted_another_schedule(work: Work) -> None:
    reconfigure(work, (OF_PRIVATE, OF_WHATSAPP))
    took(work, "message-0")
    assert register(work)["not_covered"] == 1  # the first to come adopts what it has
    with closing(work.office.open().database) as database:
        old = Registrar(replace(work.context, database=database), lambda: SUMMER, 1)
        reconfigure(work, (OF_WHATSAPP, OF_PRIVATE))
        took(work, "message-1")
        work.run(SUMMER)
        took(work, "message-2")
        assert not old.once()
        assert waiting(work) == 1
    assert work.kinds()["schedule_changed"] == 2
    assert register(work)["registered"] == 1
    assert work.ids() == ["message-1", "message-2"]


def test_schedule_that_is_adopted_just_before_events_have_their_turn_is_seen(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.ingest()
    took(work, "message-1")
    real = lease.take

    def adopted(*args: Any, **more: Any) -> lease.Lease:  # noqa: ANN401  # passed on
        work.tell("UPDATE schedule_version SET digest = 'sha256:another'")
        return real(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(lease, "take", adopted)
        with pytest.raises(OtherScheduleError):
            cycle.register_events(work.context, SUMMER, QUIET)
    assert (waiting(work), work.ids()) == (1, [])


def _opened_with_its_webhook(work: Work) -> None:
    work.context.database.close()
    hooked(work.office)
    work.context = work.office.open()


def test_service_goes_on_when_a_person_begins_a_new_epoch(work: Work) -> None:
    took(work, "message-1")
    register(work)
    backup = Backup(work)
    _opened_with_its_webhook(work)
    took(work, "message-2")
    register(work)
    backup.put_back()
    _opened_with_its_webhook(work)
    registrar = Registrar(work.context, lambda: SUMMER, 1)
    took(work, "message-3")
    with pytest.raises(RestoredError):
        registrar.once()
    other = work.office.open()
    with closing(other.database):
        begin_epoch(other, "the disk broke", now=SUMMER, person="ann")
    assert registrar.once()
    later = SUMMER + timedelta(days=40)
    took(work, "message-4", at=later)  # its month needs a key, which has an entry
    assert Registrar(work.context, lambda: later, 1).once()
    assert work.findings() == []
    assert work.ids() == ["message-1", "message-3", "message-4"]
    _opened_with_its_webhook(work)


def test_events_of_a_webhook_that_is_configured_no_more_wait_until_it_is_again(work: Work) -> None:
    took(work, "message-1")
    named = ('name = "hook"', 'name = "other"')
    reconfigure(work, named)
    work.run(SUMMER)
    assert (work.ids(), waiting(work)) == ([], 1)
    assert [(one.kind, one.source) for one in work.findings()] == [("source-failed", NAME)]
    reconfigure(work, (named[1], named[0]))
    assert register(work)["registered"] == 1
    assert work.findings() == []
    work.take([row("message-1", "2026-08-10 13:00:00")])
    assert work.ids() == ["message-1"]


def test_job_waits_for_who_registers_events_and_may_be_stopped_meanwhile(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = lease.take(work.context.database, events=True)
    waited = 0

    def pass_by(_seconds: float) -> None:
        nonlocal waited
        waited += 1
        if waited == 3:
            lease.give_back(work.context.database, held)

    def stop() -> None:
        raise StoppedError

    monkeypatch.setattr(lease, "sleep", pass_by)
    with pytest.raises(StoppedError):
        work.purge(watcher=Watcher(stop=stop))
    assert waited == 0
    work.purge()
    assert waited == 3
    held = lease.take(work.context.database, events=True)
    took(work, "message-1")
    with pytest.raises(LockHeldError, match="events are being registered"):
        cycle.register_events(work.context, SUMMER, QUIET)
    assert waited == 3
    waited = 4
    with pytest.raises(LockHeldError, match="events are being registered"):
        work.purge()
    assert waited > 100
    lease.give_back(work.context.database, held)


def test_batch_is_not_forgotten_by_a_job_that_has_lost_the_lease(work: Work) -> None:
    took(work, "message-1")
    [inbox] = work.context.inboxes()
    [item] = inbox.discover(at=0)
    lost = lease.take(work.context.database)
    lease.give_back(work.context.database, lost)
    with pytest.raises(LeaseLostError):
        inbox.forget(item, lost)
    assert waiting(work) == 1


def test_call_that_waits_too_long_is_told_to_come_again_and_is_then_a_repetition(
    sqlite_office: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = Work(hooked(sqlite_office))
    other = sqlite3.connect(tmp_path / "register.db", isolation_level=None)
    with taking(work) as receiver:
        assert take(receiver, event("message-0", at=SUMMER)) is Outcome.KEPT
        other.execute("BEGIN IMMEDIATE")
        with monkeypatch.context() as patched:
            patched.setattr(receive, "ANSWER_SECONDS", 0.1)
            assert take(receiver, event(at=SUMMER)) is Outcome.BUSY
        other.execute("ROLLBACK")
        assert take(receiver, event(at=SUMMER)) is Outcome.REPEATED
    other.close()
    assert waiting(work) == 2
    work.context.database.close()


def test_what_is_not_understood_is_one_finding(work: Work) -> None:
    with taking(work) as receiver:
        for _ in range(3):
            assert take(receiver, event(at=SUMMER, version=2)) is Outcome.UNKNOWN
            assert take(receiver, event(at=SUMMER, data={})) is Outcome.UNREADABLE
        assert receiver.take(DOOR, b"{}", "0" * 64, "") is Outcome.REFUSED
    assert [one.kind for one in work.findings()] == [receive.NOT_UNDERSTOOD] * 2
