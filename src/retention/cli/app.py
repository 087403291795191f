"""The command ``retention``: its groups, and how errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import click

from retention import __version__
from retention.cli.frame import exits
from retention.errors import Exit, RetentionError

COMMANDS = {
    "init": "setup",
    "check": "setup",
    "ingest": "work",
    "purge": "work",
    "run": "work",
    "status": "view",
    "explain": "view",
    "hold": "hold",
    "findings": "findings",
    "audit": "audit",
    "scan-residue": "residue",
    "demo": "demo",
}


class _Commands(click.Group):
    """Loads the file of a command when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        room = COMMANDS.get(cmd_name)
        if room is None:
            return None
        command: click.Command = getattr(import_module(f"retention.cli.{room}"), cmd_name.replace("-", "_"))
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=exits(*Exit, example="retention check && retention purge --dry-run"),
)
@click.version_option(__version__, prog_name="retention")
def retention() -> None:
    """Keep, and prove, the promise that messages are stored for so long and no longer."""


def main() -> None:
    """Run the command line; every error ends in a message on stderr and a documented exit code."""
    try:
        code = retention.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = Exit.USAGE
    except RetentionError as error:
        click.echo(f"retention: {error}", err=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("retention: interrupted", err=True)
        code = Exit.FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.FAILED
    except Exception as error:  # noqa: BLE001  # the last resort: no traceback, because its values may be personal
        code = _unexpected(error)
    sys.exit(int(code or 0))


def _unexpected(error: Exception) -> Exit:
    """Say where an error arose that nobody foresaw, without its message, which may quote a value."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = (
        f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "unknown"
    )  # a name, not a file
    click.echo(
        f"retention: an error that was not foreseen ({type(error).__name__} at {where}). "
        "Nothing is half done. Please report this line.",
        err=True,
    )
    return Exit.FAILED
