"""The Inbox: what members of the public and the office wrote to each other, privately or in public.

It is the history that the demo tells, cut off at the simulator's clock, with what was written and deleted since.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from heapq import merge
from typing import TYPE_CHECKING

from retention.demo.exports import HistorySpec, messages
from retention.simulate.clock import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from retention.demo.exports import DemoMessage

_KEPT_IN_MEMORY = 100_000


class Inbox:
    """The messages of the Inbox in order of time."""

    def __init__(self, spec: HistorySpec) -> None:
        """Hold the history of ``spec``; it is told when somebody asks, and kept unless it is very long."""
        self._spec = spec
        self._long = spec.messages_per_day * ((spec.last_on - spec.first_on).days + 1) > _KEPT_IN_MEMORY
        self._told: list[DemoMessage] | None = None
        self._added: list[DemoMessage] = []
        self._deleted: set[str] = set()

    def between(self, start: datetime, end: datetime) -> Iterator[DemoMessage]:
        """Give what was received from ``start`` on and before ``end``, both aware."""
        for message in merge(self._history(start, end), _cut(self._added, start, end), key=_received_at):
            if message.message_id not in self._deleted:
                yield message

    def came(self, start: datetime, end: datetime) -> Iterator[DemoMessage]:
        """Give what the history, and nobody else, brought in a time."""
        return (message for message in self._history(start, end) if message.message_id not in self._deleted)

    def seen(self, now_ms: int) -> Iterator[DemoMessage]:
        """Give everything that has been received by an instant."""
        return self.between(moment(0), moment(now_ms + 1))

    def find(self, message_ids: Iterable[str], now_ms: int) -> list[DemoMessage]:
        """Find messages by their ids."""
        wanted = set(message_ids)
        return [message for message in self.seen(now_ms) if message.message_id in wanted]

    def add(self, message: DemoMessage) -> None:
        """Add a message."""
        insort(self._added, message, key=_received_at)

    def delete(self, message_ids: Iterable[str]) -> None:
        """Delete messages for ever, as a person in the dashboard would."""
        gone = set(message_ids)
        self._added = [message for message in self._added if message.message_id not in gone]
        self._deleted |= gone

    @property
    def deleted(self) -> int:
        """Count what was deleted."""
        return len(self._deleted)

    def _history(self, start: datetime, end: datetime) -> Iterable[DemoMessage]:
        if self._long:
            return (m for m in messages(self._spec) if start <= m.received_at < end)
        if self._told is None:
            self._told = list(messages(self._spec))
        return _cut(self._told, start, end)


def _received_at(message: DemoMessage) -> datetime:
    return message.received_at


def _cut(told: Sequence[DemoMessage], start: datetime, end: datetime) -> Iterator[DemoMessage]:
    first, last = bisect_left(told, start, key=_received_at), bisect_left(told, end, key=_received_at)
    return (told[n] for n in range(first, last))
