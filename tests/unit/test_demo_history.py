"""The invented traffic has the quirks of real traffic, at real times of day, and nobody real is in it."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.demo.awkward import AWKWARD
from retention.demo.exports import DemoMessage, HistorySpec, messages
from retention.errors import UsageError
from tests.depth import tries

LONDON = ZoneInfo("Europe/London")
SPRING = HistorySpec(seed=7, first_on=date(2026, 3, 27), last_on=date(2026, 3, 30), messages_per_day=60)
AUTUMN = HistorySpec(seed=7, first_on=date(2026, 10, 23), last_on=date(2026, 10, 26), messages_per_day=60)
QUARTER = HistorySpec(seed=3, first_on=date(2026, 2, 1), last_on=date(2026, 5, 1), messages_per_day=250)

NETWORK_IDS = {
    ("fb", "private"): r"(mid\.\$cAA|m_)[\w-]{28}",
    ("fb", "public"): r"\d{19}_\d{16}",
    ("twit", "private"): r"\d{18,19}",
    ("twit", "public"): r"\d{18,19}",
    ("instagram", "private"): r"aWdfZAG1f[\w+/]{32}",
    ("instagram", "public"): r"17\d{15}",
    ("rtm", "private"): r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}",
    ("whatsapp", "private"): r"wamid\.HBgMNDQ3NzAwOTAw[\w+/]{24}AA==",
    ("linkedin", "private"): r"2-MTc[\w+/]{32}",
    ("linkedin", "public"): r"urn:li:comment:\(activity:\d{19},\d{19}\)",
}


@pytest.fixture(scope="module")
def quarter() -> list[DemoMessage]:
    return list(messages(QUARTER))


# --- what people write ---


def test_the_type_of_a_message_tells_private_from_public_and_only_public_ones_name_a_post(
    quarter: list[DemoMessage],
) -> None:
    for message in quarter:
        kind = message.message_type.lower()
        private = "private" in kind or "dm" in kind
        assert private != ("comment" in kind or "post" in kind)
        assert private == (message.visibility == "private")
        assert bool(message.post_url) != private


def test_all_six_networks_speak_both_ways_with_types_and_channels_of_their_own(quarter: list[DemoMessage]) -> None:
    by_network = {medium: [m for m in quarter if m.medium == medium] for medium in {m.medium for m in quarter}}
    assert set(by_network) == {"fb", "twit", "instagram", "rtm", "whatsapp", "linkedin"}
    for told in by_network.values():
        assert {message.direction for message in told} == {"inbound", "outbound"}
    assert all(m.visibility == "private" for m in by_network["rtm"] + by_network["whatsapp"])
    assert len({m.message_type.lower() for m in quarter}) >= 8
    assert len({m.channel for m in quarter}) >= 8


@pytest.mark.parametrize("share", [0.0, 0.25, 0.6, 0.9, 1.0])
def test_the_private_share_is_kept(share: float) -> None:
    spec = HistorySpec(first_on=date(2026, 6, 1), last_on=date(2026, 6, 30), messages_per_day=400, private_share=share)
    told = list(messages(spec))
    assert sum(m.visibility == "private" for m in told) / len(told) == pytest.approx(share, abs=0.03)


def test_conversations_have_several_messages_of_one_person_in_one_place(quarter: list[DemoMessage]) -> None:
    talks: dict[str, list[DemoMessage]] = {}
    for message in quarter:
        talks.setdefault(message.conversation_id, []).append(message)
    for talk in talks.values():
        assert len({(m.contact_profile_id, m.channel, m.message_type, m.post_url) for m in talk}) == 1
        assert talk[0].direction == "inbound"
        assert talk[-1].received_at - talk[0].received_at < timedelta(days=14)
    assert sum(len(talk) for talk in talks.values()) / len(talks) > 2
    assert any(a.received_at.date() != b.received_at.date() for talk in talks.values() for a, b in pairwise(talk))


def test_only_the_office_has_agents_and_only_the_public_has_sentiment(quarter: list[DemoMessage]) -> None:
    for message in quarter:
        outbound = message.direction == "outbound"
        assert bool(message.agent_id) == bool(message.agent_name) == outbound
        assert (message.sentiment in {"positive", "neutral", "negative"}) != outbound
    assert len({m.agent_name for m in quarter}) >= 5
    assert {bool(m.case) for m in quarter} == {True, False}
    assert any("," in m.tags for m in quarter)


def test_awkward_text_of_every_kind_turns_up(quarter: list[DemoMessage]) -> None:
    said = {message.content for message in quarter}
    assert set(AWKWARD) <= said
    assert any(text.startswith("=HYPERLINK(") for text in said)
    assert any('"' in text and "\n" in text for text in said)
    assert any("\r\n" in text for text in said)
    assert any(re.search("[\u0590-\u06ff]", text) for text in said)
    assert any(re.search("[\U0001f300-\U0001faff]", text) for text in said)
    assert max(map(len, said)) > 2000
    share = sum(message.content in AWKWARD for message in quarter) / len(quarter)
    assert 0.003 < share < 0.03


def test_nobody_in_it_can_be_real(quarter: list[DemoMessage]) -> None:
    for m in quarter:
        if m.medium == "whatsapp":
            assert re.fullmatch(r"\+447700900\d{3}", m.contact_primary)
        if m.medium == "rtm":
            assert m.contact_secondary.endswith("@example.org")
        if m.medium in {"twit", "instagram"}:
            assert re.fullmatch(r"[a-z]+_demo\d{1,3}", m.contact_primary)
        if m.post_url:
            assert re.match(r"https://[a-z.]+\.example/", m.post_url)


def test_people_keep_their_identifiers_and_share_none(quarter: list[DemoMessage]) -> None:
    faces: dict[str, set[tuple[str, str, str]]] = {}
    for m in quarter:
        faces.setdefault(m.contact_profile_id, set()).add((m.medium, m.contact_primary, m.contact_secondary))
    assert all(len(known_as) == 1 for known_as in faces.values())
    assert len(faces) > 500


def test_message_ids_look_like_those_of_their_network(quarter: list[DemoMessage]) -> None:
    shapes = {(m.medium, m.visibility) for m in quarter}
    assert shapes == set(NETWORK_IDS)
    for m in quarter:
        assert re.fullmatch(NETWORK_IDS[m.medium, m.visibility], m.message_id)


def test_message_ids_are_unique_and_mostly_in_no_order(quarter: list[DemoMessage]) -> None:
    ids = [m.message_id for m in quarter]
    assert len(set(ids)) == len(ids)
    ascending = sum(a < b for a, b in pairwise(ids)) / (len(ids) - 1)
    assert 0.4 < ascending < 0.6
    for network in ("instagram", "fb"):  # ids of these carry a running number in disguise
        own = [m.message_id for m in quarter if m.medium == network and m.visibility == "public"]
        assert 0.35 < sum(a < b for a, b in pairwise(own)) / (len(own) - 1) < 0.65


# --- when they write ---


def test_people_write_in_business_hours_and_less_at_weekends(quarter: list[DemoMessage]) -> None:
    local = [m.received_at.astimezone(LONDON) for m in quarter]
    weekdays = [moment for moment in local if moment.weekday() < 5]
    weekend_share = (len(local) - len(weekdays)) / len(local)
    assert 0.08 < weekend_share < 0.2
    assert sum(8 <= moment.hour < 18 for moment in weekdays) / len(weekdays) > 0.7
    answered = [m for m in quarter if m.direction == "outbound" and m.agent_name != "Automatic reply"]
    assert all(m.received_at.astimezone(LONDON).weekday() < 5 for m in answered)
    assert all(8 <= m.received_at.astimezone(LONDON).hour < 18 for m in answered)


def test_some_write_in_the_last_second_of_a_day(quarter: list[DemoMessage]) -> None:
    last_minute = [m for m in quarter if m.received_at.astimezone(LONDON).strftime("%H:%M") == "23:59"]
    assert len({m.received_at.date() for m in last_minute}) >= 25
    assert any(m.received_at.astimezone(LONDON).second == 59 for m in last_minute)


def test_some_write_on_both_sides_of_a_spring_clock_change_and_none_in_the_gap() -> None:
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    told = {m.received_at for m in messages(SPRING)}
    assert {change - timedelta(seconds=1), change, change + timedelta(minutes=30)} <= told
    on_the_day = [t.astimezone(LONDON) for t in told if t.astimezone(LONDON).date() == change.date()]
    assert on_the_day
    assert not [moment for moment in on_the_day if moment.hour == 1]


def test_some_write_in_both_passes_of_an_autumn_hour() -> None:
    change = datetime(2026, 10, 25, 1, tzinfo=UTC)
    told = {m.received_at for m in messages(AUTUMN)}
    assert {
        change - timedelta(minutes=30),
        change - timedelta(seconds=1),
        change,
        change + timedelta(minutes=30),
    } <= told
    twice = Counter(t.astimezone(LONDON).replace(tzinfo=None, fold=0) for t in told)
    assert twice[datetime(2026, 10, 25, 1, 30)] == 2  # noqa: DTZ001 - a time on the wall, met twice


ZONES = ["Europe/London", "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Beirut"]


@settings(max_examples=tries(40), deadline=None)
@given(
    seed=st.integers(0, 2**64),
    zone=st.sampled_from(ZONES),
    first_on=st.dates(date(2012, 1, 1), date(2040, 1, 1)),
    days=st.integers(1, 40),
    per_day=st.integers(0, 40),
    share=st.floats(0, 1),
)
def test_every_history_has_its_exact_size_in_order_of_time_inside_its_days(
    *, seed: int, zone: str, first_on: date, days: int, per_day: int, share: float
) -> None:
    last_on = first_on + timedelta(days=days - 1)
    spec = HistorySpec(
        seed=seed, zone=zone, first_on=first_on, last_on=last_on, messages_per_day=per_day, private_share=share
    )
    told = list(messages(spec))
    assert len(told) == per_day * days
    assert len({m.message_id for m in told}) == len(told)
    assert all(a.received_at <= b.received_at for a, b in pairwise(told))
    assert all(m.received_at.tzinfo is UTC and m.received_at.microsecond == 0 for m in told)
    assert all(first_on <= m.received_at.astimezone(ZoneInfo(zone)).date() <= last_on for m in told)


def test_a_day_that_a_zone_skipped_has_no_messages() -> None:
    spec = HistorySpec(zone="Pacific/Apia", first_on=date(2011, 12, 28), last_on=date(2012, 1, 2), messages_per_day=50)
    days = Counter(m.received_at.astimezone(ZoneInfo("Pacific/Apia")).date() for m in messages(spec))
    assert sum(days.values()) == 300
    assert date(2011, 12, 30) not in days
    assert len(days) == 5


# --- what is refused ---


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_on": date(2026, 2, 2), "last_on": date(2026, 2, 1)},
        {"first_on": date(2001, 1, 1), "last_on": date(2026, 2, 1)},
        {"first_on": date(2026, 1, 1), "last_on": date(2026, 2, 1), "messages_per_day": -1},
        {"first_on": date(2026, 1, 1), "last_on": date(2026, 2, 1), "private_share": 1.5},
    ],
)
def test_a_history_that_cannot_be_told_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="a demo history"):
        HistorySpec(**wrong)  # type: ignore[arg-type] # mixed options
