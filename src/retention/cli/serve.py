"""``retention serve``: what runs all the time."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from retention.cli.frame import common, exits, opened, put_drill, reporting

if TYPE_CHECKING:
    from pathlib import Path

    from retention.context import Context


@click.command(epilog=exits(example="retention serve --config /etc/retention/retention.toml"))
@common
@reporting
def serve(config: Path | None, now: datetime | None, verbose: bool, form: str) -> None:
    """Take the events of webhooks and register them.

    It serves until it is ended by SIGTERM or Ctrl-C. Purges are not its work: let a timer call retention run.
    """
    from retention.service.serving import serve as serve_until_ended

    with opened(config, now, verbose=verbose) as (context, present):
        ahead = present - datetime.now(UTC)

        def clock() -> datetime:
            moment = datetime.now(UTC)
            return (moment if now is None else moment + ahead).replace(microsecond=0)

        serve_until_ended(context, clock, lambda url, paths: _announce(context, url, paths, form))


def _announce(context: Context, url: str, paths: list[str], form: str) -> None:
    if form == "json":
        drill = {"drill": True} if context.installation.drill else {}
        click.echo(json.dumps({"url": url, "webhooks": [url + path for path in paths], **drill}))
    else:
        put_drill(context)
        click.echo(f"Listening for events at {', '.join(url + path for path in paths)}. End it with Ctrl-C.")
    sys.stdout.flush()  # who started this as a process waits for the line
