"""``retention ingest``, ``retention purge`` and ``retention run``: the main job and its parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting, this_person, watched
from retention.errors import Exit, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from retention.context import Context
    from retention.departures import Approval
    from retention.policy.plan import Plan
    from retention.sources.interface import SkippedFile
    from retention.store.runs import Run


@click.command(
    epilog=exits(
        Exit.PARTLY_DONE,
        Exit.LOCKED,
        Exit.BELT_CLOSED,
        Exit.LOG_NOT_VERIFIED,
        example="retention ingest --source hootsuite-inbox export.csv",
    )
)
@common
@reporting
@click.option("--source", help="The source that the named files come from; needed where there are several.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def ingest(
    config: Path | None, now: datetime | None, verbose: bool, form: str, source: str | None, paths: tuple[Path, ...]
) -> None:
    """Register what is new in the landing folders or PATHS.

    Ingested files are disposed of as the source's after_ingest says. A named file that is refused stays where it is.
    """
    from retention import cycle
    from retention.report import work

    with opened(config, now, verbose=verbose) as (context, present):
        named = (context.source(source), list(paths)) if paths else None
        if source is not None and not paths:
            msg = "--source goes with files; without files every landing folder is read"
            raise UsageError(msg)
        skipped: list[tuple[str, SkippedFile]] = []
        with watched("reading") as watcher:
            collecting = replace(watcher, skip=lambda *found: skipped.append(found))
            results = cycle.ingest(context, present, collecting, named)
        if form == "json":
            put_json(context, {**work.imports_as_json(results), **work.skipped_as_json(skipped)})
        else:
            put_drill(context)
            click.echo("\n".join([*work.imports_as_text(results), *work.skipped_as_text(skipped)]))
    _leave(Exit.PARTLY_DONE if work.incomplete(results, skipped) else Exit.DONE)


@click.command(
    epilog=exits(
        Exit.PARTLY_DONE,
        Exit.BROKEN,
        Exit.LOCKED,
        Exit.BELT_CLOSED,
        Exit.LOG_NOT_VERIFIED,
        example="retention purge --dry-run",
    )
)
@common
@reporting
@click.option("--dry-run", is_flag=True, help="Make the plan, print it with its digest, and stop.")
@click.option("--list", "list_keys", is_flag=True, help="With --dry-run: stream the identifiers of what is due.")
@click.option("--plan", "digest", metavar="DIGEST", help="Carry out this plan, made by --dry-run; passes closed belts.")
@click.option("--reason", metavar="TEXT", help="With --plan: why a closed safety belt may be passed.")
def purge(
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    form: str,
    dry_run: bool,
    list_keys: bool,
    digest: str | None,
    reason: str | None,
) -> None:
    """Dispose of what is past its period and not held.

    Without --plan a plan is made and carried out at once, unless a safety belt objects. Where people must approve it,
    it waits for them (see: retention plan), and what they approved is carried out.
    """
    from retention import cycle, departures
    from retention.report import work
    from retention.report.upstream import deleted_for_earlier

    if dry_run and (digest or reason):
        msg = "--dry-run only makes a plan; carry it out afterwards with --plan DIGEST"
        raise UsageError(msg)
    if reason and not digest:
        msg = "--reason goes with --plan DIGEST: a belt is passed for a plan that somebody has looked at"
        raise UsageError(msg)
    if list_keys and (not dry_run or form == "json"):
        msg = "--list goes with --dry-run and text output"
        raise UsageError(msg)
    with opened(config, now, verbose=verbose) as (context, present):
        if dry_run:
            _show_plan(context, present, form, list_keys=list_keys)
            return
        chosen, approval = _chosen(context, digest, reason)
        before = _calls(context)
        with watched("purging", chosen.due if chosen else None) as watcher:
            made, finished = cycle.purge(context, present, watcher, chosen, approval)
        left, calls = departures.not_deleted_upstream(context), _calls(context, finished)
        if form == "json":
            put_json(context, {"plan": work.plan_as_json(made), "run": work.run_as_json(finished, calls)})
        else:
            put_drill(context)
            told = work.run_as_text(finished, calls, departures.unsearched(context))
            told += deleted_for_earlier(before, _calls(context), calls)
            click.echo("\n".join([*work.plan_as_text(made), *told, *work.waiting_as_text(left)]))
    _leave(work.exit_of(finished, left))


@click.command(
    epilog=exits(
        Exit.PARTLY_DONE, Exit.BROKEN, Exit.LOCKED, Exit.BELT_CLOSED, Exit.LOG_NOT_VERIFIED, example="retention run"
    )
)
@common
@reporting
def run(config: Path | None, now: datetime | None, verbose: bool, form: str) -> None:
    """Do the whole job once, as a timer or cron would.

    That is: ingest, plan, purge, verify the audit log, sign a checkpoint.
    """
    from retention import cycle, departures
    from retention.report import work
    from retention.report.upstream import deleted_for_earlier

    with opened(config, now, verbose=verbose) as (context, present):
        skipped: list[tuple[str, SkippedFile]] = []
        before = _calls(context)
        with watched("working") as watcher:
            result = cycle.run(context, present, replace(watcher, skip=lambda *found: skipped.append(found)))
        left, calls = departures.not_deleted_upstream(context), _calls(context, result.run)
        if form == "json":
            put_json(
                context,
                {
                    **work.imports_as_json(result.imports),
                    **work.skipped_as_json(skipped),
                    "plan": work.plan_as_json(result.plan),
                    "run": work.run_as_json(result.run, calls),
                    "verification": work.verification_as_json(result.verification),
                    "findings": result.raised,
                },
            )
        else:
            put_drill(context)
            taken = [*work.imports_as_text(result.imports), *work.skipped_as_text(skipped)]
            click.echo("\n".join([*taken, *work.plan_as_text(result.plan)]))
            told = work.run_as_text(result.run, calls, departures.unsearched(context))
            click.echo("\n".join([*told, *deleted_for_earlier(before, _calls(context), calls)]))
            click.echo(work.verification_as_text(result.verification))
            for line in [*work.waiting_as_text(left), *work.raised_as_text(result.raised)]:
                click.echo(line)
    codes = [
        Exit.DONE if result.verification.ok else Exit.LOG_NOT_VERIFIED,
        work.exit_of(result.run, left),
        Exit.PARTLY_DONE if result.raised or work.incomplete(result.imports, skipped) else Exit.DONE,
    ]
    _leave(next((code for code in codes if code), Exit.DONE))


def _show_plan(context: Context, now: datetime, form: str, *, list_keys: bool) -> None:
    from retention import cycle, upkeep
    from retention.report import work

    made, hindrances, notes = cycle.plan(context, now), upkeep.hindrances(context), upkeep.unguarded(context)
    if form == "json":
        put_json(context, {"plan": work.plan_as_json(made), "run": None, "refused": hindrances, "notes": notes})
        return
    put_drill(context)
    if list_keys:
        _stream_due(context, made)
        notes = [*(f"would be REFUSED: {one}" for one in hindrances), *notes]
    else:
        objections = cycle.objections(context, made, now)
        going_on = work.how_to_go_on(made, objections, hindrances, context.settings.purge.approvals)
        click.echo("\n".join([*work.plan_as_text(made), *going_on]))
    click.echo("\n".join(notes), err=True, nl=bool(notes))


def _chosen(context: Context, digest: str | None, reason: str | None) -> tuple[Plan | None, Approval | None]:
    from retention.acts.remarks import keep_remark
    from retention.departures import Approval
    from retention.store import runs

    if digest is None:
        return None, None
    with context.database.write() as connection:
        chosen = runs.find_plan(connection, digest)
        if not reason:
            return chosen, None
        return chosen, Approval(keep_remark(connection, reason), keep_remark(connection, this_person()))


def _calls(context: Context, finished: Run | None = None) -> list[dict[str, Any]]:
    from retention.report.upstream import calls_of

    with context.database.read() as connection:
        return calls_of(connection, finished.id if finished else None)


def _stream_due(context: Context, made: Plan) -> None:
    from retention.model import from_epoch, iso
    from retention.store import register

    with context.database.read() as connection:
        for part in made.rules:
            for received_at, key in register.stream_due(connection, before=part.cutoff, class_ids=part.class_ids):
                click.echo(f"{iso(from_epoch(received_at))}\t{part.rule}\t{key.partition(':')[2]}")


def _leave(code: Exit) -> None:
    if code:
        click.get_current_context().exit(int(code))
