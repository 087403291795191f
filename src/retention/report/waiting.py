"""What waits for a person: one occasion for each thing that somebody must look at."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from retention.notify.occasion import BROKEN, NOTE, RISK, Occasion
from retention.notify.words import say_when
from retention.policy.words import say_count, say_day
from retention.report.facts import FAILED, REFUSED
from retention.report.plans import say_people
from retention.report.weekly import coming_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from retention.report.facts import Facts

RUN = "run"
"""The key of a run that ended badly: only the end of another says that this is over."""

# What has an occasion of its own, or belongs to one.
_TOLD_ELSEWHERE = frozenset(
    {"belt-closed", "restored", "source-silent", "anchor-failed", "anchor-emptied", "job-failing"}
    | {"log-not-verified", "log-unguarded", FAILED, REFUSED}
)
_FINDINGS = "retention findings list"


def closed_belts(facts: Facts) -> Iterator[Occasion]:
    """Say that a belt is closed, and by which figures."""
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


def waiting_plans(facts: Facts) -> Iterator[Occasion]:
    """Say what waits for people to approve it, and what they approved and has expired."""
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
            once=True,
        )


def hold_reviews(facts: Facts, ahead: timedelta) -> Iterator[Occasion]:
    """Say which holds are to be reviewed soon, or were to be."""
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
            once=not late,
        )


def silent_sources(facts: Facts) -> Iterator[Occasion]:
    """Say from which sources nothing comes any more."""
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


def overdue_orders(facts: Facts) -> Iterator[Occasion]:
    """Say which disposal orders nobody attested in time."""
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


def failing_jobs(facts: Facts) -> Iterator[Occasion]:
    """Say which jobs do not do their work."""
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


def failing_anchors(facts: Facts) -> Iterator[Occasion]:
    """Say which anchors do not take checkpoints."""
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


def other_findings(facts: Facts, channel: str) -> Iterator[Occasion]:
    """Say which findings are open that nothing else tells of, and which other channels fail."""
    for kind, count in facts.status.findings["by_kind"].items():
        if kind not in _TOLD_ELSEWHERE:
            title = f"{say_count(count, 'finding')} of the kind {kind} {are(count)} open"
            yield Occasion(f"finding:{kind}", "findings", title, (), (_FINDINGS,))
    for name in facts.places[FAILED]:
        if name != channel:
            title = f"notices by the channel {name} do not arrive"
            yield Occasion(f"channel:{name}", "findings", title, (), (_FINDINGS, "retention notify --test"))


def log_trouble(facts: Facts) -> Iterator[Occasion]:
    """Say that the log does not verify, or that nothing keeps it append-only."""
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
            f"{are(count)} gone",
            ("Find out who did that; then put them back and verify the log.",),
            ("retention init", "retention audit verify --deep"),
            grade=count,
            urgency=RISK,
        )


def are(count: int) -> str:
    """Give the verb."""
    return "is" if count == 1 else "are"
