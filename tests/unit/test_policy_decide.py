"""One decision a message, with its reasons, in the order in which the questions are asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.model import MessageClass, Period
from retention.policy.decide import Decision, Outcome, decide
from retention.policy.hold import Candidate, Hold
from retention.policy.schedule import Rule, Schedule
from tests.depth import tries
from tests.unit.golden.cases import CASES, HOLDS, SCHEDULES, Case
from tests.unit.golden.frozen import golden, readable

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROMISE = Rule("direct-messages", {"visibility": ("private",)}, Period(3, 0), "Privacy notice")
OFFICE = Schedule("Europe/London", (PROMISE,))
PRIVATE = MessageClass("hootsuite-inbox", "twitter", "Press Office", "inbound", "private", "message")
FREEZE = Hold(1, "inquiry", "Records team", NOON, date(2027, 2, 22), None, None, None, {})


def decided(case: Case) -> Decision:
    return decide(
        SCHEDULES[case.schedule],
        HOLDS[case.holds],
        case.message_class,
        case.candidate,
        datetime.fromisoformat(case.now),
    )


def told(case: Case) -> dict[str, object]:
    """Put a case and its decision side by side, for a reader."""
    decision = decided(case)
    return {
        "schedule": case.schedule,
        "holds": case.holds,
        "message": case.message,
        "received_at": case.received,
        "now": case.now,
        "outcome": decision.outcome,
        "rule": decision.rule and decision.rule.name,
        "expires_on": decision.expires_on and decision.expires_on.isoformat(),
        "due_at": decision.due_at and decision.due_at.isoformat(),
        "held_by": list(decision.holds),
        "reasons": list(decision.reasons),
    }


def test_decisions_and_their_reasons_are_what_they_always_were() -> None:
    assert len({case.title for case in CASES}) == len(CASES)
    text = readable({case.title: told(case) for case in CASES})
    assert text == golden("decisions.json", text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_each_case_comes_out_as_a_person_expects(case: Case) -> None:
    assert decided(case).outcome == case.expected


schedules = st.builds(
    lambda time_zone, months: Schedule(time_zone, (replace(PROMISE, keep=Period(months, 0)),)),
    st.sampled_from(["UTC", "Europe/London", "Asia/Kathmandu", "America/New_York"]),
    st.integers(1, 6),
)
classes = st.sampled_from([PRIVATE, PRIVATE._replace(visibility="public")])
contacts = st.sampled_from(["c-1", "c-2"])
receipts = st.integers(-200 * 86_400, 86_400).map(lambda seconds: NOON + timedelta(seconds=seconds))
holds = st.builds(
    lambda hold_id, released, since, contact: replace(
        FREEZE,
        hold_id=hold_id,
        released_at=NOON if released else None,
        received_from=since,
        selectors={} if contact is None else {"contact": frozenset({contact})},
    ),
    st.integers(1, 99),
    st.booleans(),
    st.none() | receipts,
    st.none() | contacts,
)


@given(schedules, st.lists(holds, max_size=4), receipts, contacts, classes)
@settings(max_examples=tries(500))
def test_decisions_agree_with_the_policy_said_in_other_words(
    schedule: Schedule, placed: list[Hold], received_at: datetime, contact: str, message_class: MessageClass
) -> None:
    candidate = Candidate(received_at, "m-1", "v-1", contact, "twitter", "Press Office")
    decision = decide(schedule, placed, message_class, candidate, NOON)

    rule, zone = schedule.rules[0], ZoneInfo(schedule.time_zone)
    last_day = received_at.astimezone(zone).date() + relativedelta(months=rule.keep.months)
    is_due = NOON.astimezone(zone).date() > last_day
    covering = [
        hold.hold_id
        for hold in placed
        if hold.released_at is None
        and (hold.received_from is None or hold.received_from <= received_at)
        and (not hold.selectors or contact in hold.selectors["contact"])
    ]
    if message_class.visibility == "public":
        outcome: Outcome = "held" if covering else "not_covered"
        assert decision == Decision(outcome, None, None, None, tuple(covering), decision.reasons)
        return
    assert (decision.rule, decision.expires_on) == (rule, last_day)
    assert decision.outcome == ("kept" if not is_due else "held" if covering else "due")
    assert decision.holds == tuple(covering)


@given(st.lists(holds, max_size=4), receipts, contacts)
def test_one_more_hold_never_lets_a_message_go(placed: list[Hold], received_at: datetime, contact: str) -> None:
    candidate = Candidate(received_at, "m-1", "v-1", contact, "twitter", "Press Office")
    before = decide(OFFICE, placed, PRIVATE, candidate, NOON).outcome
    after = decide(OFFICE, [*placed, FREEZE], PRIVATE, candidate, NOON).outcome
    assert after == ("held" if before in {"due", "held"} else before)


@given(receipts)
def test_the_due_instant_of_the_decision_is_where_its_outcome_turns(received_at: datetime) -> None:
    candidate = Candidate(received_at, "m-1", "v-1", "c-1", "twitter", "Press Office")
    due_at = decide(OFFICE, (), PRIVATE, candidate, NOON).due_at
    assert due_at is not None
    assert decide(OFFICE, (), PRIVATE, candidate, due_at).outcome == "due"
    assert decide(OFFICE, (), PRIVATE, candidate, due_at - timedelta(seconds=1)).outcome == "kept"


def test_reasons_name_no_pseudonym_and_no_channel() -> None:
    secret = Candidate(NOON - timedelta(days=150), "m-secret", "v-secret", "c-secret", "n-secret", "h-secret")
    hold = replace(FREEZE, selectors={"contact": frozenset({"c-secret"}), "channel": frozenset({"h-secret"})})
    message_class = PRIVATE._replace(source="s-secret", network="n-secret", channel="h-secret")
    decision = decide(OFFICE, [hold], message_class, secret, NOON)
    assert decision.outcome == "held"
    assert "secret" not in " ".join(decision.reasons)


def test_holds_are_read_once_so_a_stream_of_them_will_do() -> None:
    candidate = Candidate(NOON - timedelta(days=150), "m-1", "v-1", "c-1", "twitter", "Press Office")
    stream = (replace(FREEZE, hold_id=number) for number in (3, 1, 2))
    assert decide(OFFICE, stream, PRIVATE, candidate, NOON).holds == (3, 1, 2)
