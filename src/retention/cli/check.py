"""``retention check``, and with ``--deep`` the doctor."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retention.cli.frame import common, exits, opened, put_drill, reporting, settings_of
from retention.errors import ConfigError, Exit, RetentionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.context import Context
    from retention.doctor.station import Station
    from retention.report.log_standing import LogStanding
    from retention.settings import Settings

_PARTLY = "with --deep: something is to be mended; without: triggers of the audit log are missing"


@click.command(
    epilog=exits(
        Exit.PARTLY_DONE, Exit.BELT_CLOSED, Exit.LOG_NOT_VERIFIED, example="retention check --deep", partly=_PARTLY
    )
)
@common
@click.option("--deep", is_flag=True, help="Look at everything: files, disks, clock, service; each line with its fix.")
@reporting
def check(*, config: Path | None, now: datetime | None, verbose: bool, deep: bool, form: str) -> None:
    """Check everything; say the schedule in plain English.

    --deep is a doctor: it changes nothing, connects to nothing but the database, and gives for each thing that is
    not in order the command to run. It also works where nothing is set up yet. Only it has --format json.
    """
    if deep:
        click.get_current_context().exit(int(_deep(config, now, form=form, verbose=verbose)))
    if form == "json":
        msg = "--format json goes with --deep"
        raise UsageError(msg)
    _check(config, now, verbose=verbose)


def _check(config: Path | None, now: datetime | None, *, verbose: bool) -> None:
    from retention.anchors.catalog import build_anchors
    from retention.report.check import inspect_log, inspect_outside, inspect_sources
    from retention.service.needs import lacking
    from retention.service.trigger import check_jobs
    from retention.settings import find_config

    settings = settings_of(config)
    check_jobs(find_config(config), settings, datetime.now(UTC))
    for line in _said(settings, now or datetime.now(UTC)):
        click.echo(line)
    outside = inspect_outside(build_anchors(settings), settings.notify)
    problems = [*inspect_sources(settings.of_files), *outside, *lacking(settings)]
    with opened(config, now, verbose=verbose) as (context, _):
        put_drill(context)
        log, found = _look(context)
    unguarded = inspect_log(log)
    problems += found
    if problems:
        raise UsageError("\n".join([*problems, *unguarded]))
    if unguarded:
        click.echo(f"retention: {unguarded[0]}", err=True)
        click.get_current_context().exit(int(Exit.PARTLY_DONE))
    click.echo(f"Sources are in order: {', '.join(source.name for source in settings.source)}.")


def _said(settings: Settings, now: datetime) -> Iterator[str]:
    """Say back what the configuration means."""
    from retention.anchors.catalog import build_anchors
    from retention.policy.schedule import configured_schedule
    from retention.policy.words import say_schedule
    from retention.report.backups import say_rule
    from retention.report.check import say_anchors, say_channels, say_notice, say_upstream
    from retention.service.needs import say_serving

    schedule = configured_schedule(settings.schedule)
    yield f"The schedule, counted in {schedule.time_zone}:"
    yield from (f"  {sentence}" for sentence in say_schedule(schedule, schedule.today(now)))
    yield from say_notice(schedule, settings.notice)
    yield from say_upstream(settings.source, settings.upstream)
    yield from say_channels(settings.notify)
    yield from say_serving(settings)
    yield from say_anchors(build_anchors(settings))
    yield say_rule(settings.backups, schedule.today(now))


def _look(context: Context) -> tuple[LogStanding, list[str]]:
    """Say how the installation stands, and give the log's standing and what is lacking."""
    from retention.policy.words import say_count
    from retention.report.check import say_powers
    from retention.report.log_standing import log_standing
    from retention.store.grants import can_alter_log

    problems: list[str] = []
    memory = context.remembered()
    with context.database.read() as connection:
        memory.compare(connection)
    for pickup in context.pickups():
        click.echo(pickup.describe())
        problems += [f"source {pickup.name}: {problem}" for problem in pickup.problems()]
    context.signer()
    context.check_keys()
    context.sources()
    with context.database.read() as connection:
        log = log_standing(connection, context.installation.origin, context.verifiers)
        powers = say_powers(connection.dialect.name, can_alter=can_alter_log(connection))
    problems += context.lacking()
    if log.in_order:
        click.echo("The database and the keys are in order.")
    click.echo(f"The audit log {context.installation.origin} has {say_count(log.size, 'entry')}: {log.words()}.")
    if log.fault is not None:
        raise log.fault.refusal()
    click.echo(powers)
    return log, problems


def _deep(config: Path | None, now: datetime | None, *, form: str, verbose: bool) -> Exit:
    from retention.doctor.case import opened_case
    from retention.doctor.look import examine, exit_of
    from retention.doctor.told import as_json, as_text
    from retention.logs import set_up_logs
    from retention.settings import find_config
    from retention.settings.load import load_partly

    set_up_logs(verbose=verbose)
    try:
        path = find_config(config).absolute()
    except ConfigError as error:
        path, missing = Path(), error.problems
    else:
        missing = []
    part, problems = load_partly(path)
    said = _said_of(part.settings, part.wrong, now or datetime.now(UTC))  # imports what it needs before root steps down
    station = _station(path if path.is_file() else config, part.settings, part.wrong)
    present = now or datetime.now(UTC).replace(microsecond=0)
    with opened_case(station, present, part.settings, part.wrong, tuple(missing or problems)) as case:
        drill = case.context is not None and case.context.installation.drill
        if now is not None and case.context is not None and not drill:
            msg = "--now is for drills only; this database is not a drill"
            raise UsageError(msg)
        lines = examine(case)
    if form == "json":
        click.echo(json.dumps({**as_json(lines, said), **({"drill": True} if drill else {})}, indent=2))
    else:
        if drill and case.context is not None:
            put_drill(case.context)
        click.echo("\n".join([*said, "", as_text(lines)]))
    return exit_of(lines)


def _said_of(settings: Settings, wrong: frozenset[str], now: datetime) -> list[str]:
    """Say what the configuration means, where that can be said."""
    if wrong & {"schedule", "source"}:
        return []
    try:
        return [*_said(settings, now)]
    except RetentionError as error:
        return [str(error)]


def _station(config: Path | None, settings: Settings, wrong: frozenset[str]) -> Station:
    """Find out whom the register belongs to; root becomes that user, to see what the service sees."""
    from retention.doctor.station import Station, owner_of, step_down
    from retention.doctor.units import user_of

    person, owner = os.geteuid(), None
    if "paths" not in wrong:
        owner = owner_of(settings.paths.state)
    if owner is None:
        owner = user_of(Station(config, person, person))
    worker = person if owner is None else owner
    station = Station(config, person, worker)
    if person == 0 and worker != 0:
        step_down(worker)
    return station
