"""The tables ``[[notify]]``: who is told when the promise is at risk, and by which host."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from retention.model import Period
from retention.settings.fields import DaysText, FilePath, HostName, HttpAddress, Name, UserName
from retention.settings.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from retention.settings.table import Wrong

Kind = Literal[
    "promise",
    "belt-closed",
    "plan-waiting",
    "plan-expired",
    "hold-review",
    "source-silent",
    "order-overdue",
    "audit-log",
    "job-failing",
    "anchor-failed",
    "findings",
    "summary",
]
"""What there is to tell of."""
KINDS: tuple[Kind, ...] = get_args(Kind)

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = get_args(Day)

# Far less than RFC 5322 allows: no quoted part, no comment and no name beside the address.
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_OF_MAIL = frozenset({"host", "port", "security", "certificate", "user", "from", "to"})
_NEEDS = {"mail": ("host", "from", "to"), "webhook": ("url",)}
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_WEB = {"https": 443, "http": 80}


def _mailbox(address: str) -> str:
    if not _MAILBOX.fullmatch(address):
        msg = "write one plain address such as office@example.org"
        raise ValueError(msg)
    return address


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name or number."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


MailAddress = Annotated[str, AfterValidator(_mailbox)]


class NotifySettings(Table):
    """One channel: what it tells of, how often, and where to; keys of the other kind are None."""

    name: Name
    kind: Literal["mail", "webhook"]
    about: Annotated[list[Kind], Field(min_length=1)] = Field(default_factory=lambda: [*KINDS])
    repeat: DaysText = "P1D"
    ahead: DaysText = "P14D"
    summary_day: Day = "monday"
    timeout_seconds: Annotated[float, Field(strict=True, gt=0, le=300)] = 20.0
    host: HostName | None = None
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    certificate: FilePath | None = None
    user: UserName | None = None
    sender: Annotated[MailAddress | None, Field(alias="from")] = None
    to: Annotated[list[MailAddress], Field(min_length=1, max_length=50)] | None = None
    url: HttpAddress | None = None

    @property
    def repeat_time(self) -> timedelta:
        """After which time something that lasts is told again."""
        return timedelta(days=Period.parse(self.repeat).days)

    @property
    def ahead_time(self) -> timedelta:
        """How long before its day the review of a hold is told."""
        return timedelta(days=Period.parse(self.ahead).days)

    @property
    def hosts(self) -> list[tuple[str, int]]:
        """The hosts with their ports that this channel connects to."""
        if self.url is not None:
            parts = urlsplit(self.url)
            return [(parts.hostname or "", parts.port or _WEB[parts.scheme])]
        return [(self.host or "", self.port or _PORTS[self.security])]

    @property
    def credential(self) -> str:
        """The name of the secret that this channel signs in or signs with."""
        return f"{self.name}-smtp-password" if self.kind == "mail" else f"{self.name}-notify-secret"

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        kind = str(given.get("kind"))
        if kind not in _NEEDS:
            return
        for key in _NEEDS[kind]:
            if key not in given:
                yield (), f'kind = "{kind}" needs {key}'
        strange = {"url"} if kind == "mail" else _OF_MAIL
        yield from (((key,), f'is not for kind = "{kind}"') for key in sorted(strange & given.keys()))
        host = given.get("host")
        if given.get("security") == "none" and isinstance(host, str) and not is_loopback(host):
            yield ("security",), '"none" is for a server on this machine only; write "starttls" or "tls"'
        if given.get("security") == "none" and "certificate" in given:
            yield ("certificate",), 'goes with security = "starttls" or "tls"'
        url = given.get("url")
        if isinstance(url, str) and url.startswith("http://") and not _is_local(url):
            yield ("url",), "write https://…; http:// is for this machine only"


def _is_local(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
