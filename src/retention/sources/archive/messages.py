"""From the values of one record to a message, by the rules that every archive shares.

All messages of an archive are private. Which way one went is told by the configured own accounts, because the archive
is written from the point of view of one account and does not mark its messages.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from retention.model import IncomingMessage, MessageClass, RowProblem
from retention.sources.files.fields import FieldError, checked_identifier
from retention.sources.files.times import LocalClock

if TYPE_CHECKING:
    from collections.abc import Iterable

DIRECT, GROUP = "direct_message", "group_direct_message"
"""Message types: between two, and among several."""

_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?")
_ID_DIGITS = 32


class Messages:
    """Makes the messages of one part of an archive."""

    def __init__(self, source: str, network: str, own: Iterable[str], member: str) -> None:
        """Take the source's name, the network, the accounts that are ours and the part that problems name."""
        self._classes: dict[tuple[str, str], MessageClass] = {}
        self._source = source
        self._network = network
        self._own = frozenset(_folded(account) for account in own) - {""}
        self._member = member
        self._last: tuple[str, ...] = ()
        self._same = 0
        self._seconds_of = LocalClock(ZoneInfo("UTC")).reader()

    def is_own(self, *spellings: str) -> bool:
        """Tell whether one of the names under which a sender is written is an account of ours."""
        return any(_folded(spelling) in self._own for spelling in spellings)

    def contact(self, sender: str, others: Iterable[str]) -> str:
        """Give whom a message is from or, where it is ours, the one it went to; nobody where that is a group."""
        if not self.is_own(sender):
            return sender
        to = {other for other in others if not self.is_own(other)}
        return to.pop() if len(to) == 1 else ""

    def instant(self, field: str, text: str) -> int:
        """Read an instant in ISO 8601, in UTC where it gives no offset; raises FieldError."""
        try:
            return self._seconds_of(text)
        except FieldError as error:
            # What follows is advice for tables, whose format can be configured.
            raise FieldError(field, error.reason.partition(";")[0]) from None

    def made_id(self, conversation: str, instant: str) -> str:
        """Make an identifier for a message whose archive gives none: of its conversation, its instant and its place.

        The text plays no part in it. Messages of one instant that follow each other are told apart by counting.
        """
        this = (conversation, instant)
        self._same = self._same + 1 if this == self._last else 0
        self._last = this
        return hashlib.sha256("\0".join((*this, str(self._same))).encode()).hexdigest()[:_ID_DIGITS]

    def message(
        self,
        number: int,
        *,
        message_id: str,
        conversation: tuple[str, str],
        contact: tuple[str, str],
        received_at: int,
        sender_is_own: bool,
        message_type: str,
    ) -> IncomingMessage:
        """Make a message; ``conversation`` and ``contact`` are each the field's name and its value."""
        direction = ("outbound" if sender_is_own else "inbound") if self._own else ""
        return IncomingMessage(
            number,
            message_id,
            checked_identifier(*conversation),
            checked_identifier(*contact),
            received_at,
            self._class(direction, message_type),
        )

    def problem(self, number: int, column: str | None, reason: str) -> RowProblem:
        """Say what is wrong with a record."""
        # The advice to set encoding is for tables: an archive's encoding is settled.
        told = "is not valid UTF-8" if "{encoding}" in reason else reason
        return RowProblem(number, column, told, self._member)

    def _class(self, direction: str, message_type: str) -> MessageClass:
        return self._classes.setdefault(
            (direction, message_type),
            MessageClass(self._source, self._network, "", direction, "private", message_type),
        )


def needed(field: str, value: object) -> str:
    """Give a value that must be there as text; raises FieldError where it is missing, empty or no identifier."""
    text = plain(value)
    if not text.strip():
        raise FieldError(field, "is missing or empty")
    return checked_identifier(field, text)


def plain(value: object) -> str:
    """Give a text or whole number as text, and nothing for any other value."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _folded(account: str) -> str:
    return _ADDRESS.sub("", account.strip().removeprefix("@"), count=1).rstrip("/").casefold()
