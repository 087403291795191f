"""``retention audit``: export and sign the audit log; ``verify`` and ``prove`` stand in proving.py."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting, this_person, watched
from retention.cli.proving import prove, verify
from retention.cli.record import record
from retention.errors import Exit, UsageError
from retention.policy.words import say_count

if TYPE_CHECKING:
    from datetime import datetime

    from retention.acts.exporting import ExportFormat
    from retention.context import Context


@click.group()
def audit() -> None:
    """Verify, prove, export and sign the tamper-evident log."""


audit.add_command(verify)
audit.add_command(prove)
audit.add_command(record)


@audit.command(
    epilog=exits(
        Exit.PARTLY_DONE,
        Exit.BELT_CLOSED,
        Exit.LOG_NOT_VERIFIED,
        example="retention audit export --format csv --output deletion-log.csv",
        partly="the export is whole, but triggers that keep the log append-only are missing",
    )
)
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
@click.option("--force", is_flag=True, help="With --output: replace a file that is there.")
@click.option(
    "--bundle", type=click.Path(path_type=Path), help="Write all of it with what verifies it: a folder, or a .tar."
)
@click.option(
    "--entry", "entries", type=click.IntRange(0), multiple=True, help="With --bundle: add a proof of this entry."
)
def export(  # noqa: PLR0913  # the options of the command
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    form: str,
    since: datetime | None,
    until: datetime | None,
    run_id: int | None,
    output: Path | None,
    force: bool,
    bundle: Path | None,
    entries: tuple[int, ...],
) -> None:
    """Export the log. The export is itself an entry of the log.

    Each entry is compared with its stored hash on the way; at the first that differs the export ends, with exit 13.
    """
    from retention.acts.exporting import export_log, export_to_file
    from retention.audit.export import Selection

    if force and output is None:
        msg = "--force goes with --output"
        raise UsageError(msg)
    if bundle is not None:
        if any(option is not None for option in (since, until, run_id, output)) or form != "jsonl":
            msg = "a bundle is always the whole log: leave out --format, --since, --until, --run and --output"
            raise UsageError(msg)
        _export_bundle(config, now, bundle, entries, verbose=verbose)
        return
    if entries:
        msg = "--entry goes with --bundle; a single proof is made by: retention audit prove"
        raise UsageError(msg)
    selection = Selection(_spelled(since), _spelled(until), run_id)
    with opened(config, now, verbose=verbose) as (context, present):
        person = this_person()
        how: ExportFormat = "csv" if form == "csv" else "jsonl"
        what = "disposal" if how == "csv" else "entry"
        none = f"No {'disposals' if how == 'csv' else 'entries'}{'' if selection == Selection() else ' in this range'}"
        if output is None:
            if not export_log(context, selection, how, sys.stdout, now=present, person=person):
                click.echo(f"{none}.", err=True)
        else:
            rows = export_to_file(context, selection, how, output, now=present, person=person, replace=force)
            put_drill(context)
            click.echo(f"Wrote {say_count(rows, what)} to {output}." if rows else f"{none}: {output} has none.")
        _tell_unguarded(context)


def _export_bundle(
    config: Path | None, now: datetime | None, path: Path, entries: tuple[int, ...], *, verbose: bool
) -> None:
    from retention.acts.bundling import export_bundle

    with opened(config, now, verbose=verbose) as (context, present):
        with watched("exporting") as watcher:
            written = export_bundle(
                context, path, now=present, person=this_person(), prove=entries, progress=watcher.tick
            )
        put_drill(context)
        click.echo(
            f"Wrote {say_count(written.size, 'entry')} to {path}, {written.size - written.since} of them new there."
        )
        click.echo("VERIFY.md in it says how an outsider verifies it. Tell them the fingerprint of the key yourself:")
        click.echo(f"  SHA-256 {written.fingerprint}")
        _tell_unguarded(context)


def _tell_unguarded(context: Context) -> None:
    """Say beside an export, which is whole, what weighs as much here as where the log is verified."""
    from retention.upkeep import unguarded

    if notes := unguarded(context):
        click.echo("\n".join(notes), err=True)
        click.get_current_context().exit(int(Exit.PARTLY_DONE))


@audit.command(epilog=exits(Exit.BELT_CLOSED, Exit.LOG_NOT_VERIFIED, example="retention audit checkpoint"))
@common
def checkpoint(config: Path | None, now: datetime | None, verbose: bool) -> None:
    """Sign the head of the log and print the checkpoint; keep it outside this machine."""
    from retention.upkeep import demand_order, sign_checkpoint

    with opened(config, now, verbose=verbose) as (context, present):
        demand_order(context, present)
        click.echo(sign_checkpoint(context, context.signer(), present), nl=False)


@audit.command(
    "new-epoch",
    epilog=exits(Exit.LOCKED, Exit.LOG_NOT_VERIFIED, example="retention audit new-epoch --reason 'restored a backup'"),
)
@common
@reporting
@click.option("--reason", required=True, help="Why, for people; it is kept out of the audit log.")
def new_epoch(config: Path | None, now: datetime | None, verbose: bool, form: str, reason: str) -> None:
    """Let the log go on after the database was restored.

    Its first new entry names the newest checkpoint that had left the machine. Only for a database that exit 12 refuses.
    """
    from retention.acts.epochs import begin_epoch

    with opened(config, now, verbose=verbose) as (context, present):
        done = begin_epoch(context, reason, now=present, person=this_person())
        if form == "json":
            put_json(context, {"epoch": asdict(done)})
            return
        put_drill(context)
    click.echo(f"The audit log goes on as {done.origin}, with entry {done.entry_index}.")
    click.echo(
        f"  predecessor   {done.predecessor_origin}, {say_count(done.predecessor_size, 'entry')}, "
        f"{done.kept} of them here"
    )
    click.echo(f"  verifier key  {done.verifier_key}")
    click.echo(f"  fingerprint   {done.fingerprint}")
    click.echo("Before the next purge: place again every hold that was placed since the backup was made; this database")
    click.echo("does not know them. What was disposed of since then and is back is due again and will be purged again.")
    click.echo("Give the fingerprint to whoever verifies the log, and back the keys up apart from the database.")


def _spelled(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
