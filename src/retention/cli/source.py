"""``retention source``: help with exports that no configuration describes yet."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from retention.cli.frame import exits, reporting
from retention.errors import SourceError, UsageError


@click.group()
def source() -> None:
    """Find out how an export has to be read."""


@source.command(epilog=exits(example="retention source sniff export.csv --time-zone Europe/London"))
@reporting
@click.option("--time-zone", metavar="ZONE", help="The IANA zone in which the export was made.")
@click.option("--own-account", metavar="NAME", help="For a network's own archive: the account that is yours.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def sniff(form: str, time_zone: str | None, own_account: str | None, file: Path) -> None:
    """Guess how FILE has to be read, and print it as configuration.

    What is printed can be appended to a configuration as it is: all but the table [[source]] are comments. It says
    what is certain, what is guessed and what only a person knows, and how many messages FILE has when it is read so.
    FILE is read and left alone. Nothing of its contents is shown but names of columns and the values of columns that
    tell kinds of messages apart, such as network, direction and type.
    """
    from retention.errors import ConfigError, FileRefusedError
    from retention.report.sniffed import sniffed_as_json, sniffed_as_toml
    from retention.sources.sniff import sniff as look_at

    try:
        guess = look_at(file, time_zone=time_zone, own_account=own_account)
    except FileRefusedError as refusal:
        msg = f"{file.name} {refusal.reason}"
        raise SourceError(msg) from None
    except ConfigError as error:
        raise UsageError("\n".join(f"--{problem}".replace("_", "-", 1) for problem in error.problems)) from None
    if form == "json":
        ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
        click.echo(json.dumps(sniffed_as_json(guess), ensure_ascii=ascii_only, indent=2))
        return
    for line in sniffed_as_toml(guess):
        click.echo(line)
