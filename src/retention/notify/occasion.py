"""Something that a person should hear of, as plain values: counts, days and names of our own, and nothing personal.

*Who made it* decides what is said; here is only what every occasion has, and how a channel remembers it:

- one that is new is told, one that got worse is told, one that lasts is told again after the channel's ``repeat``;
- grade 0 says that it is over: it is told where the channel was told of it before, and forgotten where it was not;
- one that is not there any more is forgotten in silence, unless nobody could look (``unseen``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from retention.model import from_epoch, to_epoch
from retention.store.notifications import Remembered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from retention.settings.notify import Kind

BROKEN, RISK, NOTE, INFORMATION = 3, 2, 1, 0
"""How urgent something is; the most urgent gives a message its subject."""
_APART = timedelta(hours=1)
"""Clocks of two hosts may differ by so much; what was told later than that was told by a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """One occasion. ``key`` is the same while it lasts; ``grade`` is greater where it is worse, 0 where it is over.

    ``facts`` are sentences, ``do`` command lines or, in words, what to do. ``once`` is told for each grade only
    once, ``always`` whatever was told before. ``anew``: another grade is another state, which lasts from then on.
    """

    key: str
    kind: Kind
    title: str
    facts: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    grade: int = 1
    urgency: int = NOTE
    once: bool = False
    always: bool = False
    anew: bool = False
    attachment: str | None = None


class Told(NamedTuple):
    """An occasion that is to be told, since when it lasts, and when it was told last, in epoch seconds UTC."""

    occasion: Occasion
    since: int
    before: int | None


class Decision(NamedTuple):
    """What is told now, the worst first, and everything that is remembered until that has arrived."""

    tell: tuple[Told, ...]
    rows: tuple[Remembered, ...]


def decide(
    known: Mapping[str, Remembered],
    occasions: Iterable[Occasion],
    *,
    repeat: timedelta,
    now: datetime,
    unseen: Collection[str] | None = (),
) -> Decision:
    """Decide what a channel tells now; ``unseen`` are keys that nobody could look at, None where that is all others."""
    tell: list[Told] = []
    rows: list[Remembered] = []
    seen = set()
    for occasion in occasions:
        seen.add(occasion.key)
        before = known.get(occasion.key)
        if not occasion.grade and (before is None or before.told_at is None):
            continue
        row = _met(occasion, before, now)
        rows.append(row)
        if _is_to_be_told(occasion, row, repeat, now):
            tell.append(Told(occasion, row.since, row.told_at))
    rows += [row for key, row in known.items() if key not in seen and (unseen is None or key in unseen)]
    return Decision(tuple(sorted(tell, key=lambda one: -one.occasion.urgency)), tuple(rows))


def after(decision: Decision, now: datetime, *, arrived: bool) -> list[Remembered]:
    """Give what is remembered once a message was sent: what arrived was told now; what was over is forgotten."""
    told = {one.occasion.key: one.occasion for one in decision.tell}
    rows = []
    for row in decision.rows:
        if row.occasion not in told:
            rows.append(row)
        elif not arrived:
            rows.append(row._replace(failures=row.failures + 1))
        elif told[row.occasion].grade:
            rows.append(row._replace(told_at=to_epoch(now), told_grade=row.grade, failures=0))
    return rows


def _met(occasion: Occasion, before: Remembered | None, now: datetime) -> Remembered:
    """Remember an occasion as it is now; where it got better, that it may get worse again counts from there."""
    if before is None:
        return Remembered(occasion.key, occasion.grade, to_epoch(now))
    kept = before.told_grade
    if kept is not None and 0 < occasion.grade < kept and not occasion.once:
        kept = occasion.grade
    since = to_epoch(now) if occasion.anew and occasion.grade not in {0, before.grade} else before.since
    return before._replace(grade=occasion.grade, told_grade=kept, since=since)


def _is_to_be_told(occasion: Occasion, row: Remembered, repeat: timedelta, now: datetime) -> bool:
    if occasion.always or row.told_at is None or row.told_grade is None or not occasion.grade:
        return True
    if row.grade > row.told_grade:
        return True
    # Counted in days that are a little short, so that a daily run of the same hour does not miss its turn.
    # A clock that was put back must not keep anything from being told.
    passed = now - from_epoch(row.told_at)
    if occasion.once:
        return passed < -_APART
    return not timedelta() <= passed < repeat - timedelta(hours=1)
