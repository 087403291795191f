"""``retention scan-residue``: look for identifiers that must be gone."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting
from retention.errors import Exit, UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@click.command("scan-residue", epilog=exits(Exit.PARTLY_DONE, example="retention scan-residue --from purged-ids.txt"))
@common
@reporting
@click.option(
    "--from",
    "listed",
    type=click.File("r", encoding="utf-8", errors="surrogateescape"),
    help="A file with one identifier a line; - for stdin.",
)
@click.argument("identifiers", nargs=-1, metavar="[ID]...")
def scan_residue(
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    form: str,
    listed: IO[str] | None,
    identifiers: tuple[str, ...],
) -> None:
    """Look for purged identifiers in every file of ours.

    The count must be 0.

    Searched are the database's files (SQLite), landing folders, state folder and anchor. A PostgreSQL server's files,
    its backups and replicas are beyond our reach.
    """
    from retention import cycle

    wanted = [*identifiers, *(line.strip() for line in listed or ())]
    wanted = [identifier for identifier in wanted if identifier]
    if not wanted:
        msg = "name at least one identifier, or a file of them with --from"
        raise UsageError(msg)
    if short := sum(len(identifier) < cycle.SHORTEST_IDENTIFIER for identifier in wanted):
        msg = (
            f"{short} identifiers have fewer than {cycle.SHORTEST_IDENTIFIER} characters and would be found by accident"
        )
        raise UsageError(msg)
    with opened(config, now, verbose=verbose) as (context, _):
        found, excepted = cycle.residue(context, wanted)
        count = sum(found.values())
        if form == "json":
            put_json(
                context,
                {"residue": count, "excepted": excepted, "files": {str(path): hits for path, hits in found.items()}},
            )
        else:
            put_drill(context)
            click.echo(f"Looked for {len(wanted)} identifiers in every file of ours: {count} finds.")
            if excepted:
                where = "in open disposal orders or in events that wait to be registered"
                click.echo(f"{excepted} of them stand {where}, which the database keeps on purpose.")
            for path, hits in found.items():
                click.echo(f"  {path}: {hits}")
    if count:
        click.get_current_context().exit(int(Exit.PARTLY_DONE))
