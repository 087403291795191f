"""``retention upstream``: the copies that sources keep, and the orders to dispose of them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retention.cli.frame import NUMBER, common, exits, opened, put_drill, put_json, reporting, this_person
from retention.errors import Exit
from retention.policy.words import say_count

if TYPE_CHECKING:
    from datetime import datetime


@click.group()
def upstream() -> None:
    """See to the copies that sources keep: orders, attestations.

    Each purge issues one for a source with upstream = "order". A later export shows whether it was carried out.
    """


@upstream.command("list", epilog=exits(example="retention upstream list"))
@common
@reporting
def list_(config: Path | None, now: datetime | None, verbose: bool, form: str) -> None:
    """List every order: its state, when it is due, and what later exports showed."""
    from retention.acts.ordering import list_orders

    with opened(config, now, verbose=verbose) as (context, _):
        found = list_orders(context)
        if form == "json":
            put_json(context, {"orders": found})
            return
        put_drill(context)
        for order in found:
            click.echo(_line(order))
        if not found:
            click.echo("No orders.")


@upstream.command(epilog=exits(example="retention upstream show 3"))
@common
@reporting
@click.argument("number", type=NUMBER)
def show(config: Path | None, now: datetime | None, verbose: bool, form: str, number: int) -> None:
    """Show order NUMBER: days and counts, what was attested, and what is to be done. It names no message."""
    from retention.acts.ordering import show_order

    with opened(config, now, verbose=verbose) as (context, _):
        order = show_order(context, number)
        if form == "json":
            put_json(context, order)
            return
        put_drill(context)
        click.echo(_line(order))
        for day in order["days"]:
            click.echo(f"  received on {day['received_on']}: {day['messages']} left")
        for one in order["attestations"]:
            by, why = one["by"] or "a name that was erased", one["reference"] or "a text that was erased"
            refuted = f"; an export of {one['refuted_at']} shows otherwise" if one["refuted_at"] else ""
            click.echo(f"  attested at {one['at']} by {by}, {why}{refuted}")
        for line in _what_to_do(order):
            click.echo(f"  {line}")


@upstream.command(
    epilog=exits(
        Exit.LOG_NOT_VERIFIED,
        example="retention upstream attest 3 --by 'A. Officer' --reference 'ticket 4711, screenshots filed'",
    )
)
@common
@reporting
@click.argument("number", type=NUMBER)
@click.option("--by", required=True, metavar="NAME", help="Who carried it out; it is kept out of the audit log.")
@click.option("--reference", required=True, metavar="TEXT", help="Where the evidence is; it is kept out of the log.")
def attest(
    *, config: Path | None, now: datetime | None, verbose: bool, form: str, number: int, by: str, reference: str
) -> None:
    """Attest that order NUMBER was carried out.

    A later export that covers its days has to show it all the same.
    """
    from retention.acts.ordering import attest_order

    with opened(config, now, verbose=verbose) as (context, present):
        state = attest_order(context, number, by=by, reference=reference, now=present)
        if form == "json":
            put_json(context, {"order": number, "state": str(state)})
            return
        put_drill(context)
    more = {
        "attested": "Now a later export of its days has to show that the messages are gone.",
        "present": "An export showed messages of it; only a later one can show that they are gone.",
    }.get(state, "Another person has to attest it too.")
    click.echo(f"What was done for order {number} is recorded; it is {state}. {more}")


@upstream.command(epilog=exits(Exit.LOG_NOT_VERIFIED, example="retention upstream export 3 --output order-3.csv"))
@common
@reporting
@click.argument("number", type=NUMBER)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="A new file for its owner only: .csv to work with, .html to print.",
)
def export(*, config: Path | None, now: datetime | None, verbose: bool, form: str, number: int, output: Path) -> None:
    """Write the list of order NUMBER. Taking it is an entry of the log; the file goes with the identifiers."""
    from retention.acts.ordering import export_order

    with opened(config, now, verbose=verbose) as (context, present):
        messages = export_order(context, number, output, now=present, person=this_person())
        if form == "json":
            put_json(context, {"order": number, "messages": messages, "file": str(output)})
            return
        put_drill(context)
    click.echo(f"Wrote {say_count(messages, 'message')} to {output}. Destroy every copy when the order is carried out.")


def _line(order: dict[str, Any]) -> str:
    listed = say_count(order["listed"], "message")
    if order["state"] == "listing":
        return f"{order['order']}: {order['source']}, run {order['run']}: {listed}, not issued yet"
    return (
        f"{order['order']}: {order['source']}, run {order['run']}: {order['state'].upper()}, due by {order['due_on']}, "
        f"{listed}: {order['absent']} shown gone, {order['present']} shown present, "
        f"{order['left']} left, {order['unknown']} unknown"
    )


def _what_to_do(order: dict[str, Any]) -> list[str]:
    number = order["order"]
    steps = {
        "listing": ["Issue it with: retention run"],
        "ordered": [
            f"Take the list: retention upstream export {number} --output order-{number}.csv",
            f"Delete these messages at {order['source']} by the end of {order['due_on']}, then:",
            f"retention upstream attest {number} --by NAME --reference TEXT",
        ],
        "present": [
            "An export shows messages of it: delete them at the source, and attest it again.",
        ],
    }.get(order["state"], [])
    if not order["left"]:
        return ["Closed: no identifier of it is kept."]
    # A day more than is listed: a time that an event told may be a little later than the one in an export.
    begin = (date.fromisoformat(order["received_from"]) - timedelta(days=1)).isoformat()
    check = (
        f"To show it: export all channels of {order['source']}, from the start of {begin} to after "
        f"{order['issued_at']}, and ingest that file."
    )
    return [*steps, check]
