"""What there is to tell people: made of the status and of what the store says beside it, read in one transaction.

Nothing personal may get in, whoever reads the mail: counts, digests, days, and names that the configuration gives. The
reasons of findings are never quoted, because they may name files; of a belt its figures are, which are counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from retention.model import iso
from retention.notify.occasion import BROKEN, NOTE, RISK, Occasion
from retention.notify.words import say_when
from retention.policy.words import say_count
from retention.report.facts import FAILED, REFUSED
from retention.report.waiting import (
    are,
    closed_belts,
    failing_anchors,
    failing_jobs,
    hold_reviews,
    log_trouble,
    other_findings,
    overdue_orders,
    silent_sources,
    waiting_plans,
)
from retention.report.weekly import summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.report.facts import Facts
    from retention.settings import NotifySettings


NEAR = "near"
"""The key of a promise that is about to break: a run looks further ahead, so only one says that this is over."""
_A_DAY = timedelta(days=1)


def occasions(facts: Facts, channel: NotifySettings) -> list[Occasion]:
    """Give what one channel may tell now; what it is not about is left out."""
    found = [
        *_promise(facts, channel.name),
        *_near(facts),
        *log_trouble(facts),
        *closed_belts(facts),
        *waiting_plans(facts),
        *hold_reviews(facts, channel.ahead_time),
        *silent_sources(facts),
        *overdue_orders(facts),
        *failing_jobs(facts),
        *failing_anchors(facts),
        *other_findings(facts, channel.name),
        *summary(facts.status, state_for(facts, channel.name), facts.week, channel.summary_day, at_end=facts.at_end),
    ]
    return [one for one in found if one.kind in channel.about or one.always] + _again(facts, channel.name)


def unreadable(reason: str) -> Occasion:
    """Say that nobody can say how things stand; ``reason`` is the name of an error."""
    return Occasion(
        "unreadable",
        "promise",
        "the state of the promise cannot be read",
        (f"Reading it failed with {reason}. Until that is mended nothing else can be told.",),
        ("retention check", "retention status"),
        urgency=BROKEN,
    )


def state_for(facts: Facts, channel: str) -> str:
    """Give the state of the promise for a channel: that it failed itself is no news to those whom it reaches."""
    by_kind = set(facts.status.findings["by_kind"])
    only = len(facts.status.reasons) == 1 and bool(by_kind) and by_kind <= {FAILED, REFUSED}
    own = only and {*facts.places[FAILED], *facts.places[REFUSED]} <= {channel}
    return "kept" if own else facts.status.promise


def _promise(facts: Facts, channel: str) -> Iterator[Occasion]:
    status, state = facts.status, state_for(facts, channel)
    if state == "kept":
        yield Occasion("promise", "promise", "the promise is kept again", grade=0, urgency=NOTE)
    elif state == "at_risk":
        named = f"The status names {say_count(len(status.reasons), 'reason')}; somebody must look, or it may break."
        facts_told = (named, *_reasons(facts))
        title, look = "the promise is AT RISK", ("retention status",)
        yield Occasion("promise", "promise", title, facts_told, look, urgency=RISK, anew=True)
    else:
        late = f": {say_count(status.overdue, 'message')} overdue" if status.overdue else ""
        do = ("retention run", "retention status") if status.overdue else ("retention status",)
        title = f"the promise is BROKEN{late}"
        yield Occasion("promise", "promise", title, tuple(_reasons(facts)), do, grade=2, urgency=BROKEN, anew=True)


def _reasons(facts: Facts) -> Iterator[str]:
    """Say in counts why the promise is not simply kept; each with a detail has an occasion of its own as well."""
    status = facts.status
    if status.overdue and status.overdue_since:
        since = say_when(datetime.fromisoformat(status.overdue_since), facts.zone)
        yield f"Overdue and not held: {say_count(status.overdue, 'message')}, the first since {since}."
    if not status.log["in_order"]:
        yield "The audit log is not in order."
    if status.upstream["present"]:
        yield f"Sources still hold {say_count(status.upstream['present'], 'message')} that should be gone there."
    if status.upstream["overdue"]:
        yield f"Overdue disposal orders list {say_count(status.upstream['overdue'], 'message')}."
    if status.plans["unapproved"]:
        yield f"Due and in no approved plan: {say_count(status.plans['unapproved'], 'message')}."
    if status.holds["reviews_overdue"]:
        yield f"Reviews of holds that are overdue: {status.holds['reviews_overdue']}."
    if by_kind := status.findings["by_kind"]:
        yield f"Open findings: {', '.join(f'{count} {kind}' for kind, count in by_kind.items())}."


def _near(facts: Facts) -> Iterator[Occasion]:
    """Warn while there is time: something is due, no run has disposed of it, and half of the grace is over.

    A run that ends and leaves something there warns a day ahead: where a timer does it, the next comes in a day.
    """
    status = facts.status
    if not status.due or status.overdue or status.breaks_at is None:
        return
    breaks_at = datetime.fromisoformat(status.breaks_at)
    ahead = max(facts.grace / 2, _A_DAY) if facts.at_end else facts.grace / 2
    if breaks_at - ahead > facts.now:
        return
    when = say_when(breaks_at, facts.zone)
    yield Occasion(
        NEAR,
        "promise",
        f"the promise BREAKS on {when}" if breaks_at > facts.now else "the promise may break at any moment",
        (
            f"{say_count(status.due, 'message')} past the period {are(status.due)} still there.",
            "No run came to its end since, a safety belt is closed, or a plan waits for approval.",
        ),
        ("retention status", "retention run"),
        urgency=BROKEN,
    )


def _again(facts: Facts, channel: str) -> list[Occasion]:
    """Say by a channel that had failed that it works again, so that nobody takes silence for a good sign."""
    if channel not in facts.places[FAILED]:
        return []
    said = f"Until {iso(facts.now)} notices by the channel {channel} failed; some may not have arrived."
    return [Occasion("channel", "findings", "notices arrive again", (said,), ("retention status",), always=True)]
