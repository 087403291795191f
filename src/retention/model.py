"""Value types that every room shares. No behaviour beyond parsing and printing themselves.

Instants are whole seconds since 1970-01-01T00:00:00Z wherever they are stored or streamed (``int``), and aware
``datetime`` objects in UTC wherever people or policy handle them. Fractions of a second are dropped: the policy
works with calendar days.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

Visibility = Literal["private", "public"]

_PERIOD = re.compile(r"P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", re.ASCII)
_MAX_YEARS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """A positive ISO 8601 calendar duration, e.g. ``P3M``: months are added first, then days."""

    months: int
    days: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """Parse the date part of an ISO 8601 duration (years, months, weeks, days).

        Raises:
            ValueError: not of that form, zero, negative, or longer than 100 years. The message says what to write.

        """
        match = _PERIOD.fullmatch(text)
        if match is None:
            msg = "write an ISO 8601 period of years, months, weeks or days, for example P3M, P90D or P1Y6M"
            raise ValueError(msg)
        years, months, weeks, days = (int(part or 0) for part in match.groups())
        period = cls(months=12 * years + months, days=7 * weeks + days)
        if period.months == 0 and period.days == 0:
            msg = "a period must be longer than zero"
            raise ValueError(msg)
        if period.months / 12 + period.days / 365 > _MAX_YEARS:
            msg = f"a period must not be longer than {_MAX_YEARS} years"
            raise ValueError(msg)
        return period

    def __str__(self) -> str:
        """Give the shortest ISO 8601 spelling: whole years, months, days."""
        years, months = divmod(self.months, 12)
        return "P" + "".join(f"{n}{unit}" for n, unit in ((years, "Y"), (months, "M"), (self.days, "D")) if n)


class MessageClass(NamedTuple):
    """Everything of a message that a rule can match on; messages alike in all six share one row of the database."""

    source: str
    network: str
    channel: str
    direction: str
    visibility: Visibility
    message_type: str


class IncomingMessage(NamedTuple):
    """One message as a source hands it over. Identifiers are the source's own; they are pseudonymised on ingest."""

    line: int
    message_id: str
    conversation_id: str
    contact_id: str
    received_at: int
    message_class: MessageClass


class PseudonymousMessage(IncomingMessage):
    """One message whose conversation and contact became pseudonyms when we were told of it."""

    __slots__ = ()


class RowProblem(NamedTuple):
    """One row that a source could not use: where it stands and why, never what it said.

    ``line`` is the physical line on which the row starts, counted from 1 within ``member``: the part of an archive
    that the row stands in, empty for a file that is no archive. In JSON, where lines have no meaning, it is the number
    of the message.
    """

    line: int
    column: str | None
    reason: str
    member: str = ""


class RowNotice(NamedTuple):
    """Something of an item that a person should look at although no row is lost by it. Line 0 means all of it."""

    line: int
    column: str | None
    reason: str
    member: str = ""


def to_epoch(moment: datetime) -> int:
    """Turn an aware datetime into whole seconds since 1970-01-01T00:00:00Z, rounding down."""
    return (moment - _EPOCH) // timedelta(seconds=1)


def from_epoch(seconds: int) -> datetime:
    """Turn whole seconds since 1970-01-01T00:00:00Z into an aware datetime in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def iso(moment: datetime) -> str:
    """Spell an aware datetime in UTC as ``2026-11-22T18:16:31Z``, the form used in entries and JSON."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
