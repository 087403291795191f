"""``/inbox``: agents, virtual agent, proactive messages, contact attributes; nothing lists or deletes a message."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from retention.simulate.answers import AnsweredError, Fields, RefusedError, Reply, invalid, missing
from retention.simulate.api_metrics import presences
from retention.simulate.call import Route
from retention.simulate.clock import moment, zulu
from retention.simulate.media import MOST_BYTES
from retention.simulate.metrics import waiting
from retention.simulate.read import flag, text
from retention.simulate.virtual_agent import Proactive, sent

if TYPE_CHECKING:
    from retention.demo.exports import DemoMessage
    from retention.simulate.call import Call

_FILENAME = re.compile(r"[A-Za-z0-9_.-]+")
_ALIAS = re.compile(r"[a-zA-Z0-9_]+")
_COMPLETIONS = ("HANDOVER", "RESOLVED")
_TYPING = ("START", "STOP")
STATUSES = ("PROCESSING", "FAILED", "SENT", "DELIVERED", "DELIVERING_FAILED")
_CHANNEL = "northfold-whatsapp"
_HOUR_MS = 3_600_000


def online_agents(call: Call) -> Reply:
    """List the agents who have logged in."""
    since = zulu(call.now // _HOUR_MS * _HOUR_MS)
    return Reply(
        {
            "agents": [
                {"id": agent, "userPresence": presence, "statusChangedAt": since}
                | ({"awayStateId": "lunch"} if presence == "AWAY" else {})
                for agent, presence in presences()
            ]
        }
    )


def locks(call: Call) -> Reply:
    """List the conversations that an agent has open: the first ones that wait."""
    now = moment(call.now)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    found = waiting(call.world.desk.inbox.between(day, now))[: len(presences())]
    return Reply(
        {
            "locks": [
                {"conversationId": message.conversation_id, "userId": agent, "lockedAt": zulu(call.now)}
                for message, (agent, _) in zip(found, presences(), strict=False)
            ]
        }
    )


def manipulated(call: Call, conversation: str) -> Reply:
    """Do to a conversation what a virtual agent asks for."""
    last = _conversation(call, conversation)
    asked = call.fields()
    check_manipulation(call, conversation, asked)
    ids = [call.world.names.uuid() for _ in sent(asked)]
    call.world.desk.carry_out(last, asked, ids, call.now)
    return Reply({})


def attached(call: Call, conversation: str, filename: str) -> Reply:
    """Take an attachment."""
    _conversation(call, conversation)
    if not _FILENAME.fullmatch(filename) or len(call.content) >= MOST_BYTES or not call.headers.get("Content-Type"):
        msg = "the file name has other characters than letters, digits, -, _ and ., or the file is too large"
        raise invalid(msg)
    call.world.desk.attach(conversation, filename)
    return Reply({})


def proactive_sent(call: Call) -> Reply:
    """Take a proactive message; it fails where its channel is not one of ours."""
    asked = call.fields()
    needed = ("channel", "contact", "text")
    problems = [f"{name}: must not be blank" for name in needed if not asked.get(name)]
    if asked.get("medium") != "WHATSAPP":
        problems.append("medium: must not be null")
    if problems or not all(isinstance(asked[name], str) for name in needed):
        raise _malformed(*problems or ["a value is not a text"])
    known = asked["channel"] in {_CHANNEL, "Northfold WhatsApp"}
    reason = "" if known else "No channel found for medium WHATSAPP"
    correlation = call.world.names.uuid()
    status = "DELIVERED" if known else "FAILED"
    call.world.desk.proactive[correlation] = Proactive(asked["contact"], status, reason)
    return Reply({"correlationId": correlation})


def proactive_overview(call: Call, correlation: str) -> Reply:
    """Tell what became of a proactive message."""
    found = _proactive(call, correlation)
    counts = {status: int(status == found.status) for status in STATUSES}
    return Reply({"correlationId": correlation, "total": "1", "statuses": counts})


def proactive_detail(call: Call, correlation: str, status: str) -> Reply:
    """Tell which proactive messages have a status."""
    found = _proactive(call, correlation)
    if status not in STATUSES:
        raise _malformed(f"status is one of {', '.join(STATUSES)}")
    told = {"status": found.status, "contact": found.contact} | ({"reason": found.reason} if found.reason else {})
    return Reply([told] if status == found.status else [])


def attributes_set(call: Call, contact: str) -> Reply:
    """Keep what is told about a contact."""
    asked = call.fields()
    flag(asked, "autoConfirm", default=False)
    told = asked.get("contactAttributes", [])
    if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
        msg = "contactAttributes is a list of objects"
        raise invalid(msg)
    if not call.world.desk.knows(contact, call.now):
        raise missing("contactProfile", contact)
    call.world.desk.attributes[contact] = {text(one, "attribute"): one.get("value") for one in told}
    return Reply({})


def check_manipulation(call: Call, conversation: str, asked: Fields) -> None:
    """Check what a virtual agent asks for."""
    for name, allowed in (("complete", _COMPLETIONS), ("indicateTyping", _TYPING)):
        if asked.get(name) is not None and asked[name] not in allowed:
            msg = f"{name} is one of {', '.join(allowed)}"
            raise invalid(msg)
    for message in sent(asked):
        name = text(message, "attachment", "")
        if not text(message, "text", "") and not name:
            msg = "a message has a text or an attachment"
            raise invalid(msg)
        if name and not call.world.desk.has(conversation, name):
            msg = "the attachment was not uploaded for this conversation"
            raise invalid(msg)
    attributes = asked.get("setContactAttributes") or {}
    if not isinstance(attributes, dict) or not all(_ALIAS.fullmatch(name) for name in attributes):
        msg = "setContactAttributes has keys of letters, digits and _"
        raise invalid(msg)


def as_inbox(refused: RefusedError) -> Reply:
    """Word a refusal of the REST API as the Inbox does."""
    return Reply({"errors": [refused.said]}, refused.status)


def _malformed(*problems: str) -> AnsweredError:
    return AnsweredError(Reply({"errors": list(problems)}, HTTPStatus.BAD_REQUEST))


def _conversation(call: Call, conversation: str) -> DemoMessage:
    last = call.world.desk.last_of(conversation, call.now)
    if last is None:
        raise missing("conversation", conversation)
    return last


def _proactive(call: Call, correlation: str) -> Proactive:
    found = call.world.desk.proactive.get(correlation)
    if found is None:
        raise _malformed("Nothing found for this correlation id")
    return found


_AGENT = "/inbox/v1/virtual-agent/conversations/<conversation>"
_PROACTIVE = "/inbox/v1/proactive-messaging"
ROUTES = (
    Route("GET", "/inbox/v1/user-presence/online-agents", online_agents),
    Route("GET", "/inbox/v1/queue/lock", locks),
    Route("POST", _AGENT, manipulated),
    Route("POST", f"{_AGENT}/attachments/<filename>", attached),
    Route("POST", _PROACTIVE, proactive_sent),
    Route("GET", f"{_PROACTIVE}/<correlation>", proactive_overview),
    Route("GET", f"{_PROACTIVE}/<correlation>/<status>", proactive_detail),
    Route("PUT", "/inbox/v2/contact/<contact>/contact-attributes", attributes_set),
)
