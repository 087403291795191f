"""``/v1/messages``: list, read, schedule, delete and review outbound messages."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from retention.simulate.answers import Code, Fields, RefusedError, Reply, enveloped, error_object, invalid, missing
from retention.simulate.call import Route
from retention.simulate.clock import milliseconds
from retention.simulate.cursor import cursors, read_cursor
from retention.simulate.outbound import PENDING, REJECTED, SCHEDULED, STATES, Action, Outbound
from retention.simulate.outbox import Asked, decided
from retention.simulate.outgoing import checked_url
from retention.simulate.read import decimal, instant, integer, text, texts, zulu_ms

if TYPE_CHECKING:
    from retention.simulate.call import Call
    from retention.simulate.directory import Profile

_LONGEST = timedelta(weeks=4)
_MOST = 100
_KEPT = ("tags", "targeting", "privacy", "location", "emailNotification", "mediaUrls", "media", "extendedInfo")
_REVIEWERS = {"EXTERNAL": "EXTERNAL_REVIEW_V1", "MEMBER": "MEMBER"}


def listed(call: Call) -> Reply:
    """List what is or was to be sent in at most four weeks, in order of time; both ends are included."""
    asked = _asked(call)
    page = call.world.outbox.page(asked, call.now)
    data = [message.published(call.now) for message in page.messages]
    return enveloped(data, metadata={"cursor": cursors(page, asked.after, asked.before)})


def shown(call: Call, message: str) -> Reply:
    """Give one message."""
    return enveloped(_found(call, message).published(call.now))


def scheduled(call: Call) -> Reply:
    """Schedule a message, one for each social profile; profiles that cannot be used are errors beside the others."""
    asked = call.fields()
    wanted = texts(asked, "socialProfileIds")
    if not wanted:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.MISSING_PROFILE)
    _check_content(call, asked)
    at_ms = _send_time(call, asked)
    profiles, errors = _usable(call, wanted)
    if not profiles:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.NOT_FOUND, resource=("socialProfile", wanted[0]))
    kinds = [profile.kind for profile in profiles]
    if kinds.count("TWITTER") > 1:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.ONE_TWITTER)
    if "PINTEREST" in kinds and len(kinds) > 1:
        msg = "Pinterest cannot be bundled with other social profiles"
        raise invalid(msg)
    made = [_made(call, profile, asked, at_ms) for profile in profiles]
    return enveloped([message.published(call.now) for message in made], errors)


def deleted(call: Call, message: str) -> Reply:
    """Delete a message, where its state allows it."""
    found = _found(call, message)
    if found.state(call.now) not in call.world.deletable:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.NOT_DELETABLE, resource=("message", message))
    call.world.outbox.delete(found)
    call.world.unwatch(found)
    return enveloped({})


def approved(call: Call, message: str) -> Reply:
    """Approve a message that waits for it."""
    return _reviewed(call, message, SCHEDULED, "APPROVE", call.fields())


def rejected(call: Call, message: str) -> Reply:
    """Reject a message that waits for approval."""
    asked = call.fields()
    text(asked, "reason")
    return _reviewed(call, message, REJECTED, "REJECT", asked)


def history(call: Call, message: str) -> Reply:
    """Tell the review of a message."""
    return enveloped({"actions": _found(call, message).history(call.now)})


def reviewer(asked: Fields, sequence: int | None) -> str:
    """Read who reviews, and check that the review is of the step that is due."""
    if integer(asked, "sequenceNumber") != sequence:
        msg = "sequenceNumber is not that of the step that waits"
        raise invalid(msg)
    kind = text(asked, "reviewerType", "EXTERNAL")
    if kind not in _REVIEWERS:
        msg = f"reviewerType is one of {', '.join(_REVIEWERS)}"
        raise invalid(msg)
    return _REVIEWERS[kind]


def _asked(call: Call) -> Asked:
    start, end = (instant(call.one(name) or "", name) for name in ("startTime", "endTime"))
    if end < start:
        msg = "endTime is before startTime"
        raise invalid(msg)
    if end - start > _LONGEST:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.RANGE_TOO_LARGE)
    state = call.one("state")
    if state is not None and state not in STATES:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.STATE_FILTER)
    limit = decimal(call.one("limit") or "50", "limit")
    if not 1 <= limit <= _MOST:
        msg = f"limit is 1 to {_MOST}"
        raise invalid(msg)
    untimed = call.one("includeUnscheduledReviewMsgs") or "false"
    if untimed not in {"true", "false"}:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.INVALID_FLAG)
    profiles = _among(
        call, [str(decimal(value, "socialProfileIds")) for value in call.query.get("socialProfileIds", ())]
    )
    after, before = read_cursor(call.one("cursor"))
    return Asked(milliseconds(start), milliseconds(end), limit, state, profiles, untimed == "true", after, before)


def _among(call: Call, wanted: list[str]) -> frozenset[str] | None:
    """Keep to the profiles that the caller may see: all of them is None, none of them is an empty set."""
    publishing = call.world.directory.publishing()
    if not wanted and all(call.sees(profile.owner_id) for profile in publishing):
        return None
    seen = {one.profile_id for one in call.world.directory.profiles.values() if call.sees(one.owner_id)}
    return frozenset(seen.intersection(wanted) if wanted else seen)


def _found(call: Call, message: str) -> Outbound:
    found = call.world.outbox.find(int(message)) if message.isascii() and message.isdigit() else None
    if found is None or not call.sees(found.profile.owner_id):
        raise missing("message", message)
    return found


def _check_content(call: Call, asked: Fields) -> None:
    if not text(asked, "text", "") and not asked.get("media") and not asked.get("mediaUrls"):
        msg = "a message has a text or media"
        raise invalid(msg)
    for url in texts(asked, "webhookUrls"):
        checked_url(url, allow_remote=call.world.options.allow_remote)
    media = asked.get("media") or []
    if not isinstance(media, list):
        msg = "media is a list"
        raise invalid(msg)
    for one in media:
        medium = call.world.media.find(text(one, "id")) if isinstance(one, dict) else None
        if medium is None:
            msg = "media names a file that is not known"
            raise invalid(msg)
        if not call.world.media.is_ready(medium):
            raise RefusedError(HTTPStatus.BAD_REQUEST, Code.MEDIA_NOT_READY, resource=("media", medium.media_id))


def _send_time(call: Call, asked: Fields) -> int | None:
    if asked.get("scheduledSendTime") is None:
        return None
    at_ms = zulu_ms(asked["scheduledSendTime"], "scheduledSendTime")
    if at_ms < call.now:
        msg = "scheduledSendTime has passed"
        raise invalid(msg)
    return at_ms


def _usable(call: Call, wanted: list[str]) -> tuple[list[Profile], list[Fields]]:
    profiles, errors = [], []
    for one in dict.fromkeys(wanted):
        try:
            profiles.append(call.profile(one))
        except RefusedError as refused:
            said = "Could not create message for social profile"
            told = RefusedError(refused.status, refused.code, said, ("socialProfile", one))
            errors.append(error_object(told, call.world.names.uuid()))
    return profiles, errors


def _made(call: Call, profile: Profile, asked: Fields, at_ms: int | None) -> Outbound:
    world, now = call.world, call.now
    waits = profile.needs_approval
    before, after = decided(PENDING if waits else SCHEDULED)
    kept = {name: asked[name] for name in _KEPT if asked.get(name) is not None}
    message = Outbound(
        number=world.outbox.new_number(),
        at_ms=now if at_ms is None else at_ms,
        profile=profile,
        before=before,
        after=after,
        text=asked.get("text") or "",
        author=call.member.member_id,
        created_ms=now,
        timed=at_ms is not None or not waits,
        sequence=1 if waits else None,
        asked={**kept, "webhookUrls": texts(asked, "webhookUrls")},
    )
    world.outbox.add(message)
    world.watch(message)
    return message


def _reviewed(call: Call, message: str, state: str, action: str, asked: Fields) -> Reply:
    found = _found(call, message)
    if found.state(call.now) != PENDING:
        msg = "the message does not wait for approval"
        raise invalid(msg)
    actor = reviewer(asked, found.sequence)
    found.before, found.after = decided(state)
    found.timed = True
    found.actions.append(Action(actor, call.member.member_id, action, call.now))
    call.world.outbox.keep(found)
    call.world.watch(found)
    return enveloped({})


ROUTES = (
    Route("GET", "/v1/messages", listed),
    Route("POST", "/v1/messages", scheduled),
    Route("GET", "/v1/messages/<message>", shown),
    Route("DELETE", "/v1/messages/<message>", deleted),
    Route("POST", "/v1/messages/<message>/approve", approved),
    Route("POST", "/v1/messages/<message>/reject", rejected),
    Route("GET", "/v1/messages/<message>/history", history),
)
