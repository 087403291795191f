"""What a channel is to the rest of the program, and what it carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from retention.notify.occasion import Told


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``ident`` is the same where it is sent again because nobody knows whether it arrived.

    ``sent_at`` is by the machine's clock, in a drill too; ``now`` is the time that the message speaks of.
    """

    ident: str
    subject: str
    text: str
    told: tuple[Told, ...]
    origin: str
    promise: str
    drill: bool
    now: datetime
    sent_at: datetime


class Channel(Protocol):
    """One way to people."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""

    @property
    def place(self) -> str:
        """Where it leads, for people."""

    def problem(self) -> str | None:
        """Say what keeps it from being used, as far as that can be seen without asking anybody."""

    def send(self, message: Message) -> str | None:
        """Send a message; give what is wrong although it arrived, if anything.

        Raises:
            NoticeError: it did not arrive, or nobody knows; the reason follows the name of the host.

        """
