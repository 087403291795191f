"""The table of messages, schedules and holds behind ``decisions.json``, each with the outcome that a person expects."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from retention.model import MessageClass, Period
from retention.policy.hold import Candidate, Hold, HoldKind
from retention.policy.schedule import Rule, Schedule

PRIVATE = {"visibility": ("private",)}
NOTICE = "Privacy notice: people who contact us via social media"


def _rule(name: str, keep: str, **match: tuple[str, ...]) -> Rule:
    return Rule(name, match, Period.parse(keep), NOTICE)


def _at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _hold(
    hold_id: int,
    kind: HoldKind,
    start: str | None = None,
    until: str | None = None,
    released: str | None = None,
    **selectors: str,
) -> Hold:
    values = {selector: frozenset(text.split("|")) for selector, text in selectors.items()}
    placed = datetime(2026, 10, 1, 9, tzinfo=UTC)
    return Hold(
        hold_id,
        kind,
        "Records team",
        placed,
        date(2027, 4, 1),
        _at(released),
        _at(start),
        _at(until),
        values,  # type: ignore[arg-type]  # keywords are selectors
    )


PROMISE = _rule("direct-messages", "P3M", visibility=("private",))

SCHEDULES = {
    "office": Schedule("Europe/London", (PROMISE,)),
    "layered": Schedule(
        "Europe/London",
        (
            _rule("complaints", "P1Y6M", visibility=("private",), message_type=("complaint", "appeal")),
            _rule("pilot", "P2W", network=("twitter",), channel=("Pilot Desk",)),
            PROMISE,
        ),
    ),
    "everything": Schedule("America/New_York", (_rule("all", "P1Y"),)),
    "lord howe": Schedule("Australia/Lord_Howe", (_rule("short", "P1M10D"),)),
    "apia": Schedule("Pacific/Apia", (_rule("month", "P1M"),)),
    "sao paulo": Schedule("America/Sao_Paulo", (PROMISE,)),
    "st johns": Schedule("America/St_Johns", (_rule("ninety", "P90D"), PROMISE)),
    "empty": Schedule("UTC", ()),
}

HOLDS = {
    "none": (),
    "usual": (
        _hold(1, "litigation", contact="c-claimant"),
        _hold(2, "foi", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", channel="press office|news desk"),
        _hold(3, "sar", released="2027-01-15T12:00:00Z", contact="c-subject"),
        _hold(4, "inquiry", network="twitter", conversation="v-7|v-8"),
        _hold(5, "foi", message="m-42"),
    ),
    "freeze": (
        _hold(6, "inquiry", "2026-11-15T00:00:00Z"),
        _hold(7, "litigation", None, "2026-11-20T00:00:00Z"),
        _hold(8, "inquiry", released="2027-02-01T00:00:00Z"),
        _hold(9, "foi"),
    ),
}


@dataclass(frozen=True)
class Case:
    """One message under one schedule and one set of holds at one instant."""

    expected: str
    title: str
    received: str
    now: str
    schedule: str = "office"
    holds: str = "none"
    message: dict[str, str] = field(default_factory=dict)

    @property
    def message_class(self) -> MessageClass:
        """The message as rules see it: a private one from Twitter where the case says nothing else."""
        usual = MessageClass("hootsuite-inbox", "twitter", "Press Office", "inbound", "private", "message")
        return usual._replace(**{key: text for key, text in self.message.items() if key in MessageClass._fields})  # type: ignore[arg-type]  # a visibility is a text here

    @property
    def candidate(self) -> Candidate:
        """The message as holds see it."""
        seen = {
            "message": "m-1",
            "conversation": "v-1",
            "contact": "c-1",
            "network": "twitter",
            "channel": "Press Office",
        }
        seen |= {key: text for key, text in self.message.items() if key in seen}
        return Candidate(received_at=datetime.fromisoformat(self.received), **seen)


CASES = (
    # The promise, day by day.
    Case("kept", "just received", "2026-11-22T18:16:31Z", "2026-11-22T18:16:31Z"),
    Case("kept", "last second of the last day", "2026-11-22T18:16:31Z", "2027-02-22T23:59:59Z"),
    Case("due", "first second of the day after", "2026-11-22T18:16:31Z", "2027-02-23T00:00:00Z"),
    Case("due", "long overdue", "2019-05-31T08:00:00Z", "2027-02-23T00:00:00Z"),
    Case("kept", "30 November on 28 February", "2026-11-30T12:00:00Z", "2027-02-28T23:59:59Z"),
    Case("due", "30 November on 1 March", "2026-11-30T12:00:00Z", "2027-03-01T00:00:00Z"),
    Case("due", "28 November on 1 March", "2026-11-28T00:00:00Z", "2027-03-01T00:00:00Z"),
    Case("kept", "1 December on 1 March", "2026-12-01T00:00:00Z", "2027-03-01T23:59:59Z"),
    Case("kept", "30 November before a leap day", "2027-11-30T12:00:00Z", "2028-02-29T23:59:59Z"),
    Case("due", "30 November after a leap day", "2027-11-30T12:00:00Z", "2028-03-01T00:00:00Z"),
    Case("kept", "received before midnight in London summer", "2026-06-29T22:59:59Z", "2026-09-29T22:59:59Z"),
    Case("kept", "received after midnight in London summer", "2026-06-29T23:00:00Z", "2026-09-29T23:00:00Z"),
    Case("due", "the day after, in London summer", "2026-06-29T22:59:59Z", "2026-09-29T23:00:00Z"),
    Case("due", "received in winter, due in summer", "2026-12-28T10:00:00Z", "2027-03-28T23:00:00Z"),
    Case("kept", "received in winter, last hour in summer", "2026-12-28T10:00:00Z", "2027-03-28T22:59:59Z"),
    Case("kept", "dated after now", "2026-11-23T00:00:00Z", "2026-11-22T18:16:31Z"),
    # Which rule.
    Case(
        "not_covered",
        "public comment",
        "2026-11-22T18:16:31Z",
        "2027-03-01T00:00:00Z",
        message={"visibility": "public"},
    ),
    Case("not_covered", "schedule without rules", "2026-11-22T18:16:31Z", "2027-03-01T00:00:00Z", "empty"),
    Case(
        "due",
        "visibility in capitals",
        "2026-08-01T00:00:00Z",
        "2027-03-01T00:00:00Z",
        message={"visibility": "PRIVATE"},
    ),
    Case(
        *("kept", "a complaint is kept longer", "2026-08-31T12:00:00Z", "2028-02-29T23:59:59Z", "layered"),
        message={"message_type": "Complaint"},
    ),
    Case(
        *("due", "a complaint after eighteen months", "2026-08-31T12:00:00Z", "2028-03-01T00:00:00Z", "layered"),
        message={"message_type": "complaint"},
    ),
    Case(
        *("due", "the pilot is kept shorter", "2026-11-01T12:00:00Z", "2026-11-16T00:00:00Z", "layered"),
        message={"channel": "pilot desk"},
    ),
    Case(
        *(
            "kept",
            "a complaint to the pilot is a complaint first",
            "2026-11-01T12:00:00Z",
            "2026-11-16T00:00:00Z",
            "layered",
        ),
        message={"channel": "pilot desk", "message_type": "appeal"},
    ),
    Case(
        *("kept", "another network is not the pilot", "2026-11-01T12:00:00Z", "2026-11-16T00:00:00Z", "layered"),
        message={"channel": "Pilot Desk", "network": "facebook"},
    ),
    Case(
        *("due", "the pilot takes public messages too", "2026-11-01T12:00:00Z", "2026-11-16T00:00:00Z", "layered"),
        message={"channel": "Pilot Desk", "visibility": "public"},
    ),
    Case(
        *("not_covered", "public complaint elsewhere", "2026-11-01T12:00:00Z", "2028-11-16T00:00:00Z", "layered"),
        message={"visibility": "public", "message_type": "complaint"},
    ),
    # Other periods, other clocks.
    Case(
        "kept", "a year from a leap day, on its last day", "2028-02-29T12:00:00Z", "2029-03-01T04:59:59Z", "everything"
    ),
    Case(
        *("due", "a year from a leap day, the day after", "2028-02-29T12:00:00Z", "2029-03-01T05:00:00Z", "everything"),
        message={"visibility": "public"},
    ),
    Case("kept", "half an hour of Lord Howe", "2026-02-25T00:00:00Z", "2026-04-04T12:59:59Z", "lord howe"),
    Case("due", "a month and ten days", "2026-02-25T00:00:00Z", "2026-04-04T13:00:00Z", "lord howe"),
    Case("due", "last day skipped in Apia", "2011-12-01T00:00:00Z", "2011-12-30T10:00:00Z", "apia"),
    Case("kept", "last day before the skipped one", "2011-11-30T00:00:00Z", "2011-12-30T09:59:59Z", "apia"),
    Case("due", "missing midnight in Sao Paulo", "2018-08-03T12:00:00Z", "2018-11-04T03:00:00Z", "sao paulo"),
    Case("kept", "before the missing midnight", "2018-08-03T12:00:00Z", "2018-11-04T02:59:59Z", "sao paulo"),
    Case("kept", "first of two midnights in St John's", "2010-08-08T12:00:00Z", "2010-11-07T02:30:30Z", "st johns"),
    Case("due", "second of two midnights in St John's", "2010-08-08T12:00:00Z", "2010-11-07T03:30:00Z", "st johns"),
    # Holds.
    Case("due", "no hold covers it", "2026-08-01T00:00:00Z", "2027-03-01T00:00:00Z", holds="usual"),
    Case(
        "held",
        "held by contact",
        "2026-08-01T00:00:00Z",
        "2027-03-01T00:00:00Z",
        "office",
        "usual",
        {"contact": "c-claimant"},
    ),
    Case(
        "kept",
        "not yet due, hold or no hold",
        "2027-02-01T00:00:00Z",
        "2027-03-01T00:00:00Z",
        "office",
        "usual",
        {"contact": "c-claimant"},
    ),
    Case("held", "held by channel and range", "2026-11-01T00:00:00Z", "2027-03-01T00:00:00Z", holds="usual"),
    Case("due", "channel held, one second too early", "2026-10-31T23:59:59Z", "2027-03-01T00:00:00Z", holds="usual"),
    Case("due", "channel held, range over", "2026-12-01T00:00:00Z", "2027-03-02T00:00:00Z", holds="usual"),
    Case(
        "due",
        "hold released",
        "2026-08-01T00:00:00Z",
        "2027-03-01T00:00:00Z",
        "office",
        "usual",
        {"contact": "c-subject"},
    ),
    Case(
        "held",
        "held by conversation on one network",
        "2026-08-01T00:00:00Z",
        "2027-03-01T00:00:00Z",
        "office",
        "usual",
        {"conversation": "v-8"},
    ),
    Case(
        *("due", "same conversation, other network", "2026-08-01T00:00:00Z", "2027-03-01T00:00:00Z", "office", "usual"),
        {"conversation": "v-8", "network": "facebook"},
    ),
    Case(
        *("held", "held three times over", "2026-11-30T23:59:59Z", "2027-03-01T00:00:00Z", "office", "usual"),
        {"message": "m-42", "contact": "c-claimant"},
    ),
    Case(
        "held", "frozen by range and by everything", "2026-11-15T00:00:00Z", "2027-03-01T00:00:00Z", "office", "freeze"
    ),
    Case("held", "frozen by everything", "2026-08-01T00:00:00Z", "2027-03-01T00:00:00Z", "office", "freeze"),
    Case(
        "held",
        "a hold keeps what no rule covers any more",
        "2026-11-15T00:00:00Z",
        "2027-03-01T00:00:00Z",
        "empty",
        "freeze",
    ),
    Case(
        "held",
        "a hold outlasts every rule",
        "2026-11-01T12:00:00Z",
        "2036-11-16T00:00:00Z",
        "layered",
        "freeze",
        {"channel": "Pilot Desk"},
    ),
)
