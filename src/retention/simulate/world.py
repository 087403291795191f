"""Everything that the simulator knows: one world that follows from a seed, and what was done to it since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from threading import RLock
from typing import TYPE_CHECKING

from retention.demo.exports import HistorySpec
from retention.simulate.announcing import announce
from retention.simulate.clock import Clock, moment
from retention.simulate.comments import Comments
from retention.simulate.deliveries import Deliveries
from retention.simulate.derive import Names, hexadecimal, mixed
from retention.simulate.directory import ORGANIZATION, Directory
from retention.simulate.exports import drop_export
from retention.simulate.faults import Faults
from retention.simulate.limits import Limits, Seen
from retention.simulate.media import MediaStore
from retention.simulate.outbound import FAILED, PENDING, REJECTED, SCHEDULED, SENT
from retention.simulate.outbox import Outbox
from retention.simulate.tokens import Tokens
from retention.simulate.virtual_agent import Desk

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from retention.simulate.answers import Fields
    from retention.simulate.exports import Schedule
    from retention.simulate.hook import Hook
    from retention.simulate.outbound import Outbound

_SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a world begins."""

    seed: int = 2026
    messages: int = 2000
    per_day: int = 20
    days_before: int = 210
    days_after: int = 400
    zone: str = "Europe/London"
    now: datetime | None = None
    frozen: bool = False
    directory: Path | None = None
    allow_remote: bool = False


class World:
    """One account at Hootsuite, as the simulator invents it. Whoever uses it takes ``lock`` first."""

    def __init__(self, options: Options) -> None:
        """Invent it."""
        self.options = options
        self.lock = RLock()
        self.clock = Clock(options.now, frozen=options.frozen)
        self.names = Names(mixed(options.seed, 1))
        now = self.clock.now()
        self.directory = Directory(options.seed, now)
        self.tokens = Tokens(self.clock, self.names, self.directory)
        today = moment(now).date()
        first_on, last_on = today - timedelta(days=options.days_before), today + timedelta(days=options.days_after)
        self.desk = Desk(
            HistorySpec(
                seed=options.seed,
                zone=options.zone,
                first_on=first_on,
                last_on=last_on,
                messages_per_day=options.per_day,
            )
        )
        authors = [member.member_id for member in self.directory.members_of(ORGANIZATION)]
        start = now - options.days_before * 86_400_000
        span = start // 1000 * 1000, now + options.days_after * 86_400_000
        self.outbox = Outbox(options.seed, options.messages, self.directory.publishing(), authors, span)
        self.deletable = {SCHEDULED, PENDING, REJECTED, SENT, FAILED}
        self.comments = Comments(options.seed, self.directory.publishing(), authors, now)
        self.media = MediaStore(self.clock)
        self.limits, self.seen, self.faults = Limits(self.clock), Seen(), Faults(options.seed)
        self.deliveries = Deliveries(self.clock)
        self.hook: Hook | None = None
        self.schedule: Schedule | None = None
        self.dropped: list[Fields] = []
        self._announced_ms = now
        self._events = 0
        self._watched: dict[int, tuple[Outbound, str]] = {}

    @property
    def client(self) -> tuple[str, str]:
        """Give the id and the secret of the one client that is registered."""
        return hexadecimal(self.options.seed, "client", 8), hexadecimal(self.options.seed, "secret", _SECRET_BYTES)

    @property
    def webhook_secret(self) -> str:
        """Give the secret that Inbox webhooks are signed with unless another is set up."""
        return hexadecimal(self.options.seed, "webhook", _SECRET_BYTES)

    def listen(self, hook: Hook | None) -> None:
        """Send Inbox events to a receiver from now on, or to nobody."""
        self.hook, self._announced_ms = hook, self.clock.now()

    def watch(self, message: Outbound) -> None:
        """Tell the webhooks of a message, if it has some, about its state now and whenever that changes."""
        if message.asked.get("webhookUrls"):
            self._tell(message, message.state(self.clock.now()))

    def unwatch(self, message: Outbound) -> None:
        """Tell nobody about a message any more."""
        self._watched.pop(message.number, None)

    def tick(self) -> None:
        """Do what the passing of time brings: messages are sent, others come in, scheduled exports are written."""
        now = self.clock.now()
        for message, told in list(self._watched.values()):
            if (state := message.state(now)) != told:
                self._tell(message, state)
        if self.hook and now > self._announced_ms:
            for came in self.desk.inbox.came(moment(self._announced_ms + 1), moment(now + 1)):
                announce(self, came)
            self._announced_ms = now
        root = self.options.directory
        if self.schedule and root:
            for window in self.schedule.due(moment(now)):
                self.dropped.append(drop_export(self.desk.inbox, window, root, self.names, now))

    def move(self, seconds: float, now: datetime | None, *, frozen: bool) -> None:
        """Set the clock or move it, and do what that brings."""
        if now is not None:
            self.clock.set(now, frozen=frozen)
        elif frozen != self.clock.frozen:
            self.clock.set(moment(self.clock.now()), frozen=frozen)
        self.clock.advance(seconds)
        self.tick()

    def close(self) -> None:
        """End what runs beside the server."""
        self.deliveries.close()

    def _tell(self, message: Outbound, state: str) -> None:
        self._watched[message.number] = message, state
        for url in message.asked["webhookUrls"]:
            self._events += 1
            self.deliveries.message_event(url, str(message.number), state, self._events)
        if message.timed and message.at_ms <= self.clock.now():
            self.unwatch(message)
