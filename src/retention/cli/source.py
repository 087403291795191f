"""``retention source``: help with exports that no configuration describes yet, and permission to ask Hootsuite."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from retention.cli.frame import exits, reporting, settings_of
from retention.errors import SourceError, UsageError


@click.group()
def source() -> None:
    """Look at unknown exports; get permission to ask."""


@source.command(epilog=exits(example="retention source authorize hootsuite-posts"))
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration. [default: $RETENTION_CONFIG, config/retention.toml, /etc/retention/retention.toml]",
)
@click.argument("name")
def authorize(config: Path | None, name: str) -> None:
    """Let a person agree that the source NAME may ask Hootsuite.

    Prints an address to open in a browser. Whoever agrees there is sent on to another address, which holds a code; the
    whole of it, or the code, is read from the terminal or from standard input. The tokens are kept in the state folder
    and work until somebody takes the permission back.
    """
    import secrets

    from retention.configured import INTERFACE, configured_account
    from retention.sources.catalog import build_client

    settings = settings_of(config)
    found = next((one for one in settings.source if (one.name, one.kind) == (name, INTERFACE)), None)
    if found is None or found.grant != "authorization_code":
        msg = f'the configuration has no source of this name with kind = "{INTERFACE}", grant = "authorization_code"'
        raise UsageError(msg)
    tokens = build_client(configured_account(settings, found)).tokens
    state = secrets.token_urlsafe(24)
    click.echo(f"Open this address, sign in and agree:\n\n{tokens.address(state)}\n")
    tokens.redeem(click.prompt("The address you were sent to, or the code in it", err=True, hide_input=False), state)
    click.echo(f"The source {name} is authorized.")


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
