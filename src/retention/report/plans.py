"""How plans and their approvals are told: as JSON of a stable shape, and as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention.model import from_epoch, iso
from retention.policy.words import say_count
from retention.report.work import plan_as_json, plan_as_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retention.report.approvals import Standing

_WORDS = {"used": "used", "expired": "EXPIRED", "approved": "approved", "waiting": "waits for approval"}


def refusal(found: Standing, lost: Iterable[Standing]) -> list[str]:
    """Say that a plan waits for people, and how they approve it; ``lost`` are those that were approved and expired."""
    return [
        f"the plan waits for approval: it has that of {found.people} of {say_people(found.needed)}",
        f"It disposes of {found.plan.due} of {say_count(found.plan.total, 'message')}. Nothing was deleted.",
        *(f"Plan {one.plan.digest[:15]} was approved and has expired, because {one.expired}." for one in lost),
        f"Look at it with: retention plan show {found.plan.digest}",
        f"Approve it with: retention plan approve {found.plan.digest}",
    ]


def say_people(count: int) -> str:
    """Say how many people."""
    return "1 person" if count == 1 else f"{count} people"


def standing_as_json(found: Standing) -> dict[str, Any]:
    """Give how a plan stands, beside the plan as ``purge --format json`` gives it."""
    return {
        "digest": found.plan.digest,
        "made_at": iso(from_epoch(found.plan.now)),
        "due": found.plan.due,
        "state": found.state,
        "expired": found.expired,
        "run": found.used_by,
        "needed": found.needed,
        "people": found.people,
        "approvals": [one._asdict() for one in found.approvals],
    }


def shown_as_json(found: Standing) -> dict[str, Any]:
    """Give one plan whole."""
    return {"plan": plan_as_json(found.plan), "standing": standing_as_json(found)}


def standing_as_text(found: Standing) -> list[str]:
    """Give one plan in a few lines."""
    word = _WORDS[found.state] + (f", because {found.expired}" if found.state == "expired" else "")
    if found.state == "approved" and not found.needed:
        word = "needs no approval"
    if found.used_by is not None:
        word += f" by run {found.used_by}"
    people = f", approved by {found.people} of {say_people(found.needed)}" if found.needed else ""
    lines = [
        f"{found.plan.digest}",
        f"  made {iso(from_epoch(found.plan.now))}: {say_count(found.plan.due, 'message')} due; {word}{people}",
    ]
    for one in found.approvals:
        reason = f": {one.reason}" if one.reason else ""
        lines.append(f"  {one.at} {one.by or 'a name that was erased, which counts no more'}{reason}")
    return lines


def shown_as_text(found: Standing) -> list[str]:
    """Give one plan whole, and what to do with it."""
    lines = [*plan_as_text(found.plan), *standing_as_text(found)[1:]]
    if found.needed and found.state == "waiting":
        lines.append(f"Approve it with: retention plan approve {found.plan.digest}")
    if found.state == "approved":
        lines.append(f"Carry it out with: retention purge --plan {found.plan.digest}")
    return lines
