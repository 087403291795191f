"""``retention init`` and ``retention check``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from retention.cli.frame import common, exits, opened, put_drill, settings_of
from retention.errors import Exit, UsageError


@click.command(epilog=exits(example="retention init --write-config config/retention.toml"))
@common
@click.option(
    "--write-config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the commented example configuration to FILE and stop.",
)
@click.option(
    "--print-grants", is_flag=True, help="Print the SQL of two PostgreSQL roles, owner and service, and stop."
)
@click.option("--owner", default="retention_owner", show_default=True, help="With --print-grants: who runs init.")
@click.option(
    "--service", default="retention_service", show_default=True, help="With --print-grants: who runs the rest."
)
@click.option("--drill", is_flag=True, help="Mark a new database as a drill for ever; only there --now is allowed.")
def init(
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    write_config: Path | None,
    print_grants: bool,
    owner: str,
    service: str,
    drill: bool,
) -> None:
    """Make database, keys and audit log, or update the schema.

    It can be repeated: what is there already stays as it is.
    """
    from retention.acts.setup import put_back, set_up, write_example
    from retention.logs import set_up_logs
    from retention.policy.words import say_count

    set_up_logs(verbose=verbose)
    if write_config is not None:
        write_example(write_config)
        click.echo(f"Wrote {write_config}. Edit it, then run: retention init --config {write_config}")
        return
    if print_grants:
        from retention.store.grants import script

        click.echo(script(owner, service), nl=False)
        return
    if now is not None and not drill:
        msg = "--now is for drills only; add --drill"
        raise UsageError(msg)
    settings = settings_of(config)
    settled = set_up(settings, now or datetime.now(UTC).replace(microsecond=0), drill=drill)
    click.echo(f"{'DRILL: ' if settled.drill else ''}The register is ready. Its audit log is {settled.origin}.")
    click.echo(f"It is at {settings.database.place}.")
    click.echo(f"Keys are in {settings.paths.state / 'keys'}: back them up apart from the database.")
    if guards := put_back(settings):
        click.echo(
            f"Put back {say_count(guards, 'trigger')} that keep the audit log append-only. Look at the log with:"
        )
        click.echo("  retention audit verify --deep")
    click.echo("Next: retention check")


@click.command(
    epilog=exits(Exit.BELT_CLOSED, Exit.LOG_NOT_VERIFIED, example="retention check --config config/retention.toml")
)
@common
def check(config: Path | None, now: datetime | None, verbose: bool) -> None:
    """Check everything; say the schedule in plain English."""
    from retention.anchors.catalog import build_anchors
    from retention.policy.schedule import configured_schedule
    from retention.policy.words import say_count, say_schedule
    from retention.report.check import (
        inspect_log,
        inspect_outside,
        inspect_sources,
        say_anchors,
        say_channels,
        say_notice,
        say_powers,
        say_upstream,
    )
    from retention.report.log_standing import log_standing
    from retention.service.needs import lacking, say_serving
    from retention.service.trigger import check_jobs
    from retention.settings import find_config
    from retention.store.grants import can_alter_log

    settings = settings_of(config)
    check_jobs(find_config(config), settings, datetime.now(UTC))
    schedule = configured_schedule(settings.schedule)
    click.echo(f"The schedule, counted in {schedule.time_zone}:")
    for sentence in say_schedule(schedule, schedule.today(now or datetime.now(UTC))):
        click.echo(f"  {sentence}")
    for sentence in say_notice(schedule, settings.notice):
        click.echo(sentence)
    for sentence in [*say_upstream(settings.source, settings.upstream), *say_channels(settings.notify)]:
        click.echo(sentence)
    for line in say_serving(settings):
        click.echo(line)
    anchors = build_anchors(settings)
    for line in say_anchors(anchors):
        click.echo(line)
    problems = [*inspect_sources(settings.of_files), *inspect_outside(anchors, settings.notify), *lacking(settings)]
    with opened(config, now, verbose=verbose) as (context, _):
        put_drill(context)
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
        problems += inspect_log(log)
        click.echo(powers)
    if problems:
        raise UsageError("\n".join(problems))
    click.echo(f"Sources are in order: {', '.join(source.name for source in settings.source)}.")
