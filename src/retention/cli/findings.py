"""``retention findings``: what a person must look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from retention.cli.frame import NUMBER, common, exits, opened, put_drill, put_json, reporting
from retention.errors import Exit

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from retention.store.findings import Finding


@click.group()
def findings() -> None:
    """List and resolve what a person must look at.

    Rejected rows, refused files, closed belts and the like.
    """


@findings.command("list", epilog=exits(example="retention findings list"))
@common
@reporting
@click.option("--all", "everything", is_flag=True, help="Also those that were resolved.")
def list_(config: Path | None, now: datetime | None, verbose: bool, form: str, everything: bool) -> None:
    """List the open findings, with file, line and column where they have one; never a value."""
    from retention.model import from_epoch, iso
    from retention.store import findings as room

    with opened(config, now, verbose=verbose) as (context, _):
        with context.database.read() as connection:
            found = room.load(connection, open_only=not everything)
        if form == "json":
            rows = [
                {
                    **one._asdict(),
                    "opened_at": iso(from_epoch(one.opened_at)),
                    "resolved_at": iso(from_epoch(one.resolved_at)) if one.resolved_at else None,
                }
                for one in found
            ]
            put_json(context, {"findings": rows})
            return
        put_drill(context)
        for one in found:
            click.echo(
                f"{one.id}: {one.kind}{' (resolved)' if one.resolved_at else ''}, {iso(from_epoch(one.opened_at))}"
            )
            click.echo(f"   {_where(one)}{one.reason}")
        if not found:
            click.echo("No findings.")


@findings.command(
    epilog=exits(Exit.LOG_NOT_VERIFIED, example="retention findings resolve 4 --reason 'asked for a new export'")
)
@common
@click.argument("number", type=NUMBER)
@click.option("--reason", required=True, help="What was done about it, for people.")
def resolve(config: Path | None, now: datetime | None, verbose: bool, number: int, reason: str) -> None:
    """Resolve finding NUMBER."""
    from retention.acts.resolving import resolve_finding

    with opened(config, now, verbose=verbose) as (context, present):
        resolve_finding(context, number, reason, present)
        put_drill(context)
    click.echo(f"Finding {number} is resolved.")


def _where(one: Finding) -> str:
    parts = [one.source, one.file]
    if one.line:
        parts.append(f"line {one.line}")
    if one.column:
        parts.append(f"column {one.column}")
    told = ", ".join(part for part in parts if part)
    return f"{told}: " if told else ""
