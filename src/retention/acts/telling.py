"""Tell people: one pass over every channel. What cannot be told is a finding, and never stops or fails what called it.

One process does a pass at a time, by a lease of its own, so that ``run`` and the service, or two hosts, do not both
tell. What is to be told is remembered before a message is sent and that it was told afterwards; a process that dies in
between has it sent again, under the same identifier. Nothing is sent inside a transaction.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, Literal

from retention.errors import (
    BeltClosedError,
    LockHeldError,
    LogError,
    NoticeError,
    RetentionError,
    StoppedError,
    TransientDatabaseError,
    UsageError,
)
from retention.logs import get_logger, log_retries
from retention.notify.catalog import build_channel
from retention.notify.occasion import INFORMATION, Occasion, Told, after, decide
from retention.notify.words import write
from retention.report.facts import FAILED, REFUSED, read_facts
from retention.report.occasions import NEAR, occasions, state_for, unreadable
from retention.report.waiting import RUN
from retention.standing import status_in
from retention.store import findings, lease, notifications

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from retention.context import Context
    from retention.notify.interface import Message
    from retention.notify.occasion import Decision
    from retention.report.facts import Facts
    from retention.settings import NotifySettings
    from retention.store.lease import Lease

_NAME = "notify"
_SLACK = 60.0
_PAUSE = 0.25
# Errors of a run that have occasions of their own, or are no failure.
_OWN = (BeltClosedError, LogError, LockHeldError, StoppedError)

_log = get_logger("notify")

Outcome = Literal["told", "failed", "nothing", "would tell", "another pass is at work"]


@dataclass(frozen=True, slots=True)
class Report:
    """What one channel did: how many occasions were told or are to be told, the message, and what went wrong."""

    channel: str
    place: str
    outcome: Outcome
    occasions: int = 0
    reason: str | None = None
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What could be read: the facts, or the name of the error that kept them from being read."""

    facts: Facts | None
    reason: str
    at_end: bool

    def promise(self, channel: str) -> str:
        return state_for(self.facts, channel) if self.facts else "unknown"

    def of(self, channel: NotifySettings) -> list[Occasion]:
        if self.facts is not None:
            return occasions(self.facts, channel)
        return [unreadable(self.reason)] if "promise" in channel.about else []

    @property
    def unseen(self) -> tuple[str, ...] | None:
        """The keys of which this pass knows nothing; None where it knows nothing of any other."""
        if self.facts is None:
            return None
        return () if self.at_end else (RUN, NEAR)


def tell(
    context: Context, now: datetime, *, at_end: bool = False, failed: str | None = None, dry_run: bool = False
) -> list[Report]:
    """Tell by every channel what is new, worse or lasting; ``failed`` says how a run ended whose end this is.

    Raises:
        DatabaseError: what was told cannot be remembered, so nothing more is told.

    """
    channels = context.settings.notify
    if not channels:
        return []
    log_retries()
    if dry_run:
        seen = _look(context, now, at_end=at_end, failed=failed)
        return [_planned(context, one, seen, now) for one in channels]
    try:
        held = _claim(context)
    except LockHeldError:
        return [Report(one.name, "", "another pass is at work") for one in channels]
    try:
        seen = _look(context, now, at_end=at_end, failed=failed)
        with context.database.write() as connection:
            notifications.forget_others(connection, [one.name for one in channels])
        return [_told_by(context, one, seen, held, now) for one in channels]
    finally:
        with suppress(RetentionError):  # a claim that cannot be given back runs out
            lease.give_back(context.database, held)


def try_channels(context: Context, now: datetime) -> list[Report]:
    """Send a test message by every channel, whatever there is to tell.

    Raises:
        UsageError: there is no channel.

    """
    if not context.settings.notify:
        msg = "there is nobody to tell: the configuration has no [[notify]]"
        raise UsageError(msg)
    log_retries()
    trial = Occasion(
        "test",
        "findings",
        "this is a test of the notices",
        ("Whoever reads this is told when the promise is at risk.",),
        ("nothing",),
        urgency=INFORMATION,
    )
    told = (Told(trial, int(datetime.now(UTC).timestamp()), None),)
    seen = _look(context, now, at_end=False, failed=None)
    return [
        _sent(context, one, _written(context, one, told, seen, now), now, len(told)) for one in context.settings.notify
    ]


@contextmanager
def told_at_the_end(context: Context, now: datetime | None) -> Iterator[None]:
    """Tell people once the block has ended, however it did; nothing that goes wrong here changes how it ended."""
    failed: str | None = None
    try:
        yield
    except RetentionError as error:
        failed = None if isinstance(error, _OWN) else f"{type(error).__name__}, exit code {int(error.exit_code)}"
        raise
    except Exception as error:
        failed = type(error).__name__
        raise
    finally:
        _tell_quietly(context, now or datetime.now(UTC).replace(microsecond=0), failed=failed)


