"""``/simulator``: look at the world and change it as nobody can at Hootsuite. Needs no token."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retention.simulate.answers import Fields, Reply, invalid
from retention.simulate.call import Route
from retention.simulate.clock import zulu
from retention.simulate.directory import ORGANIZATION
from retention.simulate.faults import KINDS
from retention.simulate.outbound import STATES
from retention.simulate.read import bounded, flag, instant, integer, number, text, texts

if TYPE_CHECKING:
    from datetime import datetime

    from retention.simulate.call import Call
    from retention.simulate.world import Options, World


_MOST_MESSAGES, _MOST_PER_DAY, _MOST_DAYS = 10**8, 10**4, 3650


def credentials(world: World, base: str) -> Fields:
    """Tell where the simulator is and what a client needs to use it."""
    client, secret = world.client
    return {
        "url": base,
        "client_id": client,
        "client_secret": secret,
        "member_id": world.directory.owner,
        "organization_id": ORGANIZATION,
        "webhook_secret": world.webhook_secret,
        "control": f"{base}/simulator",
    }


def asked_fields(call: Call) -> Fields:
    """Read the body; none is an empty one."""
    return call.fields() if call.content.strip() else {}


def described(call: Call) -> Reply:
    """Tell where everything is."""
    return Reply({**credentials(call.world, call.base), "faults": KINDS})


def state(call: Call) -> Reply:
    """Tell how the world stands."""
    world = call.world
    private = public = 0
    for message in world.desk.inbox.seen(call.now):
        private += message.visibility == "private"
        public += message.visibility == "public"
    return Reply(
        {
            "seed": world.options.seed,
            "now": zulu(call.now),
            "frozen": world.clock.frozen,
            "outbound": len(world.outbox),
            "inbox": {"private": private, "public": public, "deleted": world.desk.inbox.deleted},
            "settings": _settings(world),
            "webhook": world.hook.url if world.hook else None,
            "schedule": world.schedule.told() if world.schedule else None,
            "exports": world.dropped,
        }
    )


def options_from(call: Call) -> Options:
    """Read how a new world begins; what is not named is as it was."""
    asked, before = asked_fields(call), call.world.options
    return replace(
        before,
        seed=integer(asked, "seed", before.seed),
        messages=bounded(asked, "messages", before.messages, _MOST_MESSAGES),
        per_day=bounded(asked, "per_day", before.per_day, _MOST_PER_DAY),
        days_before=bounded(asked, "days_before", before.days_before, _MOST_DAYS),
        days_after=bounded(asked, "days_after", before.days_after, _MOST_DAYS),
        now=instant(text(asked, "now"), "now") if "now" in asked else before.now,
        frozen=flag(asked, "frozen", default=before.frozen),
    )


def clock_set(call: Call) -> Reply:
    """Set the clock, move it, stop it or let it go on."""
    asked, world = asked_fields(call), call.world
    now: datetime | None = instant(text(asked, "now"), "now") if "now" in asked else None
    world.move(number(asked, "advance_seconds", 0.0), now, frozen=flag(asked, "frozen", default=world.clock.frozen))
    return Reply({"now": zulu(world.clock.now()), "frozen": world.clock.frozen})


def settings_set(call: Call) -> Reply:
    """Change limits and what can be deleted."""
    asked, world = asked_fields(call), call.world
    limits = world.limits
    limits.per_second = integer(asked, "requests_per_second", limits.per_second)
    limits.per_day = integer(asked, "requests_per_day", limits.per_day)
    limits.by_clock = flag(asked, "rate_by_clock", default=limits.by_clock)
    world.media.processing_seconds = number(asked, "media_processing_seconds", world.media.processing_seconds)
    if "deletable_states" in asked:
        states = texts(asked, "deletable_states")
        if not set(states) <= set(STATES):
            msg = f"deletable_states are of {', '.join(STATES)}"
            raise invalid(msg)
        world.deletable = set(states)
    return Reply(_settings(world))


def tokens_expired(call: Call) -> Reply:
    """End the life of every access token."""
    call.world.tokens.expire()
    return Reply({})


def faults_told(call: Call) -> Reply:
    """Tell the orders to fail."""
    return Reply({"faults": call.world.faults.told()})


def fault_ordered(call: Call) -> Reply:
    """Take an order to fail."""
    return Reply(call.world.faults.order(asked_fields(call)).told())


def faults_cleared(call: Call) -> Reply:
    """Withdraw every order to fail."""
    call.world.faults.clear()
    return Reply({})


def counters(call: Call) -> Reply:
    """Tell what was asked since the beginning."""
    return Reply(call.world.seen.told())


def _settings(world: World) -> Fields:
    return {
        "requests_per_second": world.limits.per_second,
        "requests_per_day": world.limits.per_day,
        "rate_by_clock": world.limits.by_clock,
        "media_processing_seconds": world.media.processing_seconds,
        "deletable_states": sorted(world.deletable),
    }


ROUTES = (
    Route("GET", "/simulator", described),
    Route("GET", "/simulator/state", state),
    Route("POST", "/simulator/clock", clock_set),
    Route("POST", "/simulator/settings", settings_set),
    Route("POST", "/simulator/tokens/expire", tokens_expired),
    Route("GET", "/simulator/faults", faults_told),
    Route("POST", "/simulator/faults", fault_ordered),
    Route("DELETE", "/simulator/faults", faults_cleared),
    Route("GET", "/simulator/counters", counters),
)
