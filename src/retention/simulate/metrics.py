"""Figures about the Inbox, counted from its messages."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from retention.demo.people import DESK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from retention.demo.exports import DemoMessage

    Measure = Callable[[Sequence[DemoMessage]], int]


@dataclass(frozen=True)
class Wanted:
    """Which messages a metric is about; an empty set lets all through."""

    mediums: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()

    def among(self, messages: Iterable[DemoMessage]) -> list[DemoMessage]:
        """Give the messages that are meant."""
        return [
            message
            for message in messages
            if (not self.mediums or message.medium in self.mediums)
            and (not self.channels or message.channel in self.channels)
        ]


def inbound(messages: Sequence[DemoMessage]) -> int:
    """Count what came in."""
    return sum(message.direction == "inbound" for message in messages)


def outbound(messages: Sequence[DemoMessage]) -> int:
    """Count what went out."""
    return len(messages) - inbound(messages)


def first_response(messages: Sequence[DemoMessage]) -> int:
    """Give the average seconds from the first message of a conversation to the first answer."""
    return _average(times[:1] for times in _response_times(messages))


def response(messages: Sequence[DemoMessage]) -> int:
    """Give the average seconds from a message to the answer."""
    return _average(_response_times(messages))


def resolved_with_one_reply(messages: Sequence[DemoMessage]) -> int:
    """Count the conversations in which the office wrote once."""
    return sum(len(times) == 1 for times in _response_times(messages))


def handle_time(messages: Sequence[DemoMessage]) -> int:
    """Give the average seconds that somebody worked on a conversation: half of what its answers took."""
    return response(messages) // 2


def waiting(messages: Iterable[DemoMessage]) -> list[DemoMessage]:
    """Give the last message of every conversation that waits for the office, oldest first."""
    last: dict[str, DemoMessage] = {}
    for message in messages:
        last.pop(message.conversation_id, None)
        last[message.conversation_id] = message
    return [message for message in last.values() if message.direction == "inbound"]


def longest_wait(messages: Sequence[DemoMessage], now: datetime) -> int:
    """Give the seconds for which the first of those who wait has waited."""
    return int((now - messages[0].received_at).total_seconds()) if messages else 0


def team_of(message: DemoMessage) -> str:
    """Give the team that looks after a message: by the agent who wrote it, or by its contact."""
    agents = [agent.agent_id for agent in DESK]
    n = agents.index(message.agent_id) if message.agent_id in agents else int(message.contact_profile_id)
    return ("press-office", "survey-help")[n % 2]


def grouped(messages: Sequence[DemoMessage], by: Callable[[DemoMessage], str], measure: Measure) -> dict[str, object]:
    """Measure each group by itself."""
    groups: dict[str, list[DemoMessage]] = {}
    for message in messages:
        groups.setdefault(by(message), []).append(message)
    return {name: {"value": measure(group)} for name, group in sorted(groups.items())}


def _response_times(messages: Iterable[DemoMessage]) -> list[list[float]]:
    asked: dict[str, datetime] = {}
    times: dict[str, list[float]] = {}
    for message in messages:
        conversation = message.conversation_id
        if message.direction == "inbound":
            asked.setdefault(conversation, message.received_at)
        elif conversation in asked:
            seconds = (message.received_at - asked.pop(conversation)).total_seconds()
            times.setdefault(conversation, []).append(seconds)
    return list(times.values())


def _average(times: Iterable[Sequence[float]]) -> int:
    flat = [seconds for some in times for seconds in some]
    return int(fmean(flat)) if flat else 0
