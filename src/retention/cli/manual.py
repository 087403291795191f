"""The manual, one page a command, and completions for shells: both made of the commands as they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import ShellComplete, get_completion_class

from retention import __file__ as _package
from retention import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "retention"
COMPLETIONS = {
    "bash": "usr/local/share/bash-completion/completions/retention",
    "zsh": "usr/local/share/zsh/site-functions/_retention",
    "fish": "usr/local/share/fish/vendor_completions.d/retention.fish",
}
_ENVIRONMENT = {
    "RETENTION_CONFIG": "The configuration, where --config names none.",
    "RETENTION_LOG_LEVEL": "debug, info, warning, error or critical.",
    "CREDENTIALS_DIRECTORY": "A folder with secrets, one file each; systemd sets it.",
}


def completions(root: click.Group) -> Iterator[tuple[str, str]]:
    """Give each shell's completion: its path below a prefix, and its text."""
    for shell, path in COMPLETIONS.items():
        kind = get_completion_class(shell)
        if kind is not None:
            # The class of bash would first start a bash to ask for its version, which need not be this machine's.
            yield path, ShellComplete.source(kind(root, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE"))


def pages(root: click.Group) -> Iterator[tuple[str, str]]:
    """Give each command's page of section 1: its name and its text in roff."""
    for context in _contexts(click.Context(root, info_name=PROGRAM, **root.context_settings)):
        name = context.command_path.replace(" ", "-")
        yield f"{name}.1", "\n".join(_page(name, context)) + "\n"


def _contexts(context: click.Context) -> Iterator[click.Context]:
    yield context
    for name, command in _below(context):
        yield from _contexts(click.Context(command, parent=context, info_name=name))


def _below(context: click.Context) -> Iterator[tuple[str, click.Command]]:
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command is not None and not command.hidden:
                yield name, command


def _page(name: str, context: click.Context) -> Iterator[str]:
    command = context.command
    made = datetime.fromtimestamp(Path(_package).stat().st_mtime, UTC).date()
    yield f'.TH {_quoted(name.upper())} 1 {made} "{PROGRAM} {__version__}" "Message retention"'
    yield from (".SH NAME", rf"{_text(name)} \- {_text(command.get_short_help_str(200).rstrip('.'))}")
    yield from (".SH SYNOPSIS", rf"\fB{_text(context.command_path)}\fR")
    yield _text(" ".join(command.collect_usage_pieces(context)))
    yield from (".SH DESCRIPTION", *_paragraphs(command.help or ""))
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    yield from _listed("OPTIONS", [record for record in records if record])
    yield from _listed("COMMANDS", [(sub, child.get_short_help_str(200)) for sub, child in _below(context)])
    example, codes = _read(command.epilog or "")
    yield from _listed("EXIT STATUS", codes)
    if example:
        yield from (".SH EXAMPLES", ".nf", *map(_text, example), ".fi")
    if context.parent is None:
        yield from _listed("ENVIRONMENT", [*_ENVIRONMENT.items()])
    yield from _see_also(context)


def _listed(title: str, rows: list[tuple[str, str]]) -> Iterator[str]:
    if rows:
        yield f".SH {_quoted(title)}"
    for term, told in rows:
        yield from (".TP", rf"\fB{_text(term)}\fR", _text(told))


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(cleandoc(text.partition("\f")[0]).split("\n\n")):
        if number:
            yield ".PP"
        if paragraph.startswith("\b"):
            yield from (".nf", *map(_text, paragraph.splitlines()[1:]), ".fi")
        else:
            yield from map(_text, paragraph.splitlines())


def _read(epilog: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Take the end of a help apart: the example and the exit codes."""
    example = re.search(r"Example:\n((?: {2}.*(?:\n|$))+)", epilog)
    codes = re.findall(r"^ +(\d+)  (\S.*)$", epilog.partition("Exit codes:")[2], re.MULTILINE)
    return example[1].splitlines() if example else [], codes


def _see_also(context: click.Context) -> Iterator[str]:
    names = [context.parent.command_path] if context.parent else []
    names += [f"{context.command_path} {name}" for name, _ in _below(context)]
    if names:
        yield ".SH SEE ALSO"
    for number, name in enumerate(names, start=1):
        comma = "," if number < len(names) else ""
        yield f".BR {_text(name.replace(' ', '-'))} (1){comma}"


def _text(text: str) -> str:
    """Write a line so that roff takes nothing in it for an order of its own."""
    plain = text.replace("\\", r"\e").replace("-", r"\-")
    plain = "".join(letter if letter.isascii() else rf"\[u{ord(letter):04X}]" for letter in plain)
    return rf"\&{plain}" if plain.startswith((".", "'")) else plain


def _quoted(text: str) -> str:
    return f'"{_text(text)}"'
