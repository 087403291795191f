"""The stream of invented messages, the same for the same seed on every platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from retention.demo.conversations import turns
from retention.demo.rhythm import blocks, zone_of
from retention.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.demo.conversations import Turn
    from retention.model import Visibility

_YEARS = range(2011, 2200)  # ids that count from a network's own day zero (November 2010) stay positive


@dataclass(frozen=True, kw_only=True)
class HistorySpec:
    """Which history to tell: local days from ``first_on`` to ``last_on``, both included; the volume is an average."""

    seed: int = 2026
    zone: str = "Europe/London"
    first_on: date
    last_on: date
    messages_per_day: int = 75
    private_share: float = 0.6

    def __post_init__(self) -> None:
        """Refuse a history that cannot be told."""
        if not (self.first_on.year in _YEARS and self.last_on.year in _YEARS and self.first_on <= self.last_on):
            msg = "a demo history runs from first_on to the same or a later last_on, in the years 2011 to 2199"
            raise UsageError(msg)
        if self.messages_per_day < 0 or not 0 <= self.private_share <= 1:
            msg = "a demo history has 0 or more messages per day and a private share from 0 to 1"
            raise UsageError(msg)


class DemoMessage(NamedTuple):
    """One message: the export's columns in their order, with an aware UTC instant, and last whether it is private."""

    message_id: str
    conversation_id: str
    medium: str
    channel: str
    channel_display_name: str
    contact_profile_id: str
    contact_primary: str
    contact_secondary: str
    received_at: datetime
    direction: str
    message_type: str
    content: str
    sentiment: str
    post_url: str
    agent_id: str
    agent_name: str
    tags: str
    case: str
    visibility: Visibility


def messages(spec: HistorySpec, *, total: int | None = None) -> Iterator[DemoMessage]:
    """Tell a history in order of time; ``total`` sets the exact number instead of ``messages_per_day`` times days."""
    for message_id, talk, second, direction, content, sentiment, agent in tell(spec, total=total):
        yield DemoMessage(
            message_id,
            *talk.head,
            datetime.fromtimestamp(second, UTC),
            direction,
            talk.message_type,
            content,
            sentiment,
            talk.post_url,
            *agent,
            talk.theme.tags,
            talk.case,
            talk.visibility,
        )


def tell(spec: HistorySpec, *, total: int | None = None) -> Iterator[Turn]:
    """Tell the same history as turns of conversations, which is cheaper than whole messages."""
    rng = Random(spec.seed)  # noqa: S311 - invented data must be the same for the same seed
    days = (spec.last_on - spec.first_on).days + 1
    total = spec.messages_per_day * days if total is None else total
    return turns(
        rng,
        blocks(rng, zone_of(spec.zone), spec.first_on, spec.last_on, total),
        private_share=spec.private_share,
        side_by_side=max(4, min(2000, total // days // 10)),
    )
