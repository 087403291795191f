"""``retention status`` and ``retention explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting
from retention.errors import Exit

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.context import Context
    from retention.notice.promise import Promise
    from retention.report.status import Status


@click.command(epilog=exits(Exit.AT_RISK, Exit.BROKEN, example="retention status --format json"))
@common
@reporting
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the page for the public.",
)
def status(config: Path | None, now: datetime | None, verbose: bool, form: str, html: Path | None) -> None:
    """Say whether the promise is kept, at risk or broken.

    --html writes a page for the public: no script, nothing loaded, nothing personal. It needs [notice] in the
    configuration.
    """
    from retention.report.status import status_of
    from retention.report.view import status_as_text

    with opened(config, now, verbose=verbose) as (context, present):
        promise = None
        if html is not None:
            from retention.notice.promise import promise_of

            promise = promise_of(context.schedule, context.settings.notice)
        memory = context.remembered()
        with context.database.read() as connection:
            found = status_of(
                connection,
                context.schedule,
                present,
                grace=context.settings.purge.grace_time,
                origin=context.installation.origin,
                keys=context.verifiers,
                drill=context.installation.drill,
                memory=memory,
                sources=context.watched_sources,
            )
            page = _page(context, connection, promise, found, present) if promise else None
        if page is not None and html is not None:
            from retention.acts.publishing import publish

            publish(page, html)
        if form == "json":
            put_json(context, found.as_json())
        else:
            put_drill(context)
            click.echo("\n".join(status_as_text(found)))
    codes = {"kept": Exit.DONE, "at_risk": Exit.AT_RISK, "broken": Exit.BROKEN}
    click.get_current_context().exit(int(codes[found.promise]))


def _page(context: Context, connection: Connection, promise: Promise, found: Status, now: datetime) -> bytes:
    from retention.report.public import public_facts
    from retention.report.public_html import public_page

    grace = context.settings.purge.grace_time
    facts = public_facts(connection, found, context.schedule, context.installation, grace=grace, now=now)
    return public_page(promise, facts, context.settings.notice.lang if context.settings.notice else "en")


@click.command(epilog=exits(Exit.LOG_NOT_VERIFIED, example="retention explain 17841400000000000"))
@common
@reporting
@click.argument("message_id", metavar="ID")
def explain(config: Path | None, now: datetime | None, verbose: bool, form: str, message_id: str) -> None:
    """Say what happens to the message ID, step by step.

    ID is the identifier that the source gave the message.
    """
    if not message_id.strip():
        msg = "name a message by the identifier that the source gave it"
        raise click.UsageError(msg)
    from retention.report import explain as room
    from retention.report.view import explanation_as_text
    from retention.upkeep import demand_sound

    with opened(config, now, verbose=verbose) as (context, present):
        demand_sound(context, present)
        with context.database.read() as connection:
            names = context.pseudonyms.of_message(connection, message_id)
            found = room.explain(connection, context.schedule, message_id, names, present)
        if form == "json":
            put_json(context, found.as_json())
        else:
            put_drill(context)
            click.echo("\n".join(explanation_as_text(found)))
