"""Tell the customer's webhook what happens in the Inbox, and do what it answers."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from retention.simulate.events import RECEIVED, STARTED
from retention.simulate.virtual_agent import sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.demo.exports import DemoMessage
    from retention.simulate.outgoing import Heard
    from retention.simulate.world import World


def announce(world: World, message: DemoMessage) -> None:
    """Tell the webhook about a private message that came in, and first about its conversation where that is new."""
    if message.direction != "inbound" or message.visibility != "private":
        return
    if world.desk.begin(message.conversation_id):
        send(world, STARTED, message, world.names.uuid())
    send(world, RECEIVED, message, world.names.uuid())


def send(world: World, kind: str, message: DemoMessage, key: str, tamper: str = "") -> None:
    """Send one event, if there is somebody to send it to."""
    if (hook := world.hook) is not None:
        world.deliveries.inbox_event(hook, kind, message, key, tamper=tamper, heard=_heard(world, message))


def _heard(world: World, message: DemoMessage) -> Callable[[Heard], None]:
    """Do what the receiver answers; where it failed for good, people take the conversation over."""

    def heard(answer: Heard) -> None:
        with world.lock:
            if answer.status != HTTPStatus.OK:
                world.desk.complete(message.conversation_id)
                return
            asked = _read(answer.body)
            ids = [world.names.uuid() for _ in sent(asked)]
            world.desk.carry_out(message, asked, ids, world.clock.now())

    return heard


def _read(body: bytes) -> dict[str, object]:
    try:
        told = json.loads(body or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
