"""The first rule that covers a message decides, and the digest of a schedule binds its meaning."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.model import MessageClass, Period
from retention.policy.schedule import MATCH_KEYS, Rule, Schedule, configured_schedule, parse_schedule
from retention.settings import ScheduleSettings
from tests.depth import tries

if TYPE_CHECKING:
    from random import Random

PRIVATE = MessageClass("hootsuite-inbox", "twitter", "Press Office", "inbound", "private", "message")
PROMISE = Rule("direct-messages", {"visibility": ("private",)}, Period(3, 0), "Privacy notice")
OFFICE = Schedule("Europe/London", (PROMISE,))

words = st.sampled_from(["a", "A", "b", "B", "ß", "SS", ""])
classes = st.builds(MessageClass, words, words, words, words, st.sampled_from(["private", "public"]), words)
values = st.lists(words, max_size=3).map(tuple)
rules = st.builds(
    Rule,
    st.sampled_from(["one", "two", "three"]),
    st.dictionaries(st.sampled_from(MATCH_KEYS), values, max_size=3),
    st.builds(Period, st.integers(1, 30), st.integers(0, 2)),
    st.sampled_from(["law", "notice"]),
)
schedules = st.builds(Schedule, st.sampled_from(["UTC", "Europe/London"]), st.lists(rules, max_size=4).map(tuple))


def naively_covers(rule: Rule, message_class: MessageClass) -> bool:
    """Say again, at length, what a rule covers."""
    seen = dict(zip(MessageClass._fields, message_class, strict=True))
    for key in MATCH_KEYS:
        if key not in rule.match:
            continue
        accepted = [value for value in rule.match[key] if value.casefold() == seen[key].casefold()]
        if not accepted:
            return False
    return True


@given(rules, classes)
@settings(max_examples=tries(300))
def test_a_rule_covers_what_each_of_its_match_keys_accepts(rule: Rule, message_class: MessageClass) -> None:
    assert rule.covers(message_class) == naively_covers(rule, message_class)


@given(schedules, classes)
def test_the_first_rule_that_covers_a_message_decides(schedule: Schedule, message_class: MessageClass) -> None:
    covering = [rule for rule in schedule.rules if naively_covers(rule, message_class)]
    assert schedule.rule_for(message_class) is (covering[0] if covering else None)


@given(classes)
def test_a_rule_without_match_covers_every_message(message_class: MessageClass) -> None:
    assert Rule("all", {}, Period(3, 0), "Privacy notice").covers(message_class)


def test_what_a_rule_can_see_is_exactly_what_a_message_class_holds() -> None:
    assert set(MATCH_KEYS) == set(MessageClass._fields)


@pytest.mark.parametrize("key", MATCH_KEYS)
def test_every_attribute_can_be_matched_whatever_its_case(key: str) -> None:
    value: str = getattr(PRIVATE, key)
    for spelling in (value, value.upper(), value.title()):
        assert Rule("one", {key: ("another", spelling)}, Period(3, 0), "law").covers(PRIVATE)
    assert not Rule("one", {key: ("another",)}, Period(3, 0), "law").covers(PRIVATE)
    assert not Rule("one", {key: (value + "s",)}, Period(3, 0), "law").covers(PRIVATE)


def test_a_narrow_rule_above_a_wide_one_wins_and_below_it_is_never_reached() -> None:
    complaints = Rule("complaints", {"message_type": ("complaint",)}, Period(18, 0), "Complaints procedure")
    complaint = PRIVATE._replace(message_type="Complaint")
    assert Schedule("UTC", (complaints, PROMISE)).rule_for(complaint) is complaints
    assert Schedule("UTC", (PROMISE, complaints)).rule_for(complaint) is PROMISE


def test_no_rule_covers_a_public_comment() -> None:
    assert OFFICE.rule_for(PRIVATE._replace(visibility="public")) is None
    assert Schedule("UTC", ()).rule_for(PRIVATE) is None


def test_days_are_counted_in_the_zone_of_the_schedule() -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert OFFICE.zone == ZoneInfo("Europe/London")
    assert OFFICE.today(late).isoformat() == "2026-07-01"
    assert Schedule("UTC", (PROMISE,)).today(late).isoformat() == "2026-06-30"
    assert Schedule("America/New_York", (PROMISE,)).today(late).isoformat() == "2026-06-30"


def test_the_digest_is_the_plain_sha_256_of_the_canonical_form() -> None:
    canonical = (
        '{"rules":[{"authority":"Privacy notice","keep":"P3M","match":{"visibility":["private"]},'
        '"name":"direct-messages"}],"time_zone":"Europe/London"}'
    )
    assert OFFICE.canonical == canonical
    assert OFFICE.digest == "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def test_every_change_of_meaning_changes_the_digest() -> None:
    other = Rule("other", {"network": ("twitter", "facebook")}, Period(0, 90), "Another notice")
    variants = [
        OFFICE,
        Schedule("Europe/Dublin", (PROMISE,)),
        Schedule("Europe/London", ()),
        Schedule("Europe/London", (PROMISE, other)),
        Schedule("Europe/London", (other, PROMISE)),
        Schedule("Europe/London", (PROMISE, PROMISE)),
        Schedule("Europe/London", (Rule("renamed", PROMISE.match, PROMISE.keep, PROMISE.authority),)),
        Schedule("Europe/London", (Rule(PROMISE.name, {}, PROMISE.keep, PROMISE.authority),)),
        Schedule("Europe/London", (Rule(PROMISE.name, {"visibility": ("public",)}, PROMISE.keep, PROMISE.authority),)),
        Schedule("Europe/London", (Rule(PROMISE.name, {"source": ("private",)}, PROMISE.keep, PROMISE.authority),)),
        Schedule("Europe/London", (Rule(PROMISE.name, PROMISE.match, Period(4, 0), PROMISE.authority),)),
        Schedule("Europe/London", (Rule(PROMISE.name, PROMISE.match, Period(0, 90), PROMISE.authority),)),
        Schedule("Europe/London", (Rule(PROMISE.name, PROMISE.match, Period(3, 1), PROMISE.authority),)),
        Schedule("Europe/London", (Rule(PROMISE.name, PROMISE.match, PROMISE.keep, "Datenschutzerklärung"),)),
    ]
    assert len({variant.digest for variant in variants}) == len(variants)


def meaning(schedule: Schedule) -> object:
    """Give everything that a schedule says, with the values of a match list in no order."""
    return schedule.time_zone, [
        (rule.name, {key: sorted(accepted) for key, accepted in rule.match.items()}, rule.keep, rule.authority)
        for rule in schedule.rules
    ]


def reordered(schedule: Schedule) -> st.SearchStrategy[tuple[Schedule, Schedule]]:
    """Give a schedule beside one with the same rules in some order."""
    shuffles = st.permutations(schedule.rules)
    return shuffles.map(lambda shuffled: (schedule, Schedule(schedule.time_zone, tuple(shuffled))))


@given(st.one_of(st.tuples(schedules, schedules), schedules.flatmap(reordered)))
@settings(max_examples=tries(300))
def test_two_schedules_have_one_digest_only_where_they_say_the_same(pair: tuple[Schedule, Schedule]) -> None:
    one, two = pair
    assert (one.digest == two.digest) == (meaning(one) == meaning(two))


@given(st.lists(st.text(max_size=4), min_size=1, max_size=4), st.randoms())
def test_the_order_of_values_and_keys_does_not_change_the_digest(accepted: list[str], random: Random) -> None:
    shuffled = list(accepted)
    random.shuffle(shuffled)
    match = {"network": tuple(accepted), "channel": ("press",)}
    other = {"channel": ("press",), "network": tuple(shuffled)}
    one = Schedule("UTC", (Rule("one", match, Period(3, 0), "law"),))
    two = Schedule("UTC", (Rule("one", other, Period(3, 0), "law"),))
    assert one.digest == two.digest


@given(schedules)
def test_every_schedule_reads_back_from_its_canonical_form(schedule: Schedule) -> None:
    again = parse_schedule(schedule.canonical)
    assert meaning(again) == meaning(schedule)
    assert (again.canonical, again.digest) == (schedule.canonical, schedule.digest)


@given(schedules, classes)
def test_a_schedule_that_was_read_back_decides_as_before(schedule: Schedule, message_class: MessageClass) -> None:
    before, after = schedule.rule_for(message_class), parse_schedule(schedule.canonical).rule_for(message_class)
    assert (before and before.name, before and before.keep) == (after and after.name, after and after.keep)


def test_two_spellings_of_one_period_have_one_digest() -> None:
    spelled = [
        Schedule("UTC", (Rule("one", {}, Period.parse(text), "law"),)).digest for text in ("P12M", "P1Y", "P0Y12M")
    ]
    assert len(set(spelled)) == 1


def test_the_configured_schedule_keeps_the_rules_in_the_order_of_the_file() -> None:
    settings = ScheduleSettings.model_validate(
        {
            "time_zone": "Europe/London",
            "rule": [
                {
                    "name": "complaints",
                    "match": {"message_type": "complaint", "network": ["Twitter", "Facebook"]},
                    "keep": "P1Y6M",
                    "authority": "Complaints procedure",
                },
                {
                    "name": "direct-messages",
                    "match": {"visibility": "private"},
                    "keep": "P3M",
                    "authority": "Privacy notice",
                },
                {"name": "rest", "keep": "P2W", "authority": "Disposal authority 7"},
            ],
        }
    )
    assert configured_schedule(settings) == Schedule(
        "Europe/London",
        (
            Rule(
                "complaints",
                {"message_type": ("complaint",), "network": ("Twitter", "Facebook")},
                Period(18, 0),
                "Complaints procedure",
            ),
            PROMISE,
            Rule("rest", {}, Period(0, 14), "Disposal authority 7"),
        ),
    )
