"""What a hold covers, compared with a second statement of the same meaning."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.policy.hold import HOLD_KINDS, SELECTORS, Candidate, Hold, Selector
from tests.depth import tries

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPEN = Hold(1, "foi", "Records team", NOON, date(2027, 2, 22), None, None, None, {})
MESSAGE = Candidate(NOON, "m-1", "v-1", "c-1", "Twitter", "Press Office")

moments = st.integers(-3, 3).map(lambda hours: NOON + timedelta(hours=hours))
pseudonyms = st.sampled_from(["m-1", "m-2", "M-1"])
names = st.sampled_from(["twitter", "Twitter", "TWITTER", "facebook", "Press Office", "", "x"])
candidates = st.builds(Candidate, moments, pseudonyms, pseudonyms, pseudonyms, names, names)
selectors = st.fixed_dictionaries(
    {},
    optional={
        "message": st.frozensets(pseudonyms),
        "conversation": st.frozensets(pseudonyms),
        "contact": st.frozensets(pseudonyms),
        "network": st.frozensets(names.map(str.lower)),
        "channel": st.frozensets(names.map(str.lower)),
    },
)
bounds = st.none() | moments
holds = st.builds(
    Hold,
    hold_id=st.just(1),
    kind=st.sampled_from(HOLD_KINDS),
    owner=st.just("Records team"),
    placed_at=moments,
    review_on=st.just(date(2027, 2, 22)),
    released_at=bounds,
    received_from=bounds,
    received_until=bounds,
    selectors=selectors,
)


def naively_covers(hold: Hold, candidate: Candidate) -> bool:
    """Say again, at length and without a shared line, what covering means."""
    after_start = hold.received_from is None or hold.received_from <= candidate.received_at
    before_end = hold.received_until is None or candidate.received_at < hold.received_until
    accepted = {
        "message": candidate.message in hold.selectors.get("message", {candidate.message}),
        "conversation": candidate.conversation in hold.selectors.get("conversation", {candidate.conversation}),
        "contact": candidate.contact in hold.selectors.get("contact", {candidate.contact}),
        "network": candidate.network.lower() in hold.selectors.get("network", {candidate.network.lower()}),
        "channel": candidate.channel.lower() in hold.selectors.get("channel", {candidate.channel.lower()}),
    }
    return after_start and before_end and False not in accepted.values()


@given(holds, candidates)
@settings(max_examples=tries(500))
def test_a_hold_covers_what_every_kind_of_its_selectors_accepts(hold: Hold, candidate: Candidate) -> None:
    assert hold.covers(candidate) == naively_covers(hold, candidate)


@given(holds, candidates)
def test_releasing_a_hold_ends_it_and_does_not_change_what_it_covered(hold: Hold, candidate: Candidate) -> None:
    released = dataclasses.replace(hold, released_at=NOON)
    placed = dataclasses.replace(hold, released_at=None)
    assert (placed.active, released.active) == (True, False)
    assert placed.covers(candidate) == released.covers(candidate)


@given(holds, candidates, st.sampled_from(SELECTORS), st.text(max_size=3))
def test_one_more_value_of_a_kind_never_uncovers_a_message(
    hold: Hold, candidate: Candidate, kind: Selector, value: str
) -> None:
    if kind in hold.selectors:
        wider = dataclasses.replace(hold, selectors={**hold.selectors, kind: hold.selectors[kind] | {value}})
        assert wider.covers(candidate) >= hold.covers(candidate)


@given(holds, candidates, st.sampled_from(SELECTORS), st.text(max_size=3))
def test_one_more_kind_of_selector_never_covers_more(
    hold: Hold, candidate: Candidate, kind: Selector, value: str
) -> None:
    if kind not in hold.selectors:
        narrower = dataclasses.replace(hold, selectors={**hold.selectors, kind: frozenset({value})})
        assert narrower.covers(candidate) <= hold.covers(candidate)


@given(candidates)
def test_a_hold_without_range_and_selector_covers_everything(candidate: Candidate) -> None:
    assert OPEN.covers(candidate)


@pytest.mark.parametrize(
    ("hours_from", "hours_until", "covered"),
    [
        (0, None, True),
        (1, None, False),
        (None, 1, True),
        (None, 0, False),
        (-1, 0, False),
        (0, 1, True),
        (1, -1, False),
    ],
)
def test_the_range_of_a_hold_begins_on_its_first_second_and_ends_before_its_last(
    hours_from: int | None, hours_until: int | None, *, covered: bool
) -> None:
    hold = dataclasses.replace(
        OPEN,
        received_from=None if hours_from is None else NOON + timedelta(hours=hours_from),
        received_until=None if hours_until is None else NOON + timedelta(hours=hours_until),
    )
    assert hold.covers(MESSAGE) is covered


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("message", "m-1"),
        ("conversation", "v-1"),
        ("contact", "c-1"),
        ("network", "twitter"),
        ("channel", "press office"),
    ],
)
def test_each_kind_of_selector_looks_at_its_own_attribute(kind: Selector, value: str) -> None:
    naming = dataclasses.replace(OPEN, selectors={kind: frozenset({value, "another"})})
    passing_over = dataclasses.replace(OPEN, selectors={kind: frozenset({"another"})})
    assert naming.covers(MESSAGE)
    assert not passing_over.covers(MESSAGE)


@pytest.mark.parametrize("spelling", ["straße", "STRASSE", "Οδός", "ΟΔΌΣ", "İzmir", "press", "PRESS"])
def test_a_channel_is_covered_whatever_the_case_and_script_of_its_name(spelling: str) -> None:
    hold = dataclasses.replace(OPEN, selectors={"channel": frozenset({spelling.casefold()})})
    written = {spelling, spelling.lower(), spelling.upper(), spelling.title()}
    assert all(hold.covers(MESSAGE._replace(channel=channel)) for channel in written)


@pytest.mark.parametrize("kind", ["message", "conversation", "contact"])
def test_pseudonyms_are_compared_exactly(kind: Selector) -> None:
    hold = dataclasses.replace(OPEN, selectors={kind: frozenset({"Ab-1"})})
    same, lower = (Candidate(NOON, pseudonym, pseudonym, pseudonym, "x", "x") for pseudonym in ("Ab-1", "ab-1"))
    assert hold.covers(same)
    assert not hold.covers(lower)


def test_a_hold_on_a_contact_and_a_network_covers_only_where_both_meet() -> None:
    hold = dataclasses.replace(OPEN, selectors={"contact": frozenset({"c-1"}), "network": frozenset({"facebook"})})
    assert not hold.covers(MESSAGE)
    assert hold.covers(MESSAGE._replace(network="FACEBOOK"))
    assert not hold.covers(MESSAGE._replace(network="FACEBOOK", contact="c-2"))
