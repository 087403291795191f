"""``retention hold``: orders that suspend disposal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from retention.cli.frame import NUMBER, common, exits, opened, put_drill, put_json, reporting, this_person
from retention.errors import Exit
from retention.policy.hold import HOLD_KINDS, SELECTORS
from retention.policy.words import say_count

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.context import Context
    from retention.policy.hold import Hold

_PLACE = (
    "retention hold place --kind foi --reason 'FOI 2026/118' --owner 'Information rights team' "
    "--review-on 2027-03-01 --network fb"
)


@click.group()
def hold() -> None:
    """Place, release and list orders that suspend disposal.

    A hold counts from the very next batch of any purge.
    """


@hold.command(epilog=exits(Exit.BELT_CLOSED, Exit.LOG_NOT_VERIFIED, example=_PLACE))
@common
@click.option("--kind", type=click.Choice(HOLD_KINDS), required=True, help="Why: a request or a proceeding.")
@click.option("--reason", required=True, help="The reference or reason, for people; it is kept out of the audit log.")
@click.option(
    "--review-on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day on which it is looked at again."
)
@click.option("--owner", help="Who answers for it. [default: the user who runs this]")
@click.option("--message", multiple=True, metavar="ID", help="A message, by the source's identifier.")
@click.option("--conversation", multiple=True, metavar="ID", help="A conversation, by the source's identifier.")
@click.option("--contact", multiple=True, metavar="ID", help="A contact, by the source's identifier.")
@click.option("--network", multiple=True, help="A network, as the source calls it.")
@click.option("--channel", multiple=True, help="A channel, as the source calls it.")
@click.option("--received-from", type=click.DateTime(["%Y-%m-%d"]), help="The first day of receipt it covers.")
@click.option("--received-through", type=click.DateTime(["%Y-%m-%d"]), help="The last day of receipt it covers.")
@click.option("--everything", is_flag=True, help="Cover every message; needed where no selector is given.")
def place(
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    everything: bool,
    **given: Any,  # noqa: ANN401  # the selectors and texts that click hands over by name
) -> None:
    """Place a hold. Selectors of one kind are alternatives, different kinds restrict each other."""
    from retention.acts.holding import HoldOrder, place_hold

    selectors = {name: tuple(given[name]) for name in SELECTORS if given[name]}
    first, last = given["received_from"], given["received_through"]
    if not (selectors or first or last or everything):
        msg = "say what the hold covers by a selector or a range of days, or add --everything"
        raise click.UsageError(msg)
    order = HoldOrder(
        kind=given["kind"],
        owner=given["owner"] or this_person(),
        reason=given["reason"],
        review_on=given["review_on"].date(),
        received_from=first.date() if first else None,
        received_through=last.date() if last else None,
        selectors=selectors,
    )
    with opened(config, now, verbose=verbose) as (context, present):
        number = place_hold(context, order, present)
        covered = _covered(context, number)
        known = {} if covered else {what: _known(context, what) for what in ("network", "channel") if what in selectors}
        put_drill(context)
    registered = say_count(covered, "registered message")
    click.echo(f"Hold {number} is placed and covers {registered} now. Review on {order.review_on}.")
    if not covered:
        click.echo("If that surprises you, check the spelling of what it names; see: retention hold list")
        for what, names in known.items():
            click.echo(f"The register knows these {what}s: {names}.")


@hold.command(
    epilog=exits(
        Exit.BELT_CLOSED, Exit.LOG_NOT_VERIFIED, example="retention hold release 3 --reason 'request answered'"
    )
)
@common
@click.argument("number", type=NUMBER)
@click.option("--reason", required=True, help="Why it is released, for people.")
def release(config: Path | None, now: datetime | None, verbose: bool, number: int, reason: str) -> None:
    """Release hold NUMBER. What is due shows in the next plan with its own count."""
    from retention.acts.holding import release_hold

    with opened(config, now, verbose=verbose) as (context, present):
        release_hold(context, number, reason, present)
        put_drill(context)
    click.echo(f"Hold {number} is released. See what that makes due with: retention purge --dry-run")


@hold.command("list", epilog=exits(example="retention hold list --format json"))
@common
@reporting
@click.option("--all", "everything", is_flag=True, help="Also those that were released.")
def list_(config: Path | None, now: datetime | None, verbose: bool, form: str, everything: bool) -> None:
    """List the active holds."""
    from retention.store import holds

    with opened(config, now, verbose=verbose) as (context, present):
        with context.database.read() as connection:
            found = holds.load(connection, active_only=not everything)
            rows = [_row(connection, one, context.schedule.today(present)) for one in found]
        if form == "json":
            put_json(context, {"holds": rows})
            return
        put_drill(context)
        for row in rows:
            late = " REVIEW OVERDUE" if row["review_overdue"] else ""
            state = f"released {row['released_at']}" if row["released_at"] else f"active{late}"
            click.echo(f"{row['hold']}: {row['kind']}, {state}, review on {row['review_on']}, owner {row['owner']}")
            click.echo(f"   covers {row['covers']}; reason: {row['reason'] or 'erased'}")
        if not rows:
            click.echo("No holds.")


def _covered(context: Context, number: int) -> int:
    from retention.store import holds, register

    with context.database.read() as connection:
        known = register.classes(connection)
        found = register.count_by_quarter(
            connection, before=holds.FOREVER, class_ids=known, holds=f"h.id = {int(number)}"
        )
    return sum(bucket.messages for bucket in found)


def _known(context: Context, what: str) -> str:
    from retention.store import register

    with context.database.read() as connection:
        names = {getattr(one, what) for one in register.classes(connection).values()} - {""}
    return ", ".join(sorted(names)) or "none"


def _say_cover(found: Hold) -> str:
    """Say what a hold covers; of identifiers only how many pseudonyms, which tell nobody whom it is about."""
    parts = [_say_selector(kind, values) for kind, values in sorted(found.selectors.items())]
    parts += [f"received from {found.received_from:%Y-%m-%d %H:%MZ}"] if found.received_from else []
    parts += [f"received before {found.received_until:%Y-%m-%d %H:%MZ}"] if found.received_until else []
    return ", ".join(parts) or "every message"


def _say_selector(kind: str, values: Collection[str]) -> str:
    if kind not in {"network", "channel"}:
        return f"by {kind}"
    return f"{kind} {' or '.join(sorted(values))}" if values else f"a {kind} whose name was erased after the release"


def _row(connection: Connection, found: Hold, today: date) -> dict[str, Any]:
    from retention.model import iso
    from retention.store import holds, runs

    return {
        "hold": found.hold_id,
        "kind": found.kind,
        "owner": found.owner,
        "reason": runs.remark_of(connection, holds.reason_of(connection, found.hold_id)),
        "placed_at": iso(found.placed_at),
        "review_on": found.review_on.isoformat(),
        "review_overdue": found.active and found.review_on < today,
        "released_at": iso(found.released_at) if found.released_at else None,
        "received_from": iso(found.received_from) if found.received_from else None,
        "received_until": iso(found.received_until) if found.received_until else None,
        "covers": _say_cover(found),
    }
