"""``retention notify``: tell people what they must know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting
from retention.errors import Exit, UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from retention.acts.telling import Report


@click.command(
    epilog=exits(
        Exit.PARTLY_DONE,
        example="retention notify --dry-run",
        partly="a channel failed; details: retention findings list",
    )
)
@common
@reporting
@click.option("--dry-run", is_flag=True, help="Show what would be told, and send nothing.")
@click.option("--test", "trial", is_flag=True, help="Send a test message by every channel.")
def notify(*, config: Path | None, now: datetime | None, verbose: bool, form: str, dry_run: bool, trial: bool) -> None:
    """Tell people of what is at risk, by mail or webhook.

    Every [[notify]] of the configuration is told what is new, what got worse and what lasts. retention run does the
    same at its end, and retention serve every quarter of an hour.
    """
    from retention.acts.telling import tell, try_channels

    if dry_run and trial:
        msg = "--dry-run sends nothing, so it does not go with --test"
        raise UsageError(msg)
    with opened(config, now, verbose=verbose) as (context, present):
        reports = try_channels(context, present) if trial else tell(context, present, dry_run=dry_run)
        if form == "json":
            put_json(context, {"channels": [_as_json(one, dry_run=dry_run) for one in reports]})
        else:
            put_drill(context)
            for one in reports:
                _put(one, dry_run=dry_run)
            if not reports:
                click.echo("Nobody is told of anything: the configuration has no [[notify]].")
    if any(one.reason for one in reports):
        click.get_current_context().exit(int(Exit.PARTLY_DONE))


def _as_json(one: Report, *, dry_run: bool) -> dict[str, Any]:
    keys = [told.occasion.key for told in one.message.told] if one.message else []
    text = {"subject": one.message.subject, "text": one.message.text} if dry_run and one.message else {}
    return {"channel": one.channel, "outcome": one.outcome, "occasions": keys, "reason": one.reason, **text}


def _put(one: Report, *, dry_run: bool) -> None:
    what = f": {one.occasions} told of in one message" if one.outcome in {"told", "would tell"} else ""
    click.echo(f"{one.channel}: {one.outcome}{what}{f'; {one.reason}' if one.reason else ''}")
    if dry_run and one.message:
        click.echo(f"  Subject: {one.message.subject}\n")
        click.echo("\n".join(f"  {line}".rstrip() for line in one.message.text.splitlines()))
