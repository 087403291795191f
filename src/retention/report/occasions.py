"""What there is to tell people: made of the status and of what the store says beside it, read in one transaction.

Nothing personal may get in, whoever reads the mail: counts, digests, days, and names that the configuration gives. The
reasons of findings are never quoted, because they may name files; of a belt its figures are, which are counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from retention.model import from_epoch, iso
from retention.notify.occasion import BROKEN, NOTE, RISK, Occasion
from retention.notify.words import say_when
from retention.policy.words import say_count, say_day
from retention.report.approvals import queue
from retention.report.plans import say_people
from retention.report.upstream import UNATTESTED
from retention.report.weekly import Week, coming_lines, summary, week_of
from retention.store import findings, holds, jobs, orders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from retention.policy.hold import Hold
    from retention.policy.schedule import Schedule
    from retention.report.approvals import Queue
    from retention.report.status import Status
    from retention.settings import NotifySettings
    from retention.store.orders import DisposalOrder

FAILED = "notice-failed"
"""The finding that a channel does not work."""
REFUSED = "notice-refused"
"""The finding that a channel does not reach everybody."""
RUN = "run"
"""The key of a run that ended badly: only the end of another says that this is over."""

# What has an occasion of its own, or belongs to one.
_TOLD_ELSEWHERE = frozenset(
    {"belt-closed", "restored", "source-silent", "anchor-failed", "anchor-emptied", "job-failing"}
    | {"log-not-verified", "log-unguarded", FAILED, REFUSED}
)
_FINDINGS = "retention findings list"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that occasions are made of. ``failed`` is how a run ended badly, where this is told at its end."""

    now: datetime
    status: Status
    zone: ZoneInfo
    grace: timedelta
    queue: Queue | None
    holds: tuple[Hold, ...]
    orders: tuple[DisposalOrder, ...]
    belts: tuple[str, ...]
    places: dict[str, tuple[str, ...]]
    failures: dict[str, int]
    week: Week
    at_end: bool = False
    failed: str | None = None


def read_facts(
    connection: Connection,
    status: Status,
    schedule: Schedule,
    now: datetime,
    *,
    grace: timedelta,
    approvals: int,
    at_end: bool = False,
    failed: str | None = None,
) -> Facts:
    """Read what there may be to tell, in the transaction of the status."""
    found = findings.load(connection, open_only=True)
    kinds = ("anchor-failed", "anchor-emptied", "job-failing", FAILED, REFUSED)
    late = [
        one
        for one in orders.load(connection)
        if one.left and one.state in UNATTESTED and one.overdue_at is not None and from_epoch(one.overdue_at) <= now
    ]
    return Facts(
        now=now,
        status=status,
        zone=schedule.zone,
        grace=grace,
        queue=queue(connection, schedule, approvals, now) if approvals else None,
        holds=tuple(holds.load(connection, active_only=True)),
        orders=tuple(late),
        belts=tuple(one.reason for one in found if one.kind == "belt-closed"),
        places={kind: tuple(sorted({one.file for one in found if one.kind == kind})) for kind in kinds},
        failures={one.name: one.failures for one in jobs.load(connection).values()},
        week=week_of(connection, now, schedule.zone),
        at_end=at_end,
        failed=failed,
    )


