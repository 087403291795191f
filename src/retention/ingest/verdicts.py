"""Sort incoming messages: registered, not covered by any rule, or born expired.

The verdict of a message depends on its class and the time of receipt alone, so it is worked out once a class: the rule
that covers it, its cutoff now, and its number in the database, which is made when the first message is registered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.model import from_epoch, to_epoch
from retention.store import register

if TYPE_CHECKING:
    from datetime import datetime

    from retention.model import MessageClass
    from retention.policy.schedule import Rule, Schedule
    from retention.store.engine import Database


@dataclass(slots=True)
class Verdict:
    """What holds for every message of a class. ``cutoff`` is epoch seconds: earlier messages are born expired."""

    rule: Rule | None
    cutoff: int
    class_id: int | None = None


class Verdicts:
    """The verdicts of one import, under one schedule at one instant."""

    def __init__(self, database: Database, schedule: Schedule, now: datetime) -> None:
        """Remember what decides."""
        self._database = database
        self._schedule = schedule
        self._now = now
        self._by_class: dict[MessageClass, Verdict] = {}

    def of(self, message_class: MessageClass) -> Verdict:
        """Give the verdict of a class."""
        if (found := self._by_class.get(message_class)) is None:
            rule = self._schedule.rule_for(message_class)
            cutoff = to_epoch(self._schedule.cutoff(rule, self._now)) if rule else 0
            found = self._by_class[message_class] = Verdict(rule, cutoff)
        return found

    def number(self, message_class: MessageClass, verdict: Verdict) -> int:
        """Give the number of a class whose messages are registered, making it at first use."""
        if verdict.class_id is None:
            with self._database.write() as connection:
                verdict.class_id = register.class_number(connection, message_class)
        return verdict.class_id

    def due_at(self, rule: Rule, received_at: int) -> int:
        """Give the instant (epoch seconds) from which a message is due."""
        return to_epoch(self._schedule.due_at(rule, from_epoch(received_at)))
