"""Holds: orders that suspend the disposal of what they cover, over every rule.

A hold covers a message where the message was received inside its range of time and every kind of selector it has
accepts the message: values of one kind are alternatives, different kinds restrict each other. A hold without any
selector covers everything in its range. This file is the meaning; ``store/holds.py`` says the same in SQL, and a
property test keeps the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

HoldKind = Literal["foi", "sar", "litigation", "inquiry"]
HOLD_KINDS: tuple[HoldKind, ...] = get_args(HoldKind)

Selector = Literal["message", "conversation", "contact", "network", "channel"]
SELECTORS: tuple[Selector, ...] = get_args(Selector)


class Candidate(NamedTuple):
    """What a hold can see of one registered message: pseudonyms, network, channel, and when it was received."""

    received_at: datetime
    message: str
    conversation: str
    contact: str
    network: str
    channel: str


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold. Times are aware and in UTC; selector values are pseudonyms, or a case-folded network or channel."""

    hold_id: int
    kind: HoldKind
    owner: str
    placed_at: datetime
    review_on: date
    released_at: datetime | None
    received_from: datetime | None
    received_until: datetime | None
    selectors: Mapping[Selector, frozenset[str]]

    @property
    def active(self) -> bool:
        """Whether the hold has not been released."""
        return self.released_at is None

    def covers(self, candidate: Candidate) -> bool:
        """Tell whether the hold covers a message, released or not.

        Args:
            candidate: the message as holds see it.

        Returns:
            True where the range of time and every kind of selector accept it (``received_until`` is exclusive).

        """
        if self.received_from is not None and candidate.received_at < self.received_from:
            return False
        if self.received_until is not None and candidate.received_at >= self.received_until:
            return False
        return all(_seen(kind, candidate) in values for kind, values in self.selectors.items())


def _seen(kind: Selector, candidate: Candidate) -> str:
    value: str = getattr(candidate, kind)
    return value.casefold() if kind in {"network", "channel"} else value
