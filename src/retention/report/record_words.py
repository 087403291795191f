"""What a disposal record says in words, once for paper and screen.

It is called a disposal record and claims no more than was done: that the register's rows were deleted, that the log
says so, and what nobody here can know.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from retention.model import Period, from_epoch, iso
from retention.policy.schedule import NO_RULE
from retention.policy.words import say_day, say_period
from retention.report.backups import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from retention.report.record import OrderFacts, Record, RuleFacts
    from retention.report.record_log import BeltFacts

UPSTREAM = (
    "Hootsuite Inbox has no call that deletes private messages, so this run did not touch the copy at the source. "
    "Whether it is still there is not known."
)
_ORDERED = "The run could not delete the source’s own copies; an order tells people to."
_STATES = {
    "listing": "not issued yet",
    "ordered": "nobody has attested it yet",
    "attested": "attested by people, not yet shown by a later export",
    "absent": "later exports show that all are gone",
    "unknown": "identifiers were forgotten before anything was shown",
    "present": "a later export shows that some are still there",
}
_UNTIL_UNKNOWN = "not registered"
_COMMON: Final = (
    (KINDS["database"], "no period is known after which one has aged out"),
    (KINDS["replica"], "the run reaches none of them"),
)
_BLOCKS = (
    "File-system blocks",
    "freed pages are overwritten, a drive’s spare blocks are not",
)
_WAL = (KINDS["wal-archive"], "segments hold rows until they are recycled")
_VACUUMED = ("File-system blocks", "freed space is the server’s to overwrite")
BEYOND_REACH: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "sqlite": (*_COMMON, _BLOCKS),
    "postgresql": (*_COMMON, _WAL, _VACUUMED),
}
_REASON_LIMIT = 240
_DRILL = "DRILL"
_ENDS = {
    "stopped": "The run was stopped before its end; what it had not reached was left to the next run.",
    "failed": "The run failed before its end; what it had not reached was left to the next run.",
    "interrupted": "The run was interrupted before its end; what it had not reached was left to the next run.",
}


class Line(NamedTuple):
    """A label and what it says."""

    label: str
    text: str


class CopyWords(NamedTuple):
    """A kind of copy that no run reaches, why it is there, until when, and the entries of the log that say so."""

    copy: str
    why: str
    until: date | None
    entries: tuple[int, ...]


class Figure(NamedTuple):
    """One of the large figures at the head of the page."""

    value: str
    label: str
    note: str


class RuleWords(NamedTuple):
    """One rule in words."""

    name: str
    keep: str
    authority: str
    cutoff: str
    disposed: str


def number(value: float) -> str:
    """Spell a number with commas between thousands, and a half where it has one."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def messages(count: int) -> str:
    """Spell a number of messages."""
    return f"{number(count)} message{'' if count == 1 else 's'}"


def local_time(record: Record, at: int) -> datetime:
    """Give an instant on the schedule's wall clock."""
    return from_epoch(at).astimezone(ZoneInfo(record.time_zone))


def local(record: Record, at: int) -> str:
    """Spell an instant on the schedule's wall clock."""
    there = local_time(record, at)
    return f"{say_day(there.date())}, {there:%H:%M}"


def headline(record: Record) -> str:
    """Say in a few words what was done."""
    if not record.disposed:
        return "Nothing was disposed of"
    return f"{messages(record.disposed)} {'was' if record.disposed == 1 else 'were'} disposed of"


def standfirst(record: Record) -> str:
    """Say in a sentence what this page is about."""
    when = f"On {local(record, record.run.started_at)} ({record.time_zone}), run {record.run.id}"
    if not record.disposed:
        return f"{when} looked for messages past their retention period and deleted none."
    first, last = record.counts[0].received_on, record.counts[-1].received_on
    received = f"on {say_day(first)}" if first == last else f"from {say_day(first)} to {say_day(last)}"
    return (
        f"{when} deleted the register’s records of messages past their retention period. "
        f"They had been received {received}."
    )


def warnings(record: Record) -> list[str]:
    """Say what did not go as it should."""
    run = record.run
    found = [_ENDS[run.state]] if run.state in _ENDS else []
    if run.due_after:
        found.append(f"After the run {messages(run.due_after)} past the period and not held remained.")
    if run.residue:
        found.append(f"{_identifiers(run.residue)} still readable in our own files.")
    return found


