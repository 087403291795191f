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
@click.option("--no-jobs", is_flag=True, help="Only take the events of webhooks, whatever [serve] jobs says.")
def serve(config: Path | None, now: datetime | None, verbose: bool, form: str, no_jobs: bool) -> None:
    """Do the jobs on their schedule; take webhooks.

    It serves until it is ended by SIGTERM or Ctrl-C; SIGHUP has it read its configuration again. Of several that serve
    one database, one does the jobs and the others stand by.
    """
    from retention.service.host import Invocation
    from retention.service.serving import serve as serve_until_ended
    from retention.settings import find_config
    from retention.standing import metrics

    with opened(config, now, verbose=verbose) as (context, present):
        ahead = present - datetime.now(UTC) if now is not None else present - present

        def clock() -> datetime:
            return (datetime.now(UTC) + ahead).replace(microsecond=0)

        path = find_config(config).absolute()
        called = Invocation(path, clock, ahead, drill_time=now is not None, jobs=not no_jobs, metrics=metrics)
        serve_until_ended(context, called, lambda url, paths: _announce(context, url, paths, form))


def _announce(context: Context, url: str | None, paths: list[str], form: str) -> None:
    if form == "json":
        drill = {"drill": True} if context.installation.drill else {}
        click.echo(json.dumps({"url": url, "webhooks": [f"{url}{path}" for path in paths], **drill}))
    else:
        put_drill(context)
        where = f" Listening at {url}." if url else ""
        events = f" Events are taken at {', '.join(f'{url}{path}' for path in paths)}." if paths else ""
        click.echo(f"Serving.{where}{events} End it with Ctrl-C.")
    sys.stdout.flush()  # who started this as a process waits for the line