def occasions(facts: Facts, channel: NotifySettings) -> list[Occasion]:
    """Give what one channel may tell now; what it is not about is left out."""
    found = [
        *_promise(facts, channel.name),
        *_near(facts),
        *_log(facts),
        *_belts(facts),
        *_plans(facts),
        *_holds(facts, channel.ahead_time),
        *_silent(facts),
        *_orders(facts),
        *_failing(facts),
        *_anchors(facts),
        *_findings(facts, channel.name),
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
        yield Occasion("promise", "promise", "the promise is AT RISK", facts_told, ("retention status",), urgency=RISK)
    else:
        late = f": {say_count(status.overdue, 'message')} overdue" if status.overdue else ""
        do = ("retention run", "retention status") if status.overdue else ("retention status",)
        title = f"the promise is BROKEN{late}"
        yield Occasion("promise", "promise", title, tuple(_reasons(facts)), do, grade=2, urgency=BROKEN)


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
    """Warn while there is time: something is due, no run has disposed of it, and half of the grace is over."""
    status = facts.status
    if not status.due or status.overdue or status.breaks_at is None:
        return
    breaks_at = datetime.fromisoformat(status.breaks_at)
    if breaks_at - facts.grace / 2 > facts.now:
        return
    when = say_when(breaks_at, facts.zone)
    yield Occasion(
        "near",
        "promise",
        f"the promise BREAKS on {when}" if breaks_at > facts.now else "the promise may break at any moment",
        (
            f"{say_count(status.due, 'message')} past the period {_are(status.due)} still there.",
            "No run came to its end since, a safety belt is closed, or a plan waits for approval.",
        ),
        ("retention status", "retention run"),
        urgency=BROKEN,
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _log(facts: Facts) -> Iterator[Occasion]:
    log = facts.status.log
    if log["problem"] is not None or "restored" in facts.status.findings["by_kind"]:
        where = "" if log["first_bad_index"] is None else f" from entry {log['first_bad_index']} on"
        yield Occasion(
            "log",
            "audit-log",
            f"the audit log does NOT verify{where}",
            (
                "It was changed, or the database is older than a checkpoint that left it.",
                "Nothing is disposed of until that is settled.",
            ),
            ("retention audit verify", "after a restore: retention audit new-epoch --reason TEXT"),
            urgency=BROKEN,
        )
    if log["missing_triggers"]:
        count = log["missing_triggers"]
        yield Occasion(
            "triggers",
            "audit-log",
            f"{say_count(count, 'trigger')} that {'keeps' if count == 1 else 'keep'} the audit log append-only "
            f"{_are(count)} gone",
            ("Find out who did that; then put them back and verify the log.",),
            ("retention init", "retention audit verify --deep"),
            grade=count,
            urgency=RISK,
        )


def _belts(facts: Facts) -> Iterator[Occasion]:
    if facts.belts:
        yield Occasion(
            "belt",
            "belt-closed",
            "a safety belt is closed, and nothing is disposed of",
            (*(f"{one[:1].upper()}{one[1:]}." for one in facts.belts[-3:]), *_by_when(facts)),
            ("retention purge --dry-run", 'if it is right: retention purge --plan DIGEST --reason "WHY"'),
            urgency=RISK,
        )


def _by_when(facts: Facts) -> Iterator[str]:
    breaks_at = facts.status.breaks_at
    if breaks_at is not None and (instant := datetime.fromisoformat(breaks_at)) > facts.now:
        yield f"If what is due now is not disposed of before {say_when(instant, facts.zone)}, the promise is broken."


def _plans(facts: Facts) -> Iterator[Occasion]:
    if facts.queue is None:
        return
    status = facts.status
    if status.plans["unapproved"]:
        waiting = facts.queue.waiting
        said = [f"Due and in no approved plan: {say_count(status.plans['unapproved'], 'message')}."]
        do = ["retention purge --dry-run", "retention plan list"]
        if waiting is not None:
            plan = waiting.plan
            said = [
                f"It disposes of {plan.due} of {say_count(plan.total, 'message')}; {plan.held} due are held.",
                f"It has the approval of {waiting.people} of {say_people(waiting.needed)}.",
            ]
            do = [f"retention plan show {plan.digest}", f"retention plan approve {plan.digest}"]
        breaks_at = datetime.fromisoformat(status.breaks_at) if status.breaks_at else facts.now
        left = breaks_at - facts.now
        yield Occasion(
            "plan",
            "plan-waiting",
            "a plan waits for approval" if waiting else "messages are due, and no plan for them waits or is approved",
            (*said, *_by_when(facts), *coming_lines(status)),
            tuple(do),
            grade=1 + (left < facts.grace / 2) + (left < facts.grace / 4),
            urgency=RISK,
        )
    for one in facts.queue.expired:
        yield Occasion(
            f"expired:{one.plan.digest}",
            "plan-expired",
            "an approved plan has expired",
            (
                f"Plan {one.plan.digest[:15]} cannot be carried out, because {one.expired}.",
                "The next run makes a new one, which must be approved again.",
            ),
            ("retention plan list",),
        )


def _holds(facts: Facts, ahead: timedelta) -> Iterator[Occasion]:
    today = facts.now.astimezone(facts.zone).date()
    for hold in facts.holds:
        if hold.review_on > today + ahead:
            continue
        late = hold.review_on < today
        verb = "was due" if late else "is due"
        yield Occasion(
            f"hold:{hold.hold_id}",
            "hold-review",
            f"the review of hold {hold.hold_id} ({hold.kind}) {verb} on {say_day(hold.review_on)}",
            ("What it covers is kept past its period until it is released.",),
            ("retention hold list", f"if it is over: retention hold release {hold.hold_id} --reason TEXT"),
            grade=2 if late else 1,
            urgency=RISK if late else NOTE,
        )


def _silent(facts: Facts) -> Iterator[Occasion]:
    for one in facts.status.sources:
        if one["silent"]:
            last = one["last_import_at"]
            since = say_when(datetime.fromisoformat(last), facts.zone) if last else "the register was made"
            yield Occasion(
                f"source:{one['source']}",
                "source-silent",
                f"source {one['source']} is silent",
                (f"Nothing was ingested from it since {since}. What does not arrive is not disposed of.",),
                ("see to its exports; then: retention ingest",),
                urgency=RISK,
            )


def _orders(facts: Facts) -> Iterator[Occasion]:
    for order in facts.orders:
        yield Occasion(
            f"order:{order.id}",
            "order-overdue",
            f"disposal order {order.id} is overdue",
            (
                f"{say_count(order.left, 'message')} to be deleted at {order.source} by {order.due_on}.",
                "Nobody has attested that this was done.",
            ),
            (f"retention upstream show {order.id}", f"once it is done: retention upstream attest {order.id}"),
            urgency=RISK,
        )


def _failing(facts: Facts) -> Iterator[Occasion]:
    for name in facts.places["job-failing"]:
        times = facts.failures.get(name, 0)
        yield Occasion(
            f"job:{name}",
            "job-failing",
            f"the job {name} of the service fails again and again",
            (f"It failed {say_count(times, 'time')} in a row." if times else "It failed several times in a row.",),
            ("journalctl -u retention",),
            urgency=RISK,
        )
    if facts.failed is not None:
        yield Occasion(
            RUN,
            "job-failing",
            "retention run did not do its work",
            (f"It ended with {facts.failed}.", *_by_when(facts)),
            ("read what it wrote (journalctl -u retention-run), mend that, then: retention run",),
            urgency=RISK,
        )


def _anchors(facts: Facts) -> Iterator[Occasion]:
    named = {name for kind in ("anchor-failed", "anchor-emptied") for name in facts.places[kind]}
    for name in sorted(named):
        which = f"anchor {name}" if name else "an anchor file"
        yield Occasion(
            f"anchor:{name}",
            "anchor-failed",
            f"{which} does not take checkpoints, or gives back fewer than it took",
            ("Without it a restored or rewritten log may not show.",),
            ("retention check", _FINDINGS),
        )


def _findings(facts: Facts, channel: str) -> Iterator[Occasion]:
    for kind, count in facts.status.findings["by_kind"].items():
        if kind not in _TOLD_ELSEWHERE:
            title = f"{say_count(count, 'finding')} of the kind {kind} {_are(count)} open"
            yield Occasion(f"finding:{kind}", "findings", title, (), (_FINDINGS,))
    for name in facts.places[FAILED]:
        if name != channel:
            title = f"notices by the channel {name} do not arrive"
            yield Occasion(f"channel:{name}", "findings", title, (), (_FINDINGS, "retention notify --test"))


def _again(facts: Facts, channel: str) -> list[Occasion]:
    """Say by a channel that had failed that it works again, so that nobody takes silence for a good sign."""
    if channel not in facts.places[FAILED]:
        return []
    said = f"Until {iso(facts.now)} notices by the channel {channel} failed; some may not have arrived."
    return [Occasion("channel", "findings", "notices arrive again", (said,), ("retention status",), always=True)]
