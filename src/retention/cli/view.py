"""``retention status`` and ``retention explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting
from retention.cli.plugin import PLUGIN, PluginCommand
from retention.errors import Exit, UsageError
from retention.report.nagios import CODES, as_nagios

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.context import Context
    from retention.report.status import Status


_CODES = {"kept": Exit.DONE, "at_risk": Exit.AT_RISK, "broken": Exit.BROKEN}


@click.command(cls=PluginCommand, epilog=exits(Exit.AT_RISK, Exit.BROKEN, example="retention status --format json"))
@common
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", PLUGIN, "prometheus"]),
    default="text",
    show_default=True,
    help="How to report.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --format prometheus: into this file, whole or not at all.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the page for the public.",
)
def status(
    *, config: Path | None, now: datetime | None, verbose: bool, form: str, output: Path | None, html: Path | None
) -> None:
    """Say whether the promise is kept, at risk or broken.

    --html writes a page for the public: no script, nothing loaded, nothing personal. It needs [notice] in the
    configuration.

    --format nagios gives one line with performance data and the exit codes of a plugin: 0 kept, 1 at risk, 2 broken,
    3 for every error. --format prometheus exits with 0 once the figures are written, whatever they say.
    """
    from retention.standing import status_in

    if output is not None and form != "prometheus":
        msg = "--output goes with --format prometheus"
        raise UsageError(msg)
    with opened(config, now, verbose=verbose) as (context, present):
        memory = context.remembered()
        with context.database.read() as connection:
            found = status_in(connection, context, memory, present)
            page = _page(connection, context, found, present) if html else None
        if page is not None and html is not None:
            from retention.report.publishing import publish

            publish(page, html)
        _put(context, found, form, output)
    if form in {PLUGIN, "prometheus"}:
        click.get_current_context().exit(int(CODES[found.promise]) if form == PLUGIN else 0)
    click.get_current_context().exit(int(_CODES[found.promise]))


def _page(connection: Connection, context: Context, found: Status, now: datetime) -> bytes:
    from retention.notice.promise import promise_of
    from retention.showing import page_of

    return page_of(connection, context, promise_of(context.schedule, context.settings.notice), found, now)


def _put(context: Context, found: Status, form: str, output: Path | None) -> None:
    if form == "json":
        put_json(context, found.as_json())
    elif form == PLUGIN:
        click.echo(as_nagios(found))
    elif form == "prometheus":
        from retention.report.prometheus import as_prometheus
        from retention.report.publishing import publish

        if output is None:
            click.echo(as_prometheus(found), nl=False)
        else:
            publish(as_prometheus(found).encode(), output)
    else:
        from retention.report.view import status_as_text

        put_drill(context)
        click.echo("\n".join(status_as_text(found)))


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
