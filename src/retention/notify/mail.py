"""A channel that sends mail by one server. The only file that speaks SMTP.

What a server says is not repeated, because it may quote an address; its number is. A connection without TLS is made to
this machine only, and a server that does not offer STARTTLS gets nothing.
"""

from __future__ import annotations

import smtplib
import ssl
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from retention.errors import NoticeError
from retention.notify.intime import in_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retention.notify.interface import Message

_SELF = "[127.0.0.1]"  # what we are called in EHLO: the name of this machine is nobody's business
_CONTENT = policy.SMTP.clone(max_line_length=76)  # the most that quoted-printable allows
_FLAT = policy.SMTP.clone(max_line_length=160, cte_type="7bit")  # so that no subject is folded


class Server(NamedTuple):
    """Where mail is handed over: ``security`` is starttls, tls or none; ``certificate`` names who is trusted."""

    host: str
    port: int
    security: str
    certificate: Path | None = None
    user: str | None = None
    password: str | None = None


class MailChannel:
    """Sends one message to every address that is configured."""

    def __init__(self, name: str, server: Server, sender: str, to: list[str], *, timeout: float) -> None:
        """Remember who sends what to whom."""
        self.name, self.place = name, f"{server.host} port {server.port}"
        self._server, self._sender, self._to, self._timeout = server, sender, to, timeout

    def problem(self) -> str | None:
        """Say where the password or the certificates are not there."""
        try:
            self._demand_password()
            _trusted(self._server)
        except NoticeError as error:
            return str(error)
        return None

    def send(self, message: Message) -> str | None:
        """Send a message; say how many recipients were refused, where not all were.

        Raises:
            NoticeError: it did not arrive, or nobody knows.

        """
        refused = in_time(partial(self._send, message), self._timeout)
        return f"refused {refused} of {len(self._to)} recipients" if refused else None

    def compose(self, message: Message) -> EmailMessage:
        """Make the mail that is sent; all of its text stands in the first part."""
        mail = EmailMessage(policy=_CONTENT)
        domain = self._sender.rpartition("@")[2]
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._to)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(message.sent_at)
        mail["Message-ID"] = f"<{message.ident}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail.set_content(message.text, cte="7bit" if message.text.isascii() else "quoted-printable")
        for note in (one.occasion.attachment for one in message.told if one.occasion.attachment):
            # As bytes: a text part may come out with other line ends, and then its signature does not verify.
            mail.add_attachment(note.encode(), maintype="application", subtype="octet-stream", filename="checkpoint")
        return mail

    def _demand_password(self) -> None:
        password = self._server.password
        if self._server.user is not None and not (password and password.isascii()):
            lacks = "is no password" if not password else "are letters beyond ASCII in the password, which SMTP lacks"
            msg = f"has nothing to sign in with: there {lacks}; it is the credential {self.name}-smtp-password"
            raise NoticeError(msg)

    def _send(self, message: Message) -> int:
        server = self._server
        self._demand_password()
        context = _trusted(server)
        try:
            mail = flat(self.compose(message))
            with _connected(server, context, self._timeout) as client:
                if server.user is not None:
                    client.login(server.user, server.password or "")
                return len(client.sendmail(self._sender, self._to, mail))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NoticeError(_reason(error)) from None


def flat(mail: EmailMessage) -> bytes:
    """Spell a mail as it goes over the wire, in ASCII."""
    return mail.as_bytes(policy=_FLAT)


def _connected(server: Server, context: ssl.SSLContext | None, timeout: float) -> smtplib.SMTP:
    place = (server.host, server.port, _SELF)
    if server.security == "tls":
        return smtplib.SMTP_SSL(*place, timeout=timeout, context=context)
    client = smtplib.SMTP(*place, timeout=timeout)
    try:
        if server.security == "starttls":
            client.starttls(context=context)
    except BaseException:
        client.close()
        raise
    return client


def _trusted(server: Server) -> ssl.SSLContext | None:
    if server.security == "none":
        return None
    try:
        return ssl.create_default_context(cafile=server.certificate)
    except (OSError, ssl.SSLError):
        msg = f"the certificates in {server.certificate} cannot be read"
        raise NoticeError(msg) from None


_REASONS: tuple[tuple[type[Exception], Callable[[Exception], str]], ...] = (
    (smtplib.SMTPRecipientsRefused, lambda error: f"refused every recipient{_code_of(error)}"),
    (smtplib.SMTPAuthenticationError, lambda error: f"does not let us sign in{_code_of(error)}"),
    (smtplib.SMTPNotSupportedError, lambda _: "does not offer what is asked of it: STARTTLS, or to sign in"),
    (smtplib.SMTPResponseException, lambda error: f"refused the message{_code_of(error)}"),
    (ssl.SSLCertVerificationError, lambda _: "shows a certificate that is not trusted"),
    (ssl.SSLError, lambda _: "does not speak TLS as it should"),
    (TimeoutError, lambda _: "takes too long"),
    (smtplib.SMTPServerDisconnected, lambda _: "broke the connection off"),
)


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, TimeoutError):
        error = error.__context__  # what the library makes of a time-out while it reads
    known = (say(error) for kind, say in _REASONS if isinstance(error, kind))
    return next(known, f"cannot be reached ({type(error).__name__})")


def _code_of(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f" ({', '.join(map(str, codes))})"
    return f" ({error.smtp_code})" if isinstance(error, smtplib.SMTPResponseException) else ""
