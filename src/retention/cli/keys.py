"""``retention keys``: what keys there are, and a new one for signing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting, this_person
from retention.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from retention.acts.keys import KeyList, MonthKeyRow, SigningKeyRow


@click.group()
def keys() -> None:
    """List the keys, and let a new signing key take over.

    Keys live outside the database. Month keys are destroyed on schedule.
    """


@keys.command("list", epilog=exits(example="retention keys list --format json"))
@common
@reporting
def list_(config: Path | None, now: datetime | None, verbose: bool, form: str) -> None:
    """List every key: since when, until when, and the mode of its file."""
    from retention.acts.keys import list_keys

    with opened(config, now, verbose=verbose) as (context, present):
        found = list_keys(context, present)
        if form == "json":
            put_json(context, found.as_json())
        else:
            put_drill(context)
            for line in _told(found):
                click.echo(line)
    if found.problems:
        click.get_current_context().exit(int(Exit.FAILED))


@keys.command(
    epilog=exits(
        Exit.LOCKED, Exit.BELT_CLOSED, Exit.LOG_NOT_VERIFIED, example="retention keys rotate --reason 'yearly change'"
    )
)
@common
@reporting
@click.option("--reason", required=True, help="Why, for people; it is kept out of the audit log.")
def rotate(config: Path | None, now: datetime | None, verbose: bool, form: str, reason: str) -> None:
    """Let a new signing key take over.

    For the overlap of [keys] both keys sign every checkpoint; then the old private key is destroyed.
    """
    from retention.acts.keys import rotate_signing_key

    with opened(config, now, verbose=verbose) as (context, present):
        done = rotate_signing_key(context, reason, now=present, person=this_person())
        if form == "json":
            put_json(context, {"rotation": asdict(done)})
            return
        put_drill(context)
    click.echo(f"A new signing key has taken over, with entry {done.entry_index} of the audit log.")
    click.echo(f"  verifier key  {done.verifier_key}")
    click.echo(f"  fingerprint   {done.fingerprint}")
    click.echo(f"The old key signs too until {done.until}, then it is destroyed.")
    click.echo("Give the fingerprint to whoever verifies the log, and back the keys up apart from the database.")


def _told(found: KeyList) -> Iterator[str]:
    yield f"Keys are in {found.folder['file']}, mode {found.folder['mode'] or 'none'}."
    yield "Signing keys:"
    for row in found.signing:
        yield from _signing_told(row)
    yield "Month keys:" if found.months else "Month keys: none."
    for month in found.months:
        yield f"  {month.month}  {_month_told(month)}"
    yield f"Key for holds: {found.hold['file']}, {_mode(found.hold['mode'])}"
    for problem in found.problems:
        yield f"PROBLEM: {problem}"


def _signing_told(row: SigningKeyRow) -> Iterator[str]:
    until = f" until {row.until}" if row.until else ""
    yield f"  {row.key_id}  {row.state}{until}, since {row.since}"
    yield f"    fingerprint {row.fingerprint}"
    if row.state != "destroyed":
        yield f"    {row.file}, {_mode(row.mode)}, {'encrypted' if row.encrypted else 'not encrypted'}"


def _month_told(row: MonthKeyRow) -> str:
    made = f"made {row.created_at}"
    if row.destroyed_at:
        return f"{made}, destroyed {row.destroyed_at}"
    counted = f" ({row.registered})" if row.registered else ""
    when = f", destroyed on {row.destroys_on} at the earliest" if row.destroys_on else ""
    return f"{made}, {_mode(row.mode)}: {row.because}{counted}{when}"


def _mode(mode: str | None) -> str:
    return f"mode {mode}" if mode else "MISSING"