def _identifiers(count: int) -> str:
    return (
        "1 identifier of a deleted record was" if count == 1 else f"{number(count)} identifiers of deleted records were"
    )


def figures(record: Record) -> list[Figure]:
    """Give the large figures."""
    late = record.lateness
    if late is None:
        past = Figure("–", "days past due", "nothing had a due day")
    else:
        span = f"from {number(late.minimum)} to {number(late.maximum)}"
        past = Figure(number(late.median), "days past due, median", span)
    run = record.run
    return [
        Figure(number(record.disposed), "disposed of", f"of {number(record.planned)} in the plan"),
        past,
        Figure(number(record.held + (run.skipped_held or 0)), "held back", _holds(record)),
        Figure("–", "still due", "not counted")
        if run.due_after is None
        else Figure(number(run.due_after), "still due", "counted anew after the run"),
    ]


def _holds(record: Record) -> str:
    return f"by {record.holds} hold{'' if record.holds == 1 else 's'} in force" if record.holds else "no hold in force"


def rules(record: Record) -> list[RuleWords]:
    """Tell the rules under which something was disposed of or held; all of them where there is none such."""
    busy = [rule for rule in record.rules if rule.disposed or rule.held]
    return [_rule(record, rule) for rule in busy or record.rules]


def idle_rules(record: Record) -> str:
    """Say how many rules had nothing due and are not told."""
    idle = len(record.rules) - len(rules(record))
    return f"{idle} more rule{'' if idle == 1 else 's'} of the schedule had nothing due." if idle else ""


def _rule(record: Record, rule: RuleFacts) -> RuleWords:
    keep = f"kept for {say_period(Period.parse(rule.keep))} ({rule.keep})" if rule.keep else "no period"
    before = f"received before {local(record, rule.cutoff)} ({iso(from_epoch(rule.cutoff))})"
    name = "no rule covers them any more" if rule.rule == NO_RULE else rule.rule
    return RuleWords(name, keep, rule.authority, before, messages(rule.disposed))


def checks(record: Record) -> list[Line]:
    """Say what the run looked at and found."""
    run = record.run
    lines = [
        Line("Held by the plan", f"{messages(record.held)}, {_holds(record)}"),
        Line("Held since the plan", "not counted" if run.skipped_held is None else messages(run.skipped_held)),
        Line("Gone before the run", "not counted" if run.skipped_gone is None else messages(run.skipped_gone)),
    ]
    if released := sum(rule.released for rule in record.rules):
        lines.append(Line("Released holds", f"{messages(released)} of the plan had been held until a release"))
    if record.approvals:
        names = (f"{one.by or 'a name that was erased'} (entry {number(one.entry)})" for one in record.approvals)
        lines.append(Line("Plan approved by", " and ".join(names)))
    residue = "not searched" if run.residue is None else f"{number(run.residue)} of a sample readable in our files"
    lines.append(Line("Identifiers left", residue))
    return lines if record.belts else [*lines, Line("Safety belts", "none was passed")]


def belts(passed: tuple[BeltFacts, ...]) -> list[Line]:
    """Say which safety belts were passed, by whom and why; belts with one reason are told together."""
    told: dict[tuple[object, object], list[BeltFacts]] = {}
    for belt in passed:
        told.setdefault((belt.reason, belt.by), []).append(belt)
    return [line for group in told.values() for line in _belts(group)]


def _belts(group: list[BeltFacts]) -> list[Line]:
    names = " and ".join(f"{belt.belt} (entry {number(belt.entry)})" for belt in group)
    reason, by = group[0].reason, group[0].by
    why = f"“{_shortened(reason.text)}”" if reason.text is not None else "the text was erased"
    who = "not named in the log" if by is None else by.text or "the name was erased"
    return [Line("Passed", names), Line("Reason given", why), Line("By", who)]


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _REASON_LIMIT else line[: _REASON_LIMIT - 1].rstrip() + "…"


