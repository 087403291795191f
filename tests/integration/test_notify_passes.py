"""A pass over the channels: durable, once, by one process at a time, and never in the way of a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from retention.acts import telling
from retention.acts.telling import tell, try_channels
from retention.errors import DatabaseError, KeyFileError, LockHeldError, NoticeError, TransientDatabaseError, UsageError
from retention.notify.catalog import build_channel
from retention.store import findings, jobs, lease, notifications
from retention.store.jobs import JobState
from tests.anchor_kit import host
from tests.integration.work import AUTUMN, SUMMER
from tests.kit import row
from tests.mail_server import PASSWORD, running_mail_server, table
from tests.receiver import until
from tests.served import scheduled, serving, states

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retention.acts.telling import Report
    from retention.notify.interface import Message
    from tests.integration.work import Work
    from tests.kit import Office
    from tests.mail_server import MailServer

DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
PRIVATE = "a-secret-reason"
DUE_FROM = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with running_mail_server(tmp_path_factory.mktemp("mail")) as running:
        yield running


@pytest.fixture(autouse=True)
def no_mail_left(server: MailServer) -> None:
    server.raw()


def telling_to(work: Work, *tables: str, more: tuple[tuple[str, str], ...] = ()) -> Work:
    work.reopen(("[purge]", "".join([*tables, "[purge]"])), *more)
    return work


@pytest.fixture
def told(work: Work, server: MailServer) -> Work:
    """Give an installation whose office was told the first summary."""
    telling_to(work, server.table())
    outcomes(work, SUMMER)
    server.raw()
    return work


def outcomes(work: Work, now: datetime) -> list[str]:
    return [one.outcome for one in tell(work.context, now)]


def subjects(server: MailServer) -> list[str]:
    return [str(mail["Subject"]).removeprefix("DRILL: retention: ") for mail in server.taken()]


def bad_row(work: Work) -> None:
    work.take([row("bad", "yesterday")], now=SUMMER)


def test_first_pass_sends_a_summary_and_the_next_nothing(work: Work, server: MailServer) -> None:
    telling_to(work, server.table())
    assert outcomes(work, SUMMER) == ["told"]
    assert subjects(server) == ["weekly summary: the promise is kept"]
    assert outcomes(work, SUMMER + QUARTER) == ["nothing"]
    assert outcomes(work, SUMMER + 7 * DAY) == ["told"]
    assert subjects(server) == ["weekly summary: the promise is kept"]


def test_nobody_is_told_where_nobody_is_named(work: Work) -> None:
    assert tell(work.context, SUMMER) == []
    with pytest.raises(UsageError, match="nobody to tell"):
        try_channels(work.context, SUMMER)


def test_what_is_at_risk_is_told_once_a_day_and_that_it_is_over_once(told: Work, server: MailServer) -> None:
    bad_row(told)
    for hours in range(0, 48, 3):
        outcomes(told, SUMMER + timedelta(hours=hours))
    assert subjects(server) == ["the promise is AT RISK (and 1 more)"] * 2
    with told.context.database.write() as connection:
        findings.mended(connection, "rejected-row", at=SUMMER)
    assert outcomes(told, SUMMER + 2 * DAY) == ["told"]
    assert subjects(server) == ["the promise is kept again"]
    assert outcomes(told, SUMMER + 2 * DAY) == ["nothing"]


def test_message_of_a_drill_says_so_everywhere(told: Work, server: MailServer) -> None:
    bad_row(told)
    outcomes(told, SUMMER)
    [mail] = server.taken()
    body = mail.get_body()
    assert body is not None
    assert str(mail["Subject"]).startswith("DRILL: ")
    assert body.get_content().startswith("DRILL: ")


def test_channel_that_fails_is_a_finding_tried_again_and_settled_by_what_arrives(
    work: Work, server: MailServer
) -> None:
    telling_to(work, server.table(to=["later@office.example"]), server.table("other"))
    assert outcomes(work, SUMMER) == ["failed", "told"]
    assert subjects(server) == ["weekly summary: the promise is kept"]
    [found] = work.findings()
    assert (found.kind, found.file) == ("notice-failed", "office")
    assert found.reason == (f"notices by localhost port {server.ports['none']} fail: it refused the message (451)")
    assert work.status().promise == "at_risk"
    assert outcomes(work, SUMMER + QUARTER) == ["failed", "told"]
    assert subjects(server) == ["the promise is AT RISK (and 1 more)"]
    assert len(work.findings()) == 1
    assert work.ask("SELECT failures FROM notification WHERE channel = 'office' AND occasion = 'summary'") == [(2,)]
    telling_to(work, server.table(), server.table("other"))
    assert outcomes(work, SUMMER + 2 * QUARTER) == ["told", "nothing"]
    assert work.findings() == []
    assert outcomes(work, SUMMER + 3 * QUARTER) == ["nothing", "told"]
    assert subjects(server) == ["notices arrive again (and 1 more)", "the promise is kept again"]
    assert outcomes(work, SUMMER + 4 * QUARTER) == ["nothing", "nothing"]


def test_recipient_that_is_refused_is_a_finding_and_no_flood(work: Work, server: MailServer) -> None:
    telling_to(work, server.table(to=["refused@office.example", "dpo@office.example"]))
    assert outcomes(work, SUMMER) == ["told"]
    assert [one.kind for one in work.findings()] == ["notice-refused"]
    assert outcomes(work, SUMMER + QUARTER) == ["nothing"]
    assert len(server.raw()) == 1
    telling_to(work, server.table())
    [report] = try_channels(work.context, SUMMER)
    assert report.outcome == "told"
    assert work.findings() == []


def test_test_message_goes_to_everybody_and_says_which_channel_fails(work: Work, server: MailServer) -> None:
    telling_to(work, server.table(), server.table("other", to=["refused@office.example"]))
    assert [one.outcome for one in try_channels(work.context, SUMMER)] == ["told", "failed"]
    assert subjects(server) == ["this is a test of the notices"]
    assert work.ask("SELECT * FROM notification") == []


def test_dry_run_shows_the_message_and_changes_nothing(told: Work, server: MailServer) -> None:
    bad_row(told)
    before = told.dump()
    [report] = tell(told.context, SUMMER, dry_run=True)
    assert (report.outcome, report.occasions) == ("would tell", 2)
    assert report.message is not None
    assert "retention findings list" in report.message.text
    assert told.dump() == before
    assert server.raw() == []


def test_what_was_told_by_a_channel_that_is_gone_is_forgotten(told: Work, server: MailServer) -> None:
    telling_to(told, server.table("other"))
    outcomes(told, SUMMER)
    assert told.ask("SELECT DISTINCT channel FROM notification") == [("other",)]


def test_state_that_cannot_be_read_is_told_and_nothing_is_taken_for_over(
    told: Work, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad_row(told)
    outcomes(told, SUMMER)
    server.raw()

    def no_keys(*_: object) -> None:
        raise KeyFileError(PRIVATE)

    with monkeypatch.context() as patch:
        patch.setattr(telling, "status_in", no_keys)
        assert outcomes(told, SUMMER + QUARTER) == ["told"]
        assert outcomes(told, SUMMER + 2 * QUARTER) == ["nothing"]
    [mail] = server.taken()
    assert str(mail["Subject"]).endswith("the state of the promise cannot be read")
    assert PRIVATE not in str(mail)
    assert outcomes(told, SUMMER + 3 * QUARTER) == ["nothing"]


def test_database_that_is_busy_is_told_to_nobody_but_the_caller(
    told: Work, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise TransientDatabaseError(PRIVATE)

    monkeypatch.setattr(telling, "status_in", busy)
    with pytest.raises(TransientDatabaseError):
        tell(told.context, SUMMER)
    assert server.raw() == []
    assert told.ask("SELECT holder FROM lease WHERE name = 'notify'") == [("",)]


@pytest.mark.parametrize("part", ["attachment", "body"])
def test_checkpoint_of_a_summary_shows_later_that_the_log_only_grew(
    sqlite_work: Work, server: MailServer, part: str
) -> None:
    work = telling_to(sqlite_work, server.table())
    outcomes(work, SUMMER)
    [mail] = server.taken()
    body = mail.get_body()
    assert body is not None
    lines = str(body.get_content()).replace("\r\n", "\n").split("\n")
    origin = work.context.installation.origin
    copied = "\n".join([*lines[lines.index(origin) : lines.index("-- ")]]).rstrip("\n") + "\n"
    [attached] = mail.iter_attachments()
    raw = attached.get_payload(decode=True)
    assert isinstance(raw, bytes)
    assert copied.encode() == raw
    kept = work.office.folder / "checkpoint"
    kept.write_bytes(raw if part == "attachment" else copied.encode())
    bad_row(work)
    work.context.database.close()
    done = work.office.cli("audit", "verify", "--since", str(kept))
    assert done.returncode == 0, done.stdout + done.stderr


# The end of a run.


def test_run_tells_at_its_end_however_it_ends_and_ends_as_it_would(told: Work, server: MailServer) -> None:
    told.take([row(f"m-{n}", "2026-08-01 09:00:00") for n in range(4)])
    telling_to(told, server.table(), more=(("max_share = 1.0", "max_share = 0.1"),))
    told.context.database.close()
    done = told.office.cli("run", now=DUE_FROM + timedelta(hours=3))
    assert done.returncode == 12, done.stderr
    [subject] = subjects(server)
    assert subject == "the promise BREAKS on 3 November 2026, 00:00 (Europe/London) (and 3 more)"
    (told.office.folder / "var" / "keys").rename(told.office.folder / "keys-away")
    done = told.office.cli("run", now=DUE_FROM + timedelta(hours=4))
    assert done.returncode == 1
    (told.office.folder / "keys-away").rename(told.office.folder / "var" / "keys")
    [subject] = subjects(server)
    assert subject == "the state of the promise cannot be read"


def test_run_that_leaves_something_there_warns_at_once_and_once(told: Work, server: MailServer) -> None:
    told.take([row(f"m-{n}", "2026-08-01 09:00:00") for n in range(4)])
    with telling.told_at_the_end(told.context, DUE_FROM - timedelta(hours=1)):
        pass
    for minutes in (180, 181, 182, 195, 196):
        at = DUE_FROM + timedelta(minutes=minutes)
        with pytest.raises(LockHeldError), telling.told_at_the_end(told.context, at):
            raise LockHeldError(PRIVATE)
        outcomes(told, at)
    # That day is a Monday, so there is a summary in it.
    assert subjects(server)[1:] == ["the promise BREAKS on 3 November 2026, 00:00 (Europe/London) (and 1 more)"]
    told.run(DUE_FROM + timedelta(hours=4))
    with telling.told_at_the_end(told.context, DUE_FROM + timedelta(hours=4)):
        pass
    assert told.ask("SELECT occasion FROM notification WHERE occasion = 'near'") == []


def test_run_that_did_not_do_its_work_is_told_until_one_does(told: Work, server: MailServer) -> None:
    context = told.context
    with pytest.raises(KeyFileError), telling.told_at_the_end(context, SUMMER):
        raise KeyFileError(PRIVATE)
    [mail] = server.taken()
    assert str(mail["Subject"]).endswith("retention run did not do its work")
    assert PRIVATE not in str(mail)
    assert outcomes(told, SUMMER + QUARTER) == ["nothing"]
    assert told.ask("SELECT occasion FROM notification WHERE occasion = 'run'") == [("run",)]
    with telling.told_at_the_end(context, SUMMER + 2 * QUARTER):
        pass
    assert told.ask("SELECT occasion FROM notification WHERE occasion = 'run'") == []
    assert server.raw() == []


@pytest.mark.parametrize("error", [DatabaseError("gone"), RuntimeError("what nobody foresaw"), NoticeError("no")])
def test_what_goes_wrong_with_telling_changes_nothing_about_a_run(
    told: Work, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(telling, "tell", break_down)
    with telling.told_at_the_end(told.context, SUMMER):
        pass
    with pytest.raises(KeyFileError), telling.told_at_the_end(told.context, SUMMER):
        raise KeyFileError(PRIVATE)


def test_library_that_breaks_down_in_a_channel_keeps_nothing_from_the_others(
    work: Work, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling_to(work, server.table(), server.table("other"))

    def break_down(settings: object) -> object:
        if getattr(settings, "name", "") == "office":
            raise ZeroDivisionError
        return build_channel(settings)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(telling, "build_channel", break_down)
    assert outcomes(work, SUMMER) == ["failed", "told"]
    assert "failed (ZeroDivisionError)" in work.findings()[0].reason


# Once, and never lost.


@contextmanager
def processes(office: Office, now: datetime, number: int) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "retention", "notify", "--config", str(office.config), "--now", now.isoformat()]
    started = [
        subprocess.Popen(
            [*command, "--format", "json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **office.environment},
            cwd=office.folder,
        )
        for _ in range(number)
    ]
    try:
        yield started
    finally:
        for one in started:
            one.kill()
            one.communicate()


def test_two_processes_at_once_tell_once(told: Work, server: MailServer) -> None:
    telling_to(told, server.table(timeout_seconds=300.0))
    bad_row(told)
    told.context.database.close()
    with processes(told.office, SUMMER, 2) as both:
        said = [json.loads(one.communicate()[0])["channels"][0]["outcome"] for one in both]
    assert sorted(said) == ["nothing", "told"]
    assert len(server.raw()) == 1


def test_process_that_is_killed_while_it_sends_keeps_no_claim_and_loses_nothing(told: Work, server: MailServer) -> None:
    telling_to(told, server.table(to=["slow@office.example"], timeout_seconds=300.0))
    bad_row(told)
    with processes(told.office, SUMMER, 1) as [process]:
        while not told.ask("SELECT occasion FROM notification WHERE occasion = 'promise'"):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    telling_to(told, server.table())
    assert outcomes(told, SUMMER) == ["told"]
    assert subjects(server) == ["the promise is AT RISK (and 1 more)"]
    assert told.ask("SELECT holder FROM lease WHERE name = 'notify'") == [("",)]


class _Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize(
    "step", ["forget", "load", "save", "compose", "send", "sent", "note", "save again", "give back"]
)
def test_pass_that_dies_at_any_step_is_made_good_by_the_next(
    told: Work, server: MailServer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    bad_row(told)
    saves = iter(range(10))

    def die(*_: object, **__: object) -> None:
        raise _Killed

    def die_the_second_time(*given: object) -> None:
        if next(saves):
            raise _Killed
        save(*given)  # type: ignore[arg-type]  # handed on

    save = notifications.save
    channel = type(build_channel(told.context.settings.notify[0]))
    original = channel.send

    def sent_and_died(self: object, message: Message) -> None:
        original(self, message)  # type: ignore[arg-type]  # handed on
        raise _Killed

    places = {
        "forget": (notifications, "forget_others", die),
        "load": (notifications, "load", die),
        "save": (notifications, "save", die),
        "compose": (telling, "write", die),
        "send": (channel, "send", die),
        "sent": (channel, "send", sent_and_died),
        "note": (telling, "_note", die),
        "save again": (notifications, "save", die_the_second_time),
        "give back": (lease, "give_back", die),
    }
    with monkeypatch.context() as patch:
        patch.setattr(*places[step])
        with pytest.raises(_Killed):
            tell(told.context, SUMMER)
    # The process is gone, and this one is another: what it left of its claim is that of a dead process.
    told.tell("UPDATE lease SET holder = replace(holder, :pid, '|1|') WHERE name = 'notify'", pid=f"|{os.getpid()}|")
    told.reopen(("[purge]", f"{server.table()}[purge]"))
    before = server.taken()
    again = outcomes(told, SUMMER)
    later = server.taken()
    arrived = {"sent", "note", "save again", "give back"}
    assert len(before) == (step in arrived)
    assert again == (["nothing"] if step == "give back" else ["told"])
    if before and later:
        assert before[0]["Message-ID"] == later[0]["Message-ID"], "whoever gets both can tell that they are one"
    assert outcomes(told, SUMMER) == ["nothing"]


def test_claim_that_was_lost_while_sending_writes_nothing(told: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    bad_row(told)
    sent = telling._sent  # noqa: SLF001  # the moment between sending and noting

    def slowly(*given: object) -> Report:
        report = sent(*given)  # type: ignore[arg-type]  # handed on
        told.tell("UPDATE lease SET token = token + 1 WHERE name = 'notify'")
        return report

    with monkeypatch.context() as patch:
        patch.setattr(telling, "_sent", slowly)
        with pytest.raises(Exception, match="taken over"):
            tell(told.context, SUMMER)
    assert told.ask("SELECT told_at FROM notification WHERE occasion = 'promise'") == [(None,)]
    told.tell("UPDATE lease SET holder = '' WHERE name = 'notify'")
    assert outcomes(told, SUMMER) == ["told"]


def test_pass_that_another_host_is_doing_is_left_to_it(told: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    lease.take(told.context.database, "notify", 3000)
    moments = iter(range(0, 10**6, 10))
    monkeypatch.setattr(telling, "monotonic", lambda: next(moments))
    monkeypatch.setattr(telling, "sleep", lambda _: None)
    assert outcomes(told, SUMMER) == ["another pass is at work"]
    told.tell("UPDATE lease SET holder = '', expires_at = 0 WHERE name = 'notify'")


def test_command_says_by_its_exit_code_that_a_channel_failed(sqlite_work: Work, server: MailServer) -> None:
    work = sqlite_work
    work.context.database.close()
    assert work.office.cli("notify").stdout.splitlines()[1].startswith("Nobody is told")
    assert work.office.cli("notify", "--test").returncode == 2
    assert work.office.cli("notify", "--test", "--dry-run").returncode == 2
    work.office.configure(("[purge]", f"{server.table()}[purge]"))
    done = work.office.cli("notify", "--dry-run")
    assert (done.returncode, "weekly summary" in done.stdout) == (0, True)
    done = work.office.cli("notify")
    assert (done.returncode, done.stdout.splitlines()[1]) == (0, "office: told: 1 told of in one message")
    work.office.configure(("[purge]", f"{server.table(to=['refused@office.example'])}[purge]"))
    done = work.office.cli("notify", "--test")
    assert done.returncode == 3
    assert "refused every recipient (550)" in done.stdout


def test_check_says_who_is_told_and_what_is_missing_for_it(sqlite_work: Work, server: MailServer) -> None:
    work = sqlite_work
    work.context.database.close()
    assert "NOBODY is told when the promise is at risk" in work.office.cli("check").stdout
    tables = server.table(security="starttls", about=["promise", "audit-log"]) + server.table("other")
    work.office.configure(("[purge]", f"{tables}[purge]"))
    done = work.office.cli("check")
    port = server.ports["starttls"]
    assert f"Told by mail (office, by localhost port {port}): promise, audit-log." in done.stdout
    assert f"Told by mail (other, by localhost port {server.ports['none']}): everything." in done.stdout
    assert done.returncode == 2
    assert "notify office: has nothing to sign in with" in done.stderr
    work.office.environment["RETENTION_OFFICE_SMTP_PASSWORD"] = PASSWORD
    assert work.office.cli("check").returncode == 0
    assert work.office.cli("notify", "--test").returncode == 0
    assert len(server.raw()) == 2


def test_secret_that_cannot_be_read_fails_the_channel_alone(
    work: Work, server: MailServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    telling_to(work, server.table(), server.table("other"))
    monkeypatch.setenv("RETENTION_OFFICE_SMTP_PASSWORD_FILE", str(tmp_path / "nowhere"))
    assert outcomes(work, AUTUMN) == ["failed", "told"]
    assert work.findings()[0].reason.endswith("its secret cannot be read")


def test_address_of_a_webhook_is_a_secret_that_no_output_and_no_log_tells(sqlite_work: Work) -> None:
    work = sqlite_work
    work.context.database.close()
    with host(lambda _: (500, {}, b"qzanswer")) as hook:
        given = table(name="chat", kind="webhook", url=f"{hook.url}/qzpath")
        work.office.configure(("[purge]", f"{given}[purge]"))
        done = work.office.cli("notify", "--format", "json", "--verbose")
        assert len(hook.asked) > 1
    assert done.returncode == 3
    assert json.loads(done.stdout)["channels"][0]["reason"] == "http://127.0.0.1 cannot be reached (HTTP 500)"
    assert "qzpath" not in done.stdout + done.stderr
    assert "qzanswer" not in done.stdout + done.stderr


def test_service_tells_by_itself_where_somebody_is_to_be_told(sqlite_office: Office, server: MailServer) -> None:
    scheduled(sqlite_office, server.table(), notify="0 0 1 1 *")
    context = sqlite_office.open()
    with context.database.write() as connection:
        jobs.save(connection, JobState("notify", "failed", 1, 2, 1, 1, 3))  # its turn is long past
    context.database.close()
    with serving(sqlite_office, sqlite_office.now):
        until(lambda: states(sqlite_office)["notify"].outcome != "running" and bool([*server.folder.glob("*.eml")]))
        until(lambda: states(sqlite_office)["notify"].outcome == "done")
    assert subjects(server) == ["weekly summary: the promise is kept"]


def test_table_is_of_toml() -> None:
    assert table(name="x", port=1) == '[[notify]]\nname = "x"\nport = 1\n'
