"""The command ``retention``: its groups, and how errors become messages and exit codes."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from retention import __version__
from retention.cli.frame import exits
from retention.cli.wrong import require_text, without_values
from retention.errors import Exit, RetentionError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "init": "setup",
    "check": "check",
    "ingest": "work",
    "purge": "work",
    "plan": "plan",
    "run": "work",
    "status": "view",
    "explain": "view",
    "hold": "hold",
    "upstream": "upstream",
    "notice": "notice",
    "notify": "notify",
    "findings": "findings",
    "backup": "backup",
    "audit": "audit",
    "keys": "keys",
    "scan-residue": "residue",
    "source": "source",
    "demo": "demo",
    "serve": "serve",
    "simulate": "simulate",
    "deploy": "deploy",
}

# What help and completion say of each, so that a line of every one does not take twenty files; a test compares.
SUMMARIES = {
    "init": "Make database, keys and audit log, or update the schema.",
    "check": "Check everything; say the schedule in plain English.",
    "ingest": "Register what is new in the landing folders or PATHS.",
    "purge": "Dispose of what is past its period and not held.",
    "plan": "List and show plans, and approve them.",
    "run": "Do the whole job once, as a timer or cron would.",
    "status": "Say whether the promise is kept, at risk or broken.",
    "explain": "Say what happens to the message ID, step by step.",
    "hold": "Place, release and list orders that suspend disposal.",
    "upstream": "See to the copies that sources keep: orders, attestations.",
    "findings": "List and resolve what a person must look at.",
    "backup": "Register backups; see until when one holds what went.",
    "audit": "Verify, prove, export and sign the tamper-evident log.",
    "keys": "List the keys, and let a new signing key take over.",
    "scan-residue": "Look for purged identifiers in every file of ours.",
    "source": "Look at unknown exports; get permission to ask.",
    "demo": "Show the whole job on seven months of invented data.",
    "serve": "Do the jobs on their schedule; take webhooks.",
    "simulate": "Play Hootsuite: its APIs, webhooks and exports, invented.",
    "notice": "Write the notice's sentence, and check what was published.",
    "notify": "Tell people of what is at risk, by mail or webhook.",
    "deploy": "Write the files of a service: units, crontab, manual.",
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._summary(ctx, name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command without loading any."""
        from click.shell_completion import CompletionItem

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=self._summary(ctx, name)) for name in names]
        return [*commands, *super(click.Group, self).shell_complete(ctx, incomplete)]

    def _summary(self, ctx: click.Context, name: str) -> str:
        command = None if name in SUMMARIES else self.get_command(ctx, name)
        return command.get_short_help_str(100) if command else SUMMARIES[name]


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
    # A sixth of the start goes into looking for garbage among modules, which all stay.
    gc.set_threshold(50_000, 20, 20)
    # A service manager may start us without one of them.
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a reason may hold what an old locale cannot spell
    try:
        require_text(sys.argv[1:])
        code = retention.main(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        without_values(error).show()
        code = Exit.USAGE
    except RetentionError as error:
        click.echo(f"retention: {error}", err=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("retention: interrupted", err=True)
        code = Exit.FAILED
    except BrokenPipeError:
        _give_up_stdout()
        code = Exit.FAILED
    except Exception as error:  # noqa: BLE001  # the last resort: no traceback, because its values may be personal
        code = _unexpected(error)
    sys.exit(int(code or 0))


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _give_up_stdout() -> None:
    """Throw away what could not be written, or the interpreter would try once more at its end and fail by itself."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unexpected(error: Exception) -> Exit:
    """Say where an error arose that nobody foresaw, without its message, which may quote a value."""
    said = ""
    if isinstance(error, OSError) and error.errno:
        said = f": {os.strerror(error.errno)}"
        with suppress(OSError):
            _give_up_stdout()
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = (
        f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "unknown"
    )  # a name, not a file
    click.echo(
        f"retention: an error that was not foreseen ({type(error).__name__} at {where}{said}). "
        "Nothing is half done. Please report this line.",
        err=True,
    )
    return Exit.FAILED
