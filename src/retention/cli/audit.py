"""``retention audit``: verify, export and sign the audit log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting, this_person, watched
from retention.errors import Exit

if TYPE_CHECKING:
    from datetime import datetime

    from retention.acts.exporting import ExportFormat


@click.group()
def audit() -> None:
    """Verify, export and sign the tamper-evident log."""


@audit.command(epilog=exits(Exit.LOG_NOT_VERIFIED, example="retention audit verify --format json"))
@common
@reporting
def verify(config: Path | None, now: datetime | None, verbose: bool, form: str) -> None:
    """Verify the whole log: every entry, tile and checkpoint, and the head."""
    from retention.report.work import verification_as_json, verification_as_text
    from retention.upkeep import verify_log

    with opened(config, now, verbose=verbose) as (context, present):
        with watched("verifying") as watcher:
            found = verify_log(context, present, watcher.tick)
        if form == "json":
            put_json(context, verification_as_json(found))
        else:
            put_drill(context)
            click.echo(verification_as_text(found))
    if not found.ok:
        click.get_current_context().exit(int(Exit.LOG_NOT_VERIFIED))


@audit.command(epilog=exits(example="retention audit export --format csv --output deletion-log.csv"))
@common
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="JSON lines are the leaves of the log; CSV has one row a disposal.",
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]), help="Entries from this UTC time on.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]), help="Entries before this UTC time.")
@click.option("--run", "run_id", type=int, help="Entries of this run only.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file. [default: stdout]")
def export(
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    form: str,
    since: datetime | None,
    until: datetime | None,
    run_id: int | None,
    output: Path | None,
) -> None:
    """Export the log. The export is itself an entry of the log."""
    from retention.acts.exporting import export_log, export_to_file
    from retention.audit.export import Selection

    selection = Selection(_spelled(since), _spelled(until), run_id)
    with opened(config, now, verbose=verbose) as (context, present):
        person = this_person()
        how: ExportFormat = "csv" if form == "csv" else "jsonl"
        if output is None:
            export_log(context, selection, how, sys.stdout, now=present, person=person)
            return
        rows = export_to_file(context, selection, how, output, now=present, person=person)
        put_drill(context)
        click.echo(f"Wrote {rows} {'disposals' if how == 'csv' else 'entries'} to {output}.")


@audit.command(epilog=exits(Exit.LOG_NOT_VERIFIED, example="retention audit checkpoint"))
@common
def checkpoint(config: Path | None, now: datetime | None, verbose: bool) -> None:
    """Sign the head of the log and print the checkpoint; keep it outside this machine."""
    from retention.upkeep import sign_checkpoint

    with opened(config, now, verbose=verbose) as (context, present):
        click.echo(sign_checkpoint(context, context.signer(), present), nl=False)


def _spelled(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