def _tell_quietly(context: Context, now: datetime, *, failed: str | None = None) -> None:
    """Tell people at the end of a run; what goes wrong is logged."""
    try:
        for report in tell(context, now, at_end=True, failed=failed):
            if report.reason is not None:
                _log.error("a notice failed", channel=report.channel, reason=report.reason)
    except RetentionError as error:
        _log.error("people could not be told", reason=str(error))
    except Exception as error:  # noqa: BLE001  # to tell must never change how a run ends
        _log.error("people could not be told", reason=type(error).__name__)


def _claim(context: Context) -> Lease:
    """Take the right to tell, after whoever has it; who dies with it loses it when its time is over."""
    seconds = max(one.timeout_seconds for one in context.settings.notify) + _SLACK
    until = monotonic() + sum(one.timeout_seconds for one in context.settings.notify) + 1
    while True:
        try:
            return lease.take(context.database, _NAME, seconds)
        except LockHeldError:
            if monotonic() > until:
                raise
            sleep(_PAUSE)


def _look(context: Context, now: datetime, *, at_end: bool, failed: str | None) -> _Seen:
    try:
        memory = context.remembered()
        with context.database.read() as connection:
            status = status_in(connection, context, memory, now)
            facts = read_facts(
                connection,
                status,
                context.schedule,
                now,
                grace=context.settings.purge.grace_time,
                approvals=context.settings.purge.approvals,
                at_end=at_end,
                failed=failed,
            )
    except TransientDatabaseError:
        raise  # passes, and what is to be told could not be remembered either
    except Exception as error:  # noqa: BLE001  # whatever keeps it from being read, somebody must hear of it
        return _Seen(None, type(error).__name__, at_end)
    return _Seen(facts, "", at_end)


def _decided(connection: Connection, channel: NotifySettings, seen: _Seen, now: datetime) -> Decision:
    known = notifications.load(connection, channel.name)
    return decide(known, seen.of(channel), repeat=channel.repeat_time, now=now, unseen=seen.unseen)


def _planned(context: Context, channel: NotifySettings, seen: _Seen, now: datetime) -> Report:
    with context.database.read() as connection:
        decision = _decided(connection, channel, seen, now)
    place = ", ".join(host for host, _ in channel.hosts)
    if not decision.tell:
        return Report(channel.name, place, "nothing")
    message = _written(context, channel, decision.tell, seen, now)
    return Report(channel.name, place, "would tell", len(decision.tell), message=message)


def _told_by(context: Context, channel: NotifySettings, seen: _Seen, held: Lease, now: datetime) -> Report:
    with context.database.write() as connection:
        lease.renew(connection, held, context.database.dialect.clock)
        decision = _decided(connection, channel, seen, now)
        notifications.save(connection, channel.name, decision.rows)
    if not decision.tell:
        return Report(channel.name, ", ".join(host for host, _ in channel.hosts), "nothing")
    message = _written(context, channel, decision.tell, seen, now)
    report = _sent(context, channel, message, now, len(decision.tell))
    with context.database.write() as connection:
        lease.renew(connection, held, context.database.dialect.clock)
        notifications.save(connection, channel.name, after(decision, now, arrived=report.outcome == "told"))
    return report


def _written(context: Context, channel: NotifySettings, told: tuple[Told, ...], seen: _Seen, now: datetime) -> Message:
    return write(
        told,
        channel=channel.name,
        origin=context.installation.origin,
        promise=seen.promise(channel.name),
        drill=context.installation.drill,
        now=now,
        sent_at=datetime.now(UTC).replace(microsecond=0),
        zone=context.schedule.zone,
    )


def _sent(context: Context, settings: NotifySettings, message: Message, now: datetime, count: int) -> Report:
    """Send a message by a channel; a finding says where that fails, until it works."""
    place = ", ".join(host for host, _ in settings.hosts)
    failure = partly = None
    try:
        channel = build_channel(settings)
        place = channel.place
        partly = channel.send(message)
    except RetentionError as error:
        failure = str(error) if isinstance(error, NoticeError) else "its secret cannot be read"
    except Exception as error:  # noqa: BLE001  # whatever a library raises: the other channels are to go on
        failure = f"failed ({type(error).__name__})"
    with context.database.write() as connection:
        _note(connection, FAILED, settings.name, failure and f"notices by {place} fail: it {failure}", now)
        if failure is None:
            _note(connection, REFUSED, settings.name, partly and f"{place} {partly}", now)
    reason = failure or partly
    return Report(settings.name, place, "failed" if failure else "told", count, reason and f"{place} {reason}", message)


def _note(connection: Connection, kind: str, channel: str, reason: str | None, now: datetime) -> None:
    """Open the finding of a channel, with the newest reason alone, or have it mended."""
    same = any(
        (one.kind, one.file, one.reason) == (kind, channel, reason) for one in findings.load(connection, open_only=True)
    )
    if not same:
        findings.mended(connection, kind, at=now, file=channel)
    if reason is not None:
        findings.open_finding(connection, kind, reason, at=now, file=channel)
