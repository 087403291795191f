"""``retention init``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from retention.cli.frame import common, exits, settings_of
from retention.errors import UsageError


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
