"""A command that can also be a monitoring plugin: then every error is one line on stdout and exit code 3."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from retention.cli.wrong import without_values
from retention.errors import RetentionError
from retention.report.nagios import PluginCode, unknown

if TYPE_CHECKING:
    from typing import NoReturn

PLUGIN = "nagios"


class PluginCommand(click.Command):
    """Answers UNKNOWN where ``--format nagios`` was asked for and something fails, wrong usage included."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401  # click's signature
    ) -> click.Context:
        """Read the arguments."""
        plugin = _asks_for_plugin(args)  # before they are taken off the list
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as error:
            if plugin:
                _say_unknown(without_values(error).format_message())
            raise

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's signature
        """Carry the command out."""
        if ctx.params.get("form") != PLUGIN:
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except click.exceptions.Exit:
            raise
        except RetentionError as error:
            _say_unknown(str(error))
        except click.ClickException as error:
            _say_unknown(without_values(error).format_message())
        except Exception as error:  # noqa: BLE001  # whoever watches must hear of it; its message may quote a value
            _say_unknown(f"an error that was not foreseen ({type(error).__name__})")


def _asks_for_plugin(args: list[str]) -> bool:
    return f"--format={PLUGIN}" in args or ("--format", PLUGIN) in pairwise(args)


def _say_unknown(reason: str) -> NoReturn:
    click.echo(unknown(reason))
    raise click.exceptions.Exit(int(PluginCode.UNKNOWN))
