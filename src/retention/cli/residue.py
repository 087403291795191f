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

    Searched are the database's files (SQLite), landing folders, state folder and anchor, archives unpacked; parts that
    cannot be unpacked are told. A PostgreSQL server's files, its backups and replicas are beyond our reach.
    """
    from retention import departures
    from retention.policy.words import say_count

    wanted = [*identifiers, *(line.strip() for line in listed or ())]
    wanted = [identifier for identifier in wanted if identifier]
    if not wanted:
        msg = "name at least one identifier, or a file of them with --from"
        raise UsageError(msg)
    if short := sum(len(identifier) < departures.SHORTEST_IDENTIFIER for identifier in wanted):
        msg = (
            f"{say_count(short, 'identifier')} of fewer than {departures.SHORTEST_IDENTIFIER} characters would be "
            "found by accident"
        )
        raise UsageError(msg)
    with opened(config, now, verbose=verbose) as (context, _):
        found, excepted, unsearched = departures.residue(context, wanted)
        count = sum(found.values())
        if form == "json":
            put_json(
                context,
                {
                    "residue": count,
                    "excepted": excepted,
                    "files": {str(path): hits for path, hits in found.items()},
                    "unsearched": {str(path): parts for path, parts in unsearched.items()},
                },
            )
        else:
            put_drill(context)
            looked, closed = say_count(len(wanted), "identifier"), sum(unsearched.values())
            beyond = f", {say_count(closed, 'part')} of archives NOT SEARCHED" if closed else ""
            click.echo(f"Looked for {looked} in every file of ours: {say_count(count, 'find')}{beyond}.")
            if excepted:
                stand = "stands" if excepted == 1 else "stand"
                where = "in open disposal orders or in events that wait to be registered"
                click.echo(f"{excepted} of them {stand} {where}, which the database keeps on purpose.")
            for path, hits in found.items():
                click.echo(f"  {path}: {hits}")
            for path, parts in unsearched.items():
                click.echo(f"  {path}: {say_count(parts, 'part')} cannot be unpacked (encrypted or damaged)")
    if count:
        click.get_current_context().exit(int(Exit.PARTLY_DONE))
