"""``/simulator/inbox`` and ``outbound``: put messages in, look at private ones, delete them as a person would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.demo.exports import DemoMessage
from retention.demo.networks import PRIVATE_TRAFFIC, PUBLIC_TRAFFIC
from retention.demo.story import THEMES
from retention.simulate.announcing import announce
from retention.simulate.answers import Fields, Reply, invalid
from retention.simulate.call import Route
from retention.simulate.clock import milliseconds, moment
from retention.simulate.control import asked_fields
from retention.simulate.derive import mixed
from retention.simulate.outbound import SCHEDULED, Outbound
from retention.simulate.outbox import decided
from retention.simulate.read import decimal, flag, instant, integer, text, texts

if TYPE_CHECKING:
    from retention.simulate.call import Call

_MOST = 100_000
_FIRST_CONTACT = 3 * 10**9
_EVERYWHERE = {"private": PRIVATE_TRAFFIC, "public": PUBLIC_TRAFFIC}
_DIRECTIONS = ("inbound", "outbound")


def inbox_listed(call: Call) -> Reply:
    """List messages of the Inbox, which no published call does."""
    start = instant(call.one("from") or "1970-01-01T00:00:00Z", "from")
    end = min(instant(call.one("to") or "2200-01-01T00:00:00Z", "to"), moment(call.now + 1))
    limit = decimal(call.one("limit") or "100", "limit")
    visibility, direction = call.one("visibility"), call.one("direction")
    found: list[Fields] = []
    for message in call.world.desk.inbox.between(start, end):
        if len(found) == limit:
            break
        if visibility in {None, message.visibility} and direction in {None, message.direction}:
            found.append(_told(message))
    return Reply({"messages": found})


def inbox_added(call: Call) -> Reply:
    """Add messages of the Inbox; inbound private ones are told to the webhook, if there is one."""
    asked = asked_fields(call)
    count = _count(asked)
    visibility, direction = text(asked, "visibility", "private"), text(asked, "direction", "inbound")
    if visibility not in _EVERYWHERE or direction not in _DIRECTIONS:
        msg = "visibility is private or public, direction is inbound or outbound"
        raise invalid(msg)
    deliver = flag(asked, "deliver", default=True)
    added = [_invented(call, asked, visibility, direction) for _ in range(count)]
    for message in added:
        call.world.desk.inbox.add(message)
        if deliver:
            announce(call.world, message)
    return Reply({"messages": [_told(message) for message in added]})


def inbox_deleted(call: Call) -> Reply:
    """Delete messages of the Inbox as a person in the dashboard would: by id, by conversation, or all before a time."""
    asked = asked_fields(call)
    ids = set(texts(asked, "message_ids"))
    conversation = text(asked, "conversation_id", "")
    before = instant(text(asked, "before"), "before") if "before" in asked else moment(0)
    visibility = text(asked, "visibility", "private")
    if not (ids or conversation or "before" in asked):
        msg = "name message_ids, a conversation_id or a time before which everything goes"
        raise invalid(msg)
    gone = [
        message.message_id
        for message in call.world.desk.inbox.seen(call.now)
        if message.message_id in ids
        or (conversation and message.conversation_id == conversation)
        or (message.received_at < before and message.visibility == visibility)
    ]
    call.world.desk.inbox.delete(gone)
    return Reply({"deleted": len(gone), "not_found": len(ids.difference(gone))})


def outbound_added(call: Call) -> Reply:
    """Add outbound messages that were or will be sent at a time, each a second after the one before."""
    asked, world = asked_fields(call), call.world
    count = _count(asked)
    first_ms = milliseconds(instant(text(asked, "at"), "at")) if "at" in asked else call.now
    before, after = _states(asked)
    profiles = world.directory.publishing()
    numbers = []
    for n in range(count):
        number = world.outbox.new_number()
        answers = THEMES[number % len(THEMES)].answers
        at_ms = first_ms + 1000 * n
        world.outbox.add(
            Outbound(
                number=number,
                at_ms=at_ms,
                profile=profiles[n % len(profiles)],
                before=before,
                after=after,
                text=answers[n % len(answers)],
                author=world.directory.owner,
                created_ms=min(at_ms, call.now),
                sequence=1,
            )
        )
        numbers.append(str(number))
    return Reply({"ids": numbers})


def _told(message: DemoMessage) -> Fields:
    """Tell a message by the names of its columns."""
    return {**message._asdict(), "received_at": f"{message.received_at:%Y-%m-%dT%H:%M:%S}Z"}


def _states(asked: Fields) -> tuple[str, str]:
    try:
        return decided(text(asked, "state", SCHEDULED))
    except KeyError as error:
        msg = "state is SCHEDULED, PENDING_APPROVAL, REJECTED or SEND_FAILED_PERMANENTLY"
        raise invalid(msg) from error


def _count(asked: Fields) -> int:
    count = integer(asked, "count", 1)
    if count > _MOST:
        msg = f"count is at most {_MOST}"
        raise invalid(msg)
    return count


def _invented(call: Call, asked: Fields, visibility: str, direction: str) -> DemoMessage:
    world = call.world
    message_id = text(asked, "message_id", "") or world.names.uuid()
    bits = mixed(world.options.seed, _number_of(message_id))
    place = _EVERYWHERE[visibility][bits % len(_EVERYWHERE[visibility])]
    theme = THEMES[(bits >> 8) % len(THEMES)]
    said = theme.questions[(bits >> 16) % len(theme.questions)]
    contact = text(asked, "contact_profile_id", str(_FIRST_CONTACT + bits % 10**6))
    at = instant(text(asked, "received_at"), "received_at") if "received_at" in asked else moment(call.now)
    office = direction == "outbound"
    return DemoMessage(
        message_id=message_id,
        conversation_id=text(asked, "conversation_id", "") or world.names.uuid(),
        medium=place.network.medium,
        channel=place.channel.name,
        channel_display_name=place.channel.channel_display_name,
        contact_profile_id=contact,
        contact_primary=text(asked, "contact_primary", f"simulated_{contact}"),
        contact_secondary="Invented Person",
        received_at=at.replace(microsecond=0),
        direction=direction,
        message_type=place.message_type,
        content=text(asked, "content", theme.answers[0] if office else said.text),
        sentiment="" if office else said.sentiment,
        post_url="" if visibility == "private" else place.network.post_url(place.channel.name, "7000000000"),
        agent_id="900117" if office else "",
        agent_name="Perpetua Desk" if office else "",
        tags=theme.tags,
        case="",
        visibility="private" if visibility == "private" else "public",
    )


def _number_of(identifier: str) -> int:
    """Give a number that follows from an identifier, in every process the same."""
    return int.from_bytes(identifier.encode()[-16:], "big")


ROUTES = (
    Route("GET", "/simulator/inbox/messages", inbox_listed),
    Route("POST", "/simulator/inbox/messages", inbox_added),
    Route("POST", "/simulator/inbox/delete", inbox_deleted),
    Route("POST", "/simulator/outbound", outbound_added),
)
