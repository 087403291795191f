"""A message's words: one subject, which is the worst there is, and a text that reads well at 72 columns."""

from __future__ import annotations

import hashlib
import textwrap
from typing import TYPE_CHECKING

from retention.model import from_epoch
from retention.notify.interface import Message
from retention.policy.words import say_day

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from retention.notify.occasion import Told

WIDTH = 72
MOST = 40
"""So many occasions are told in full; the others are counted."""
_LONGEST_SUBJECT = 100
_DRILL = "DRILL: this is an exercise. Nothing in this message is about real messages."
_STATES = {"kept": "kept", "at_risk": "AT RISK", "broken": "BROKEN", "unknown": "unknown, it could not be read"}


def say_when(instant: datetime, zone: ZoneInfo) -> str:
    """Spell an instant by the clocks of a zone."""
    local = instant.astimezone(zone)
    return f"{say_day(local.date())}, {local:%H:%M} ({zone.key})"


def write(
    told: tuple[Told, ...],
    *,
    channel: str,
    origin: str,
    promise: str,
    drill: bool,
    now: datetime,
    sent_at: datetime,
    zone: ZoneInfo,
) -> Message:
    """Write one message about everything that a channel has to tell."""
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    title = told[0].occasion.title
    subject = f"{'DRILL: ' if drill else ''}retention: {title[:_LONGEST_SUBJECT]}{more}"
    parts = [_wrapped(_DRILL), ""] if drill else []
    parts += [_wrapped(f"The promise is {_STATES[promise]}, as of {say_when(now, zone)}."), ""]
    for number, one in enumerate(told[:MOST], start=1):
        parts += [*_told(number, one, zone), ""]
    if len(told) > MOST:
        parts += [f"{len(told) - MOST} more are not listed here; see: retention status", ""]
    parts += ["-- ", f"Log {origin}", f"Sent by retention, channel {channel}. Nobody reads answers to this message."]
    return Message(
        _ident(channel, origin, told), subject, "\n".join(parts) + "\n", told, origin, promise, drill, now, sent_at
    )


def _told(number: int, told: Told, zone: ZoneInfo) -> Iterable[str]:
    occasion = told.occasion
    yield _wrapped(f"{number}. {occasion.title[:1].upper()}{occasion.title[1:]}", "   ")
    if told.before is not None and told.before >= told.since and occasion.grade and not occasion.once:
        yield _wrapped(f"   Since {say_when(from_epoch(told.since), zone)}; this is told again while it lasts.", "   ")
    for fact in occasion.facts:
        # What is indented stands as it is: lists, and what is to be copied.
        yield f"   {fact}".rstrip() if fact.startswith(" ") or not fact else _wrapped(f"   {fact}", "   ")
    if occasion.do:
        yield "   What to do:"
        yield from (f"     {line}" for line in occasion.do)
    if occasion.attachment:
        yield ""
        yield from occasion.attachment.rstrip("\n").split("\n")


def _wrapped(text: str, indent: str = "") -> str:
    lead = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(
        text.strip(),
        WIDTH,
        initial_indent=lead,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _ident(channel: str, origin: str, told: tuple[Told, ...]) -> str:
    """Name a message by what it tells of: the same where it is sent again before anybody noted that it arrived."""
    parts = [channel, origin, *(f"{one.occasion.key} {one.occasion.grade} {one.since} {one.before}" for one in told)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
