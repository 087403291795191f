"""Wrong usage, told without the values that were typed: one may be an identifier, and stderr is often kept."""

from __future__ import annotations

import re
from typing import Any

import click

from retention.errors import UsageError


def require_text(arguments: list[str]) -> None:
    """Refuse arguments that no database could take.

    Raises:
        UsageError: an argument has bytes that are no text in this locale's encoding.

    """
    if any(not argument.isascii() and _is_torn(argument) for argument in arguments):
        msg = "an argument has bytes that are not text in the encoding of this locale; most want UTF-8"
        raise UsageError(msg)


def _is_torn(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return True
    return False


def without_values(error: click.ClickException) -> click.ClickException:
    """Give an error of click's that says the same but for the value; names of files stay."""
    if isinstance(error, click.MissingParameter):
        return error
    if isinstance(error, click.BadParameter) and error.param is not None:
        reason = _reason(error.param.type)
        return error if reason is None else click.BadParameter(reason, error.ctx, error.param)
    if isinstance(error, click.NoSuchCommand):
        group = error.ctx.command if error.ctx else None
        near = group.list_commands(click.Context(group)) if isinstance(group, click.Group) else ()
        return click.NoSuchCommand(error.command_name, "No such command.", near, error.ctx)
    if type(error) is click.UsageError and error.message.startswith("Got unexpected"):
        return click.UsageError("Got more arguments than the command takes.", error.ctx)
    return error


def _spelled(form: str) -> str:
    """Spell a date's form as people do: YYYY-MM-DD."""
    parts = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "hh", "%M": "mm", "%S": "ss"}
    return re.sub("%[A-Za-z]", lambda part: parts[part[0]], form)


def _reason(kind: click.ParamType[Any]) -> str | None:
    if isinstance(kind, click.Choice):
        return f"is not one of {', '.join(kind.choices)}."
    if isinstance(kind, click.DateTime):
        return f"does not have the form {' or '.join(map(_spelled, kind.formats))}."
    if isinstance(kind, click.types.IntParamType):
        return "is not a whole number, or not one that can occur here."
    return None