def evidence(record: Record) -> list[Line]:
    """Say for each place what shows that the messages are gone from it."""
    if record.entries is None:
        here = "nothing was deleted; the log has an entry that says so"
    else:
        here = f"deleted; {_entries(record, *record.entries)}"
    return [Line("Register", here), Line("Upstream", f"{record.upstream_level}. {upstream_reason(record)}")]


def _entries(record: Record, first: int, last: int) -> str:
    """Say which entries of the log are the run's: one for each message, and one that closes each batch."""
    batches = record.run.batches
    closing = "1 that closes the batch" if batches == 1 else f"{number(batches)} that close its batches"
    alone = last - first + 1 == record.disposed + batches
    one = (
        "1 log entry for the message" if record.disposed == 1 else f"{number(record.disposed)} log entries, 1 a message"
    )
    return f"{one}, and {closing}: {'' if alone else 'among '}entries {number(first)} to {number(last)}"


def upstream_reason(record: Record) -> str:
    """Say what is known of the copies at the source, as far as it is known when the record is drawn."""
    if not record.orders and not record.receipts:
        return UPSTREAM
    told = [_receipts(record)] if record.receipts else []
    if record.orders:
        told += [_ORDERED, *(_order(order) for order in record.orders)]
    if record.unlisted > 0:
        told.append(f"Of {messages(record.unlisted)} more nothing is known: {_unlisted_why(record)}.")
    return " ".join(told)


def _receipts(record: Record) -> str:
    word = "is" if record.receipts == 1 else "are"
    return f"Hootsuite’s REST API confirmed that {messages(record.receipts)} {word} deleted there."


def _unlisted_why(record: Record) -> str:
    return "a call failed, or no order lists them" if record.receipts else "no order lists them"


def _order(order: OrderFacts) -> str:
    due = f", due by {say_day(date.fromisoformat(order.due_on))}" if order.due_on else ""
    parts = [(order.absent, "shown gone"), (order.present, "shown present"), (order.unknown, "unknown")]
    counts = ", ".join([messages(order.listed), *(f"{number(count)} {word}" for count, word in parts if count)])
    return f"Order {order.order} to {order.source}{due}: {counts}; {_STATES[order.state]}."


def beyond_reach(record: Record) -> list[tuple[str, str, str]]:
    """List the copies that the run cannot reach: which, why, and until when."""
    return [(one.copy, one.why, say_day(one.until) if one.until else _UNTIL_UNKNOWN) for one in copies_of(record)]


def copies_of(record: Record) -> list[CopyWords]:
    """Say of every kind of copy what is known: those that each database has, and others that were registered."""
    known = {KINDS[one.what]: one for one in record.copies}
    names = dict(BEYOND_REACH[record.database])
    more = [name for name in KINDS.values() if name in known and name not in names]
    return [
        CopyWords(name, found.words(), found.until, found.entries)
        if (found := known.get(name))
        else CopyWords(name, names[name], None, ())
        for name in [*names, *more]
    ]


def proof(record: Record) -> list[Line]:
    """Give the figures that tie this page to the log."""
    head = record.checkpoint
    return [
        Line("Log", record.origin),
        Line("Size", "1 entry" if head.size == 1 else f"{number(head.size)} entries"),
        Line("Root", head.root),
        Line("Key", head.key),
        Line("Fingerprint", f"SHA-256 {head.fingerprint}"),
        Line("Plan", record.run.plan_digest),
        Line("Schedule", record.run.schedule_digest),
        Line("Software", record.software or "not recorded"),
    ]


def steps_of(record: Record) -> list[Line]:
    """Give the commands that show that this page is right, each with what it shows."""
    return [
        Line(
            "retention audit verify --since checkpoint.txt",
            "checkpoint.txt holds the text of the code: nothing before it was altered, dropped or reordered since",
        ),
        Line(
            f"retention audit export --run {record.run.id} --format csv",
            f"one row for each disposal: {number(record.disposed)} of them, with day, network, rule and plan",
        ),
        Line(
            "retention audit export --bundle evidence.tar",
            "the log with a guide to verify it without this program, by tools that its makers did not write",
        ),
    ]


def drill_banner(record: Record) -> str:
    """Give the words that stand on top of a drill's record, and nothing otherwise."""
    return f"{_DRILL}: an exercise, not a record of real messages" if record.drill else ""
