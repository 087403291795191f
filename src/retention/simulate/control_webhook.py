"""``/simulator/webhook``, ``/simulator/deliveries``: where Inbox events go, send some, see what became of them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from retention.simulate.answers import Reply, invalid
from retention.simulate.call import Route
from retention.simulate.control import asked_fields
from retention.simulate.events import DELEGATED, RECEIVED, STARTED, TYPES
from retention.simulate.hook import Hook
from retention.simulate.read import text, texts
from retention.simulate.virtual_agent import sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.demo.exports import DemoMessage
    from retention.simulate.call import Call
    from retention.simulate.outgoing import Heard
    from retention.simulate.world import World

_TAMPERED = ("", "signature", "timestamp", "duplicate")


def hook_set(call: Call) -> Reply:
    """Say where Inbox events go and how they prove where they come from."""
    allow_remote = call.world.options.allow_remote
    call.world.hook = Hook.read(asked_fields(call), secret=call.world.webhook_secret, allow_remote=allow_remote)
    return Reply({"url": call.world.hook.url, "auth": call.world.hook.proof, "secret": call.world.hook.secret})


def hook_removed(call: Call) -> Reply:
    """Send no more Inbox events."""
    call.world.hook = None
    return Reply({})


def delivered(call: Call) -> Reply:
    """Send an event about each message that is named; tampered with in a way, if that is asked for."""
    asked = asked_fields(call)
    kind, tamper = text(asked, "type", RECEIVED), text(asked, "tamper", "")
    if tamper not in _TAMPERED:
        msg = f"tamper is one of {', '.join(_TAMPERED[1:])}"
        raise invalid(msg)
    if call.world.hook is None:
        msg = "there is no webhook; PUT /simulator/webhook first"
        raise invalid(msg)
    found = call.world.desk.inbox.find(texts(asked, "message_ids"), call.now)
    if not found:
        msg = "message_ids names no message that there is"
        raise invalid(msg)
    keys = []
    for message in found:
        if kind in {STARTED, DELEGATED}:
            call.world.desk.assign(message.conversation_id)
        keys.append(text(asked, "key", "") or call.world.names.uuid())
        for _ in range(2 if tamper == "duplicate" else 1):
            _send(call.world, kind, message, keys[-1], tamper)
    return Reply({"keys": keys, "known_types": TYPES})


def deliveries(call: Call) -> Reply:
    """Tell every webhook call, oldest first."""
    return Reply({"deliveries": call.world.deliveries.told()})


def announce(call: Call, message: DemoMessage, *, starts: bool) -> None:
    """Tell the webhook about a message that came in, and about the conversation where it is a new one."""
    world = call.world
    if world.hook is None:
        return
    if starts:
        world.desk.assign(message.conversation_id)
    for kind in (STARTED, RECEIVED) if starts else (RECEIVED,):
        _send(world, kind, message, world.names.uuid())


def _send(world: World, kind: str, message: DemoMessage, key: str, tamper: str = "") -> None:
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


ROUTES = (
    Route("PUT", "/simulator/webhook", hook_set),
    Route("DELETE", "/simulator/webhook", hook_removed),
    Route("POST", "/simulator/webhook/deliver", delivered),
    Route("GET", "/simulator/deliveries", deliveries),
)
