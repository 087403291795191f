"""What every command shares: its options, how an installation is opened, and how results are put out."""

from __future__ import annotations

import getpass
import json
import os
import signal
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retention.errors import Exit, StoppedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retention.context import Context
    from retention.settings import Settings
    from retention.watcher import Watcher

_MEANINGS = {
    Exit.DONE: "done; for status: the promise is kept",
    Exit.FAILED: "failed; the error is named on stderr",
    Exit.USAGE: "wrong usage or configuration; file, key and reason are named",
    Exit.PARTLY_DONE: "partly done; details in: retention findings list",
    Exit.AT_RISK: "status, notice check: the promise is at risk",
    Exit.BROKEN: "the promise is broken: overdue messages, also at a source, or the log does not verify",
    Exit.NO_DATABASE: "no database or wrong schema version; the command to run is named",
    Exit.LOCKED: "another run is at work",
    Exit.BELT_CLOSED: "stopped by a safety belt, or a plan waits for approval; how to go on is named",
    Exit.LOG_NOT_VERIFIED: "the audit log does not verify",
}
# Far enough from the ends of the calendar for the longest period to be counted in both directions.
FIRST_YEAR, LAST_YEAR = 1970, 9000
_INSTANT = "2026-11-22T03:00:00+00:00"
NUMBER = click.IntRange(1, 2**63 - 1)
_COMMON = (Exit.DONE, Exit.FAILED, Exit.USAGE, Exit.NO_DATABASE)


def exits(*codes: Exit, example: str, partly: str | None = None) -> str:
    """Write the end of a command's help: an example and the exit codes; ``partly`` says what 3 means there."""
    meanings = {**_MEANINGS, **({Exit.PARTLY_DONE: partly} if partly else {})}
    lines = [f"  {int(code):>2}  {meanings[code]}" for code in sorted({*_COMMON, *codes})]
    return "\n".join(["\b", "Example:", f"  {example}", "", "\b", "Exit codes:", *lines])


def parse_instant(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """Read an ISO 8601 instant with its offset."""
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not FIRST_YEAR <= instant.year <= LAST_YEAR:
        msg = f"write an instant of the years {FIRST_YEAR} to {LAST_YEAR} with its offset, such as {_INSTANT}"
        raise click.BadParameter(msg)
    return instant.astimezone(UTC)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config``, ``--now`` and ``--verbose``."""
    command = click.option("--verbose", is_flag=True, help="Log every step on stderr.")(command)
    command = click.option(
        "--now", callback=parse_instant, metavar="INSTANT", help="In a drill only: act as if it were this instant."
    )(command)
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The configuration. [default: $RETENTION_CONFIG, config/retention.toml, /etc/retention/retention.toml]",
    )(command)


def reporting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--format text|json``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="How to report.",
    )(command)


def this_person() -> str:
    """Name the user who runs this, as far as the system knows a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user is often a bare number
        return f"user {os.getuid()}"


def settings_of(config: Path | None) -> Settings:
    """Find, read and check the configuration."""
    from retention.anchors.catalog import build_anchors
    from retention.configured import check_sources
    from retention.settings import find_config, load_settings

    path = find_config(config)
    settings = load_settings(path)
    check_sources(path, settings)
    build_anchors(settings)
    return settings


@contextmanager
def opened(config: Path | None, now: datetime | None, *, verbose: bool) -> Iterator[tuple[Context, datetime]]:
    """Open the installation and settle what time it is; only a drill may be told another time than the clock's."""
    from retention.context import open_context
    from retention.logs import set_up_logs

    set_up_logs(verbose=verbose)
    context = open_context(settings_of(config))
    try:
        if now is not None and not context.installation.drill:
            msg = "--now is for drills only, so that nobody can make messages due early; this database is not a drill"
            raise UsageError(msg)
        yield context, now or datetime.now(UTC).replace(microsecond=0)
    finally:
        context.database.close()


@contextmanager
def watched(label: str, total: int | None = None) -> Iterator[Watcher]:
    """Follow a long job: a progress bar on a terminal, and a stop between two batches on Ctrl-C or SIGTERM."""
    from retention.watcher import Watcher

    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: asked.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }

    def stop() -> None:
        if asked:
            msg = "stopped as asked, between two batches; nothing is half done. Run the command again to go on"
            raise StoppedError(msg)

    try:
        with _bar(label, total) as tick:
            yield Watcher(tick=tick, stop=stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _bar(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda count: progress.advance(task, count)


def put_json(context: Context, value: dict[str, Any]) -> None:
    """Write one JSON object on stdout; that of a drill says so."""
    drill = {"drill": True} if context.installation.drill else {}
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    click.echo(json.dumps({**value, **drill}, ensure_ascii=ascii_only, indent=2))


def put_drill(context: Context) -> None:
    """Say DRILL first, where it is one."""
    if context.installation.drill:
        click.echo("DRILL: what follows is an exercise, not a record of real messages.")
