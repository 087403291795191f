"""Mail, handed to a real server: signed in over TLS or not at all, in time or not at all, and well-formed."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from retention.errors import NoticeError
from retention.notify.mail import MailChannel, Server, flat
from retention.notify.occasion import Occasion, Told
from retention.notify.words import write
from tests.mail_server import PASSWORD, USER, running_mail_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.notify.interface import Message
    from tests.mail_server import MailServer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOTE = f"retention/DRILL-0\n7\n{'A' * 43}=\n\n\u2014 retention/DRILL-0 {'A' * 200}=\n"
SECONDS = 30.0
LONDON = ZoneInfo("Europe/London")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with running_mail_server(tmp_path_factory.mktemp("mail")) as running:
        yield running


@pytest.fixture
def message() -> Message:
    return written(LONDON)


def written(zone: ZoneInfo, before: int = 1_795_100_000) -> Message:
    title = "the promise is BROKEN: 4 messages overdue"
    broken = Occasion(
        "promise", "promise", title, ("Overdue and not held: 4 messages.",), ("retention run",), 2, urgency=3
    )
    summary = Occasion("summary", "summary", "weekly summary", ("  a  b",), urgency=0, attachment=NOTE)
    told = (Told(broken, 1_795_000_000, before), Told(summary, 1_795_000_000, None))
    return write(
        told,
        channel="office",
        origin="retention/DRILL-0",
        promise="broken",
        drill=True,
        now=NOW,
        sent_at=NOW,
        zone=zone,
    )


def channel(server: MailServer, security: str = "none", *to: str, timeout: float = SECONDS, **more: Any) -> MailChannel:  # noqa: ANN401  # a field of Server
    place = Server("localhost", server.ports[security], security)
    if security != "none":
        place = place._replace(certificate=server.certificate, user=USER, password=PASSWORD)
    if spoken := more.pop("spoken", None):
        more["security"] = spoken
    place = place._replace(**more)
    return MailChannel("office", place, "retention@office.example", list(to) or ["dpo@office.example"], timeout=timeout)


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_mail_arrives_by_every_way_and_reads_well(server: MailServer, message: Message, security: str) -> None:
    assert channel(server, security, "dpo@office.example", "it@office.example").send(message) is None
    [mail] = server.taken()
    assert mail["Subject"] == "DRILL: retention: the promise is BROKEN: 4 messages overdue (and 1 more)"
    assert (mail["From"], mail["To"]) == ("retention@office.example", "dpo@office.example, it@office.example")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<{message.ident}@office.example>"
    assert parsedate_to_datetime(str(mail["Date"])) == NOW
    body = mail.get_body()
    assert body is not None
    text = body.get_content().replace("\r\n", "\n")
    assert text.startswith("DRILL: this is an exercise.")
    assert "retention run" in text
    assert NOTE in text
    [kept] = mail.iter_attachments()
    assert kept.get_filename() == "checkpoint"
    assert kept.get_payload(decode=True) == NOTE.encode()


def test_mail_keeps_to_the_limits_of_the_format_and_names_no_machine(server: MailServer, message: Message) -> None:
    channel(server).send(message)
    [raw] = server.raw()
    assert b"\r\n" in raw
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    assert max(map(len, lines)) <= 998
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    assert socket.gethostname().encode() not in raw
    text = message.text.split("\u2014")[0]
    assert all(len(line) <= 72 for line in text.splitlines()), text


def test_what_stands_in_a_title_can_add_no_header(message: Message, server: MailServer) -> None:
    bad = replace(message, subject="one\r\nBcc: everybody@office.example")
    with pytest.raises(ValueError, match="linefeed"):
        channel(server).compose(bad)
    with pytest.raises(NoticeError):
        channel(server).send(bad)
    assert server.raw() == []


def test_the_same_message_sent_again_has_the_same_identifier(message: Message) -> None:
    assert written(LONDON).ident == message.ident
    assert written(LONDON, before=1_795_200_000).ident != message.ident


def test_message_about_very_much_counts_what_it_does_not_list() -> None:
    holds = [Occasion(f"hold:{n}", "hold-review", f"the review of hold {n}") for n in range(45)]
    many = write(
        tuple(Told(one, 1_795_000_000, 1_795_000_001) for one in holds),
        channel="office",
        origin="x",
        promise="at_risk",
        drill=False,
        now=NOW,
        sent_at=NOW,
        zone=LONDON,
    )
    assert many.subject == "retention: the review of hold 0 (and 44 more)"
    assert (
        "40. The review of hold 39\n   Since 18 November 2026, 11:06 (Europe/London); this is told again" in many.text
    )
    assert "5 more are not listed here; see: retention status" in many.text
    assert "DRILL" not in many.text


@pytest.mark.parametrize(
    ("security", "to", "more", "said"),
    [
        ("none", "refused@office.example", {}, r"refused every recipient \(550\)"),
        ("none", "later@office.example", {}, r"refused the message \(451\)"),
        ("starttls", "dpo@office.example", {"password": "wrong"}, r"does not let us sign in \(535\)"),
        ("starttls", "dpo@office.example", {"password": None}, "office-smtp-password"),
        ("starttls", "dpo@office.example", {"password": "p\u00e4ss"}, "beyond ASCII"),
        ("starttls", "dpo@office.example", {"certificate": None}, "certificate that is not trusted"),
        ("tls", "dpo@office.example", {"certificate": Path("/nowhere.pem")}, "cannot be read"),
        ("none", "dpo@office.example", {"spoken": "starttls"}, "does not offer"),
        ("none", "dpo@office.example", {"spoken": "tls"}, "does not speak TLS"),
        ("none", "dpo@office.example", {"user": USER, "password": PASSWORD}, "does not offer"),
        ("none", "dpo@office.example", {"host": "nowhere.invalid"}, "cannot be reached"),
    ],
)
def test_mail_that_does_not_arrive_says_why_and_quotes_no_answer(  # a table of cases
    server: MailServer, message: Message, *, security: str, to: str, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(NoticeError, match=said) as failed:
        channel(server, security, to, **more).send(message)
    assert "qzsecretvalue" not in str(failed.value)
    assert server.raw() == []


def test_recipient_that_is_refused_keeps_nothing_from_the_others(server: MailServer, message: Message) -> None:
    told = channel(server, "none", "refused@office.example", "dpo@office.example").send(message)
    assert told == "refused 1 of 2 recipients"
    assert len(server.raw()) == 1


def test_server_that_never_answers_costs_no_more_than_the_time_out(server: MailServer, message: Message) -> None:
    with pytest.raises(NoticeError, match="takes too long"):
        channel(server, "none", "slow@office.example", timeout=0.3).send(message)


@contextmanager
def dripping() -> Iterator[int]:
    """Greet without end, a byte at a time: each arrives long before any limit for a single one."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            with listening.accept()[0] as client:
                while not over.wait(0.02):
                    try:
                        client.sendall(b"2")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        yield listening.getsockname()[1]
        over.set()
        thread.join()


@pytest.mark.parametrize("security", ["none", "starttls"])
def test_server_that_drips_costs_no_more_than_the_time_out(message: Message, security: str) -> None:
    with dripping() as port:
        place = Server("127.0.0.1", port, security)
        with pytest.raises(NoticeError, match="takes too long"):
            MailChannel("office", place, "a@office.example", ["b@office.example"], timeout=0.5).send(message)


def test_what_is_missing_shows_before_anything_is_sent(server: MailServer) -> None:
    assert channel(server, "starttls").problem() is None
    assert "no password" in str(channel(server, "starttls", password="").problem())
    assert "cannot be read" in str(channel(server, "tls", certificate=Path("/nowhere.pem")).problem())


def test_mail_is_what_other_parsers_read_too(server: MailServer, message: Message) -> None:
    mail = channel(server).compose(message)
    raw = flat(mail)
    assert b"Content-Transfer-Encoding: quoted-printable" in raw
    body = raw.split(b"\r\n\r\n", 1)[1]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert not message_from_bytes(raw, policy=policy.default).defects
