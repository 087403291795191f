"""Property: SQL, policy and a plain reading of an order say the same about which messages a hold covers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from retention.model import from_epoch
from retention.policy.hold import Candidate
from retention.store import holds, register
from tests.depth import tries
from tests.kit import row

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.integration.work import Work

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
FIRST, DAYS = date(2026, 8, 2), 90  # the clocks change on 25 October
CONTACTS = ("ann", "bob", "", "Ann", "ann ")
CONVERSATIONS = ("talk-1", "talk-2", "talk-3", "")
NETWORKS = ("fb", "ig", "Fußnetz")
CHANNELS = ("Office", "OFFICE desk", "Straße", "")


@dataclass(frozen=True)
class Told:
    """A message as the export told it."""

    message: str
    conversation: str
    contact: str
    network: str
    channel: str
    received: datetime


@dataclass(frozen=True)
class Asked:
    """A hold as a person asks for it; None where a kind of selector is not given."""

    selectors: dict[str, tuple[str, ...]]
    first: date | None
    last: date | None
    released: bool

    def covers(self, told: Told) -> bool:
        """Read the order plainly."""
        day = told.received.astimezone(LONDON).date()
        if self.released or (self.first and day < self.first) or (self.last and day > self.last):
            return False
        return all(
            _plain(kind, getattr(told, kind)) in {_plain(kind, value) for value in values}
            for kind, values in self.selectors.items()
        )


def _plain(kind: str, value: str) -> str:
    return value.strip().casefold() if kind in {"network", "channel"} else value.strip()


def _messages() -> list[Told]:
    rng = Random(7)  # noqa: S311 - the same messages every time
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=LONDON)
    told = []
    for n in range(240):
        day = start + timedelta(days=rng.randrange(DAYS))
        edge = rng.choice([timedelta(), timedelta(seconds=86_399), timedelta(minutes=rng.randrange(1440))])
        told.append(
            Told(
                f"m{n}",
                rng.choice(CONVERSATIONS),
                rng.choice(CONTACTS),
                rng.choice(NETWORKS),
                rng.choice(CHANNELS),
                day + edge,
            )
        )
    return told


def _selectors() -> st.SearchStrategy[dict[str, tuple[str, ...]]]:
    def some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
        return st.lists(st.sampled_from(values), min_size=1, max_size=3).map(tuple)

    return st.fixed_dictionaries(
        {},
        optional={
            "message": some(*(f"m{n}" for n in range(0, 250, 3))),
            "conversation": some("talk-1", "talk-2", "talk-9"),
            "contact": some("ann", "bob", "Ann", " ann", "nobody"),
            "network": some("FB", "ig", "FUSSNETZ", "fußnetz", "x"),
            "channel": some("office", "Office Desk", "strasse", "STRASSE", "nowhere"),
        },
    )


_DAY = st.integers(-3, DAYS + 3).map(lambda days: FIRST + timedelta(days=days))


@st.composite
def _orders(draw: st.DrawFn) -> Asked:
    days = sorted([draw(_DAY), draw(_DAY)])
    first, last = draw(st.booleans()), draw(st.booleans())
    released = draw(st.integers(0, 4)) == 4
    return Asked(draw(_selectors()), days[0] if first else None, days[1] if last else None, released)


def _covered_by_sql(connection: Connection) -> set[str]:
    sql = f"SELECT m.message_key FROM message m WHERE {holds.covered(holds.ACTIVE)}"  # noqa: S608 - the condition under test
    return {key.partition(":")[2] for (key,) in connection.execute(text(sql))}


def _covered_by_policy(connection: Connection) -> set[str]:
    active = holds.load(connection, active_only=True)
    known = register.classes(connection)
    columns = "message_key, received_at, pseudonym, conversation, contact, class_id"
    found = set()
    for key, received_at, message, conversation, contact, class_id in connection.execute(
        text(f"SELECT {columns} FROM message")  # noqa: S608 - our own columns
    ):
        of_class = known[class_id]
        candidate = Candidate(
            from_epoch(received_at), message, conversation, contact, of_class.network, of_class.channel
        )
        if any(hold.covers(candidate) for hold in active):
            found.add(key.partition(":")[2])
    return found


def _place(work: Work, order: Asked) -> None:
    number = work.hold(received_from=order.first, received_through=order.last, selectors=order.selectors)
    if order.released:
        work.release(number)


def test_sql_policy_and_plain_reading_agree_on_what_a_hold_covers(work: Work) -> None:
    work.now = NOW
    messages = _messages()
    result = work.take(
        [
            row(
                told.message,
                told.received.isoformat(),
                contact=told.contact,
                conversation=told.conversation,
                network=told.network,
                channel=told.channel,
            )
            for told in messages
        ]
    )
    # What is due on arrival is not registered and so not there to be covered.
    registered = set(work.ids())
    assert len(registered) == result.progress.registered > 200
    known = [told for told in messages if told.message in registered]

    @settings(max_examples=tries(40), suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(_orders(), min_size=1, max_size=3))
    def check(asked: list[Asked]) -> None:
        plainly = {told.message for told in known if any(order.covers(told) for order in asked)}
        try:
            for order in asked:
                _place(work, order)
            with work.context.database.read() as connection:
                assert _covered_by_sql(connection) == plainly
                assert _covered_by_policy(connection) == plainly
        finally:
            work.tell("DELETE FROM hold_selector")
            work.tell("DELETE FROM hold")

    check()
