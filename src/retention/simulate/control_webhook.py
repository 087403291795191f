"""``/simulator/webhook``, ``/simulator/deliveries``: where Inbox events go, send some, see what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.simulate.announcing import send
from retention.simulate.answers import Reply, invalid
from retention.simulate.call import Route
from retention.simulate.control import asked_fields
from retention.simulate.events import DELEGATED, RECEIVED, STARTED, TYPES
from retention.simulate.hook import Hook
from retention.simulate.read import text, texts

if TYPE_CHECKING:
    from retention.simulate.call import Call

_TAMPERED = ("", "signature", "timestamp", "duplicate")


def hook_set(call: Call) -> Reply:
    """Say where Inbox events go and how they prove where they come from."""
    allow_remote = call.world.options.allow_remote
    hook = Hook.read(asked_fields(call), secret=call.world.webhook_secret, allow_remote=allow_remote)
    call.world.listen(hook)
    return Reply({"url": hook.url, "auth": hook.proof, "secret": hook.secret})


def hook_removed(call: Call) -> Reply:
    """Send no more Inbox events."""
    call.world.listen(None)
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
            send(call.world, kind, message, keys[-1], tamper)
    return Reply({"keys": keys, "known_types": TYPES})


def deliveries(call: Call) -> Reply:
    """Tell every webhook call, oldest first."""
    return Reply({"deliveries": call.world.deliveries.told()})


ROUTES = (
    Route("PUT", "/simulator/webhook", hook_set),
    Route("DELETE", "/simulator/webhook", hook_removed),
    Route("POST", "/simulator/webhook/deliver", delivered),
    Route("GET", "/simulator/deliveries", deliveries),
)
