"""``retention plan``: look at plans and approve them."""

from __future__ import annotations

import os
import pwd
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting
from retention.errors import Exit, UsageError

if TYPE_CHECKING:
    from datetime import datetime

_NOBODY = 2**32 - 1
_FIRST_PERSON = 1000
"""Below are accounts of the system, which several people may act as."""


@click.group()
def plan() -> None:
    """List and show plans, and approve them.

    Where [purge] approvals asks for it, nothing is disposed of before one or two people have approved the plan.
    """


@plan.command("list", epilog=exits(example="retention plan list"))
@common
@reporting
def list_(config: Path | None, now: datetime | None, verbose: bool, form: str) -> None:
    """List the newest plans that dispose of something, and how each stands."""
    from retention.acts.approving import list_plans
    from retention.report import plans

    with opened(config, now, verbose=verbose) as (context, present):
        found = list_plans(context, present)
        if form == "json":
            put_json(context, {"plans": [plans.standing_as_json(one) for one in found]})
            return
        put_drill(context)
        click.echo("\n".join(line for one in found for line in plans.standing_as_text(one)) or "No plans.")


@plan.command(epilog=exits(example="retention plan show 5f1c8a90d2b4"))
@common
@reporting
@click.argument("digest", metavar="DIGEST")
def show(config: Path | None, now: datetime | None, verbose: bool, form: str, digest: str) -> None:
    """Show what the plan DIGEST would dispose of, who approved it, and what a safety belt says."""
    from retention import cycle
    from retention.acts.approving import show_plan
    from retention.report import plans

    with opened(config, now, verbose=verbose) as (context, present):
        found = show_plan(context, digest, present)
        objections = cycle.objections(context, found.plan, present)
        if form == "json":
            put_json(context, {**plans.shown_as_json(found), "objections": objections})
            return
        put_drill(context)
        asked = [f"A safety belt asks for a person's reason: {objection}" for objection in objections]
        click.echo("\n".join([*plans.shown_as_text(found), *asked]))


@plan.command(
    epilog=exits(
        Exit.BELT_CLOSED,
        Exit.LOG_NOT_VERIFIED,
        example="retention plan approve 5f1c8a90d2b4 --reason 'counts compared with last week'",
    )
)
@common
@reporting
@click.option("--reason", metavar="TEXT", help="Why; kept beside the log, which carries a commitment to it.")
@click.option("--by", metavar="NAME", help="In a drill only: act as this person.")
@click.argument("digest", metavar="DIGEST")
def approve(
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    form: str,
    reason: str | None,
    by: str | None,
    digest: str,
) -> None:
    """Approve the plan DIGEST, as the person who is logged in.

    The approval is an entry of the audit log; it holds until the plan is carried out, or the schedule or a hold
    changes. It passes no safety belt.
    """
    from retention.acts.approving import approve_plan
    from retention.report import plans

    with opened(config, now, verbose=verbose) as (context, present):
        if by is not None and not context.installation.drill:
            msg = "--by is for drills only; a plan is approved by the person who is logged in"
            raise UsageError(msg)
        found = approve_plan(context, digest, by=by or logged_in(), reason=reason, now=present)
        if form == "json":
            put_json(context, {"standing": plans.standing_as_json(found)})
            return
        put_drill(context)
        click.echo("\n".join(plans.standing_as_text(found)))


def logged_in(login: Path = Path("/proc/self/loginuid")) -> str:
    """Name the person who is logged in, also behind sudo and su, as far as the system says who that is.

    The kernel keeps who logged in, and only root can change that. Where it does not say so, an account of the system
    is believed what sudo tells of its caller, and a person's own account stands for itself.
    """
    with suppress(OSError, ValueError):
        number = int(login.read_text(encoding="ascii"))
        if number != _NOBODY:
            return _name(number)
    own = os.getuid()
    if own < _FIRST_PERSON and os.environ.get("SUDO_UID", "").isdecimal():
        return _name(int(os.environ["SUDO_UID"]))
    return _name(own)


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except (KeyError, OverflowError):
        return f"user {number}"
