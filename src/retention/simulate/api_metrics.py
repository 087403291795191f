"""``/inbox/v1/…/metrics``: the real-time figures of the Inbox."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from retention.demo.people import DESK
from retention.simulate import metrics
from retention.simulate.answers import Fields, Reply, invalid
from retention.simulate.call import Route
from retention.simulate.clock import milliseconds, moment, zulu
from retention.simulate.exports import checked_zone
from retention.simulate.intervals import INTERVALS, intervals
from retention.simulate.read import instant, text, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from retention.demo.exports import DemoMessage
    from retention.simulate.call import Call

_FURTHEST = timedelta(days=14)
MEDIUMS = ("fb", "twit", "instagram", "rtm", "whatsapp", "linkedin")
PRESENCES = ("AVAILABLE", "AWAY")
_HANDLE_TIMES = ("HANDLE_TIME", "NO_REPLY_TIME", "CHERRY_PICKING")
_LOOK_BACK = timedelta(days=14)


def _reported(call: Call, *, measure: metrics.Measure, by_team: bool, in_time: bool) -> Reply:
    """Answer with one number, a number a team, or a number an interval."""
    asked = call.fields()
    start, end = _times(call, asked)
    found = _wanted(asked).among(call.world.desk.inbox.between(start, end))
    interval = _one_of(asked, "groupByInterval", INTERVALS) if in_time else ""
    group = _one_of(asked, "groupBy", ("TEAM",)) if by_team else ""
    for name in ("teamIds", "userIds"):
        texts(asked, name)
    if not set(texts(asked, "handleTimeTypes")) <= set(_HANDLE_TIMES):
        msg = f"handleTimeTypes are of {', '.join(_HANDLE_TIMES)}"
        raise invalid(msg)
    if interval:
        zone = checked_zone(text(asked, "timezone", "UTC"))
        return _series(found, intervals(start, end, interval, zone), measure)
    if group:
        return Reply({"value": metrics.grouped(found, metrics.team_of, measure)})
    return Reply({"value": measure(found)})


def availability(call: Call) -> Reply:
    """Count the agents who are there, or away."""
    asked = call.fields()
    texts(asked, "teamIds")
    wanted = _one_of(asked, "userPresenceStatus", PRESENCES)
    present = [presence for _, presence in presences()]
    return Reply({"value": present.count(wanted) if wanted else len(present)})


def _queued(call: Call, *, longest: bool) -> Reply:
    """Tell how many contacts wait, or for how many seconds the first of them has waited."""
    asked = call.fields()
    if _one_of(asked, "status", ("NEW", "PENDING")) == "":
        msg = "status is required"
        raise invalid(msg)
    now = moment(call.now)
    medium = _one_of(asked, "mediumId", MEDIUMS)
    wanted = metrics.Wanted(frozenset({medium} if medium else ()), frozenset(texts(asked, "channelIds")))
    waiting = metrics.waiting(wanted.among(call.world.desk.inbox.between(now - _LOOK_BACK, now)))
    measure: metrics.Measure = partial(metrics.longest_wait, now=now) if longest else len
    group = _one_of(asked, "groupBy", tuple(_GROUPS))
    return Reply({"value": metrics.grouped(waiting, _GROUPS[group], measure) if group else measure(waiting)})


def presences() -> list[tuple[str, str]]:
    """Tell who of the agents is there: all but every third."""
    return [(agent.agent_id, PRESENCES[(n + 1) % 3 == 0]) for n, agent in enumerate(DESK)]


def _series(found: list[DemoMessage], cut: Iterable[tuple[datetime, datetime]], measure: metrics.Measure) -> Reply:
    # By the published examples; the published schema of this answer does not fit them.
    points = [
        {
            "timestamp": f"{moment(milliseconds(start)):%Y-%m-%dT%H:%M:%S}.000Z",
            "value": measure([message for message in found if start <= message.received_at < end]),
        }
        for start, end in cut
    ]
    return Reply({"value": points})


def _times(call: Call, asked: Fields) -> tuple[datetime, datetime]:
    now = moment(call.now)
    start = instant(text(asked, "from"), "from")
    end = instant(text(asked, "to", zulu(call.now)), "to")
    if start < now - _FURTHEST:
        msg = f"from is more than {_FURTHEST.days} days in the past"
        raise invalid(msg)
    return start, max(start, min(end, now))


def _wanted(asked: Fields) -> metrics.Wanted:
    mediums = texts(asked, "mediumIds")
    if not set(mediums) <= set(MEDIUMS):
        msg = f"mediumIds are of {', '.join(MEDIUMS)}"
        raise invalid(msg)
    return metrics.Wanted(frozenset(mediums), frozenset(texts(asked, "channelIds")))


def _one_of(asked: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = text(asked, name, "")
    if value and value not in allowed:
        msg = f"{name} is one of {', '.join(allowed)}"
        raise invalid(msg)
    return value


_GROUPS: dict[str, Callable[[DemoMessage], str]] = {
    "CHANNEL": lambda message: message.channel,
    "OWNER": lambda message: message.agent_id or "nobody",
    "TOPIC": lambda message: message.tags.partition(",")[0],
    "TEAM": metrics.team_of,
}
_REPORTING = "/inbox/v1/reporting/metrics"
_QUEUE = "/inbox/v1/queue/metrics"


def _report(name: str, measure: metrics.Measure, *, by_team: bool = False, in_time: bool = False) -> Route:
    answer = partial(_reported, measure=measure, by_team=by_team, in_time=in_time)
    return Route("POST", f"{_REPORTING}/{name}", answer)


ROUTES = (
    _report("inbound-message-volume", metrics.inbound, in_time=True),
    _report("outbound-message-volume", metrics.outbound, in_time=True),
    _report("first-response-time", metrics.first_response, by_team=True, in_time=True),
    _report("conversation-response-time", metrics.response, by_team=True, in_time=True),
    _report("resolved-with-one-reply", metrics.resolved_with_one_reply, by_team=True),
    _report("handle-time", metrics.handle_time),
    Route("POST", "/inbox/v1/user-presence/metrics/agent-availability", availability),
    Route("POST", f"{_QUEUE}/contacts-waiting", partial(_queued, longest=False)),
    Route("POST", f"{_QUEUE}/longest-wait-time", partial(_queued, longest=True)),
)
