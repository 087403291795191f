"""Events that an installation takes in this process, and what becomes of them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from retention import cycle
from retention.service.door import Door
from retention.service.event import Outcome
from retention.service.receive import Receiver
from tests.integration.work import QUIET, SUMMER, Work
from tests.receiver import NAME, SECRET, event, hooked, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit import Office

DOOR = Door(NAME, bytes.fromhex(SECRET))
DUE = datetime.fromisoformat("2026-11-11T12:00:00+00:00")
"""What came on 10 August is due from this day."""


def at_work(office: Office) -> Iterator[Work]:
    """Give an office with a webhook; its log must verify afterwards."""
    work = Work(hooked(office))
    yield work
    found = work.verify()
    work.context.database.close()
    assert found.ok, found.problems


@contextmanager
def taking(work: Work, now: datetime = SUMMER) -> Iterator[Receiver]:
    receiver = Receiver(work.context, lambda: now)
    try:
        yield receiver
    finally:
        receiver.close()


def take(receiver: Receiver, told: dict[str, Any]) -> Outcome:
    body = json.dumps(told).encode()
    return receiver.take(DOOR, body, sign(body), "")


def took(work: Work, *message_ids: str, at: datetime = SUMMER) -> None:
    """Take one event about each message."""
    with taking(work, at) as receiver:
        assert [take(receiver, event(one, at=at)) for one in message_ids] == [Outcome.KEPT] * len(message_ids)


def register(work: Work, now: datetime = SUMMER) -> dict[str, int]:
    """Register what waits, and give the counts of the one import."""
    [result] = cycle.register_events(work.context, now, QUIET)
    return result.progress.counts()


def waiting(work: Work) -> int:
    return int(work.ask("SELECT count(*) FROM webhook_event")[0][0])


def reconfigure(work: Work, *changes: tuple[str, str]) -> None:
    """Change the configuration as it stands, its webhook included, and open the installation anew."""
    text = work.office.config.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    work.context.database.close()
    work.office.config.write_text(text, encoding="utf-8")
    work.context = work.office.open()
