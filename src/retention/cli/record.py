"""``retention audit record``: the disposal record of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retention.cli.frame import NUMBER, common, exits, opened, put_drill, this_person, watched
from retention.errors import Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from retention.acts.recording import RecordFormat
    from retention.report.record import Record

_STDOUT = "-"
_FILE = click.Path(path_type=Path, dir_okay=False)
_EXTRA = {"segno", "typst"}


@click.command(
    epilog=exits(Exit.BELT_CLOSED, Exit.LOG_NOT_VERIFIED, example="retention audit record --run 7 --pdf record-7.pdf")
)
@common
@click.option("--run", "run_id", type=NUMBER, required=True, help="The number of the run; see retention status.")
@click.option("--pdf", type=_FILE, metavar="FILE", help="One A4 page for people.")
@click.option("--html", type=_FILE, metavar="FILE", help="The same page for a browser.")
@click.option(
    "--json",
    "as_json",
    is_flag=False,
    flag_value=_STDOUT,
    metavar="[FILE]",
    help="Every fact, with the counts of every day. [without FILE: stdout]",
)
def record(
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    run_id: int,
    pdf: Path | None,
    html: Path | None,
    as_json: str | None,
) -> None:
    """Draw the disposal record of a run.

    It says what was disposed of, on whose authority, how late, what is not known, and how to verify it. The log is
    verified first, and every record that is given out is an entry of the log.
    """
    from retention.acts.recording import draw, give_out, write_document

    targets = _targets(pdf, html, as_json)
    if not targets:
        msg = "say how to draw the record: --pdf FILE, --html FILE or --json [FILE]"
        raise UsageError(msg)
    renderers: dict[RecordFormat, Callable[[Record], bytes]] = {how: _renderer(how) for how in targets}
    with opened(config, now, verbose=verbose) as (context, present):
        with watched("verifying") as watcher:
            drawn = draw(context, run_id, present, watcher.tick)
        documents = {how: render(drawn) for how, render in renderers.items()}
        if None not in targets.values():
            put_drill(context)
        for how, path in targets.items():
            give_out(context, documents[how], how, now=present, person=this_person())
            if path is None:
                click.echo(documents[how], nl=False)
            else:
                write_document(documents[how], path)
                click.echo(f"Wrote the disposal record of run {run_id} to {path}.", err=None in targets.values())


def _targets(pdf: Path | None, html: Path | None, as_json: str | None) -> dict[RecordFormat, Path | None]:
    targets: dict[RecordFormat, Path | None] = {}
    if pdf is not None:
        targets["pdf"] = pdf
    if html is not None:
        targets["html"] = html
    if as_json is not None:
        targets["json"] = None if as_json == _STDOUT else Path(as_json)
    return targets


def _renderer(how: RecordFormat) -> Callable[[Record], bytes]:
    try:
        if how == "pdf":
            from retention.report.record_pdf import record_as_pdf

            return record_as_pdf
        if how == "html":
            from retention.report.record_html import record_as_html

            return record_as_html
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        msg = f'--{how} needs the extra "pdf"; install it with: pip install "retention-enforcer[pdf]"'
        raise UsageError(msg) from None
    from retention.report.record_json import record_as_json

    return record_as_json
