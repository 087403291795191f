"""``retention simulate``: the server that speaks what Hootsuite publishes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retention.cli.frame import exits, parse_instant, reporting
from retention.errors import UsageError

if TYPE_CHECKING:
    from retention.simulate.answers import Fields

_PORTS = range(65536)


@click.command(epilog=exits(example="retention simulate --listen 127.0.0.1:8600 --seed 7 --messages 1000000"))
@click.option(
    "--listen", default="127.0.0.1:8600", show_default=True, help="Address and port; port 0 takes a free one."
)
@click.option("--allow-remote", is_flag=True, help="Listen, and call webhooks, beyond this machine too.")
@click.option("--seed", type=click.IntRange(0), default=2026, show_default=True, help="Another seed, another world.")
@click.option(
    "--messages", type=click.IntRange(0, 10**8), default=2000, show_default=True, help="How many outbound messages."
)
@click.option(
    "--per-day", type=click.IntRange(0, 10**4), default=20, show_default=True, help="Messages of the Inbox a day."
)
@click.option("--zone", default="Europe/London", show_default=True, help="The time zone of exports.")
@click.option("--now", callback=parse_instant, metavar="INSTANT", help="Begin at this instant instead of the clock's.")
@click.option("--frozen", is_flag=True, help="Let the clock stand still until it is moved.")
@click.option(
    "--directory", type=click.Path(path_type=Path, file_okay=False), help="Write scheduled exports below this folder."
)
@click.option("--sftp", metavar="ADDRESS:PORT", help="Serve that folder over SFTP too; port 0 takes a free one.")
@reporting
def simulate(listen: str, sftp: str | None, form: str, **world: Any) -> None:  # noqa: ANN401 - what Options names
    """Play Hootsuite: its APIs, webhooks and exports, invented.

    It says where it listens and which credentials it takes, and serves until it is ended.
    """
    from retention.simulate.server import serve
    from retention.simulate.world import Options

    address, port = _split("--listen", listen)
    pickup = _split("--sftp", sftp) if sftp else None
    serve(Options(**world), address, port, lambda told: _announce(told, form), pickup)


def _split(option: str, listen: str) -> tuple[str, int]:
    address, _, port = listen.rpartition(":")
    if not (address and port.isascii() and port.isdigit() and int(port) in _PORTS):
        msg = f"{option} is an address and a port, such as 127.0.0.1:8600"
        raise UsageError(msg)
    return address.strip("[]"), int(port)


def _announce(told: Fields, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(told))
    else:
        named = ", ".join(f"{name} {value}" for name, value in told.items() if name != "url")
        click.echo(f"The simulator listens on {told['url']}: {named}. End it with Ctrl-C.")
    sys.stdout.flush()  # who started this as a process waits for the line
