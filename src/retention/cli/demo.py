"""``retention demo``: the narrated demo."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retention.cli.frame import exits
from retention.errors import RetentionError

if TYPE_CHECKING:
    from retention.demo.tour import Week

_COLUMNS = ("week of", "registered", "disposed of", "held", "left", "due and not held")


@click.command(epilog=exits(example="retention demo --directory demo-run"))
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default="demo-run",
    show_default=True,
    help="A new folder.",
)
@click.option("--seed", type=int, default=2026, show_default=True, help="Another seed, another history.")
def demo(directory: Path, seed: int) -> None:
    """Show the whole job on seven months of invented data.

    It runs in drill time and leaves the folder to look around in.
    """
    from retention.demo.narration import Narrator
    from retention.demo.tour import Tour
    from retention.demo.ways import Ways
    from retention.logs import LEVEL

    os.environ.setdefault(LEVEL, "error")
    began = time.monotonic()
    program = _program()
    weeks = Tour(Narrator(directory, _run, click.echo, program), seed).guide()
    Ways(Narrator(directory / "every-way-in", _run, click.echo, program), seed).guide()
    click.echo("\n# The weeks in one table")
    _table(weeks)
    click.echo(f"\nThat took {time.monotonic() - began:.0f} seconds. Everything is in {directory}. Now try:")
    config = shlex.quote(str(directory / "retention.toml"))
    second = shlex.quote(str(directory / "every-way-in" / "retention.toml"))
    for command in (
        f"less {shlex.quote(str(directory / 'deletion-log.csv'))}",
        f"{program} status --config {config} --now 2026-12-23T06:00Z",
        f"{program} purge --dry-run --config {config} --now 2026-12-23T06:00Z",
        f"{program} hold list --all --config {config}",
        f"{program} audit checkpoint --config {config}",
        f"{program} upstream show 2 --config {second}",
    ):
        click.echo(f"  {command}")


def _program() -> str:
    """Give the program as it can be typed from here: by its name where that finds it, else by its path."""
    called = Path(sys.argv[0]).absolute()
    if called.name == "__main__.py":
        return f"{_path(Path(sys.executable))} -m retention"
    found = shutil.which("retention")
    return "retention" if found is not None and Path(found).resolve() == called.resolve() else _path(called)


def _path(called: Path) -> str:
    here = Path.cwd()
    return shlex.quote(str(called.relative_to(here) if called.is_relative_to(here) else called))


def _run(arguments: list[str]) -> tuple[int, str]:
    """Run a command in this process, as ``main`` would: errors join what it writes, progress bars stay on stderr."""
    from retention.cli.app import retention

    out = io.StringIO()
    with redirect_stdout(out):
        try:
            code = int(retention.main(arguments, standalone_mode=False) or 0)
        except RetentionError as error:
            out.write(f"retention: {error}\n")
            code = int(error.exit_code)
    return code, out.getvalue()


def _table(weeks: list[Week]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*_COLUMNS[:1])
    for name in _COLUMNS[1:]:
        table.add_column(name, justify="right")
    for week in weeks:
        numbers = (week.registered, week.disposed, week.held, week.left, week.due_after)
        table.add_row(week.day, *(str(number) for number in numbers))
    Console().print(table)
