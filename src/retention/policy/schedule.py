"""The schedule: the ordered list of rules (ISO 15489 disposition authority), versioned by digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from retention.model import Period
from retention.policy.days import local_day, start_of_day
from retention.policy.period import expires_on, last_due_day

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from retention.model import MessageClass
    from retention.settings import ScheduleSettings

MATCH_KEYS = ("visibility", "source", "network", "channel", "direction", "message_type")
NO_RULE = "(no rule)"


@dataclass(frozen=True, slots=True)
class Rule:
    """Which messages, how long, on what authority. ``match`` maps a match key to the values it accepts."""

    name: str
    match: Mapping[str, tuple[str, ...]]
    keep: Period
    authority: str

    def covers(self, message_class: MessageClass) -> bool:
        """Tell whether every match key accepts the message's value; case does not matter.

        Args:
            message_class: the attributes of a message that rules can see.

        Returns:
            True where all keys accept; a rule without keys covers every message.

        """
        return all(
            getattr(message_class, key).casefold() in {value.casefold() for value in values}
            for key, values in self.match.items()
        )


@dataclass(frozen=True)
class Schedule:
    """The rules in order, and the IANA zone in which days are counted. The first rule that covers a message decides."""

    time_zone: str
    rules: tuple[Rule, ...]

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def canonical(self) -> str:
        """The schedule as canonical JSON: keys sorted, no white space, the order of rules kept."""
        rules = [
            {
                "authority": rule.authority,
                "keep": str(rule.keep),
                "match": {key: sorted(values) for key, values in rule.match.items()},
                "name": rule.name,
            }
            for rule in self.rules
        ]
        content = {"rules": rules, "time_zone": self.time_zone}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @cached_property
    def digest(self) -> str:
        """``sha256:`` and the hex digest of the canonical form; any change of meaning changes it."""
        return "sha256:" + hashlib.sha256(self.canonical.encode("ascii")).hexdigest()

    def rule_for(self, message_class: MessageClass) -> Rule | None:
        """Give the first rule that covers a message, or None.

        Args:
            message_class: the attributes of a message that rules can see.

        Returns:
            The rule, or None: then the message is counted and not registered.

        """
        return next((rule for rule in self.rules if rule.covers(message_class)), None)

    def today(self, now: datetime) -> date:
        """Give the schedule's local day of an instant.

        Args:
            now: an aware datetime.

        Returns:
            The local day in the schedule's zone.

        """
        return local_day(now, self.zone)

    def cutoff(self, rule: Rule, now: datetime) -> datetime:
        """Give the instant before which everything under a rule is due.

        Args:
            rule: one of the schedule's rules.
            now: an aware datetime.

        Returns:
            An aware datetime in UTC: a message is due exactly where ``received_at < cutoff``.

        """
        return start_of_day(_next(last_due_day(self.today(now), rule.keep)), self.zone)

    def expires_on(self, rule: Rule, received_at: datetime) -> date:
        """Give the last local day on which a message may be kept.

        Args:
            rule: the rule that covers it.
            received_at: an aware datetime.

        Returns:
            The last permitted local day in the schedule's zone.

        """
        return expires_on(local_day(received_at, self.zone), rule.keep)

    def due_at(self, rule: Rule, received_at: datetime) -> datetime:
        """Give the instant from which a message is due.

        Args:
            rule: the rule that covers it.
            received_at: an aware datetime.

        Returns:
            An aware datetime in UTC: the start of the local day after the last permitted one.

        """
        return start_of_day(_next(self.expires_on(rule, received_at)), self.zone)


def configured_schedule(settings: ScheduleSettings) -> Schedule:
    """Build the schedule that the configuration describes.

    Args:
        settings: the ``[schedule]`` table, already checked.

    Returns:
        The schedule with its rules in the order of the file.

    """
    rules = tuple(Rule(rule.name, rule.match_values, rule.keep_period, rule.authority) for rule in settings.rule)
    return Schedule(settings.time_zone, rules)


def parse_schedule(text: str) -> Schedule:
    """Rebuild a schedule from its canonical form.

    Args:
        text: what :attr:`Schedule.canonical` gave.

    Returns:
        A schedule of the same meaning and digest.

    Raises:
        KeyError, TypeError, ValueError: the text is not the canonical form of a schedule.

    """
    data = json.loads(text)
    rules = tuple(
        Rule(
            rule["name"],
            {key: tuple(values) for key, values in rule["match"].items()},
            Period.parse(rule["keep"]),
            rule["authority"],
        )
        for rule in data["rules"]
    )
    return Schedule(data["time_zone"], rules)


def _next(day: date) -> date:
    return type(day).fromordinal(day.toordinal() + 1)
