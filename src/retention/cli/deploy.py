"""``retention deploy``: the files with which an operating system runs the program, written and taken away."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retention.cli.frame import exits
from retention.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from retention.acts.deploying import Artefact, Manner, Site, Step


@click.group()
def deploy() -> None:
    """Write the files of a service: units, crontab, manual.

    Nothing is started, and nothing that somebody changed is touched.
    """


def _placed(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--dry-run", is_flag=True, help="Say what would be done, and stop.")(command)
    return click.option(
        "--prefix",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("/"),
        show_default=True,
        metavar="DIR",
        help="Put everything below this folder.",
    )(command)


@deploy.command(epilog=exits(example="retention deploy install --systemd --dry-run"))
@click.option("--systemd", "manner", flag_value="systemd", help="Units for systemd: the service, a timer, an alarm.")
@click.option("--cron", "manner", flag_value="cron", help="A file for /etc/cron.d, where there is no systemd.")
@_placed
@click.option("--user", default="retention", show_default=True, metavar="NAME", help="Whom the service runs as.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The configuration that is used. [default: etc/retention/retention.toml below DIR]",
)
def install(manner: Manner | None, prefix: Path, dry_run: bool, user: str, config: Path | None) -> None:
    """Write units or a crontab, manual, completions.

    A file that somebody changed stays; ours is written beside it as FILE.new. Where there is no configuration, the
    example is written. It can be repeated, and after an upgrade it should be.
    """
    from retention.acts import deploying

    if manner is None:
        msg = "say how it is to be run: --systemd or --cron"
        raise UsageError(msg)
    site = _site(prefix, user, config)
    notes = deploying.check_site(site, manner)
    files = [*deploying.artefacts(site, manner), *_made()]
    _tell(deploying.install(site, files, dry_run=dry_run), dry_run=dry_run)
    for line in [*(f"NOTE: {note}" for note in notes), *_next(site, manner)]:
        click.echo(line)


@deploy.command(epilog=exits(example="retention deploy uninstall --dry-run"))
@_placed
def uninstall(prefix: Path, dry_run: bool) -> None:
    """Remove what install wrote and nobody changed.

    Configuration, database, keys and landing folder stay. Stop the service first.
    """
    from retention.acts import deploying

    _tell(deploying.uninstall(_owned(prefix), dry_run=dry_run), dry_run=dry_run)
    click.echo("Configuration and data stay. Remove them yourself, if that is meant.")


def _site(prefix: Path, user: str, config: Path | None) -> Site:
    from retention.acts.deploying import Site

    program = Path(sysconfig.get_path("scripts")) / "retention"
    if not program.exists():
        msg = f"{program} is not there; install the program with pip, and call that one"
        raise UsageError(msg)
    root = _owned(prefix)
    named = config.absolute() if config else root / "etc/retention/retention.toml"
    return Site(root, program, named, user, _group_of(user))


def _owned(prefix: Path) -> Path:
    root = prefix.expanduser().resolve()
    if root == Path("/") and os.geteuid() != 0:
        msg = "only root can write below /: run this as root, or name a folder of your own with --prefix DIR"
        raise UsageError(msg)
    return root


def _group_of(user: str) -> str:
    import grp
    import pwd

    try:
        return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    except KeyError:
        return user


def _made() -> Iterator[Artefact]:
    from retention.acts.deploying import Artefact
    from retention.cli.app import retention
    from retention.cli.manual import completions, pages

    for name, text in pages(retention):
        yield Artefact(f"usr/local/share/man/man1/{name}", text.encode())
    for path, text in completions(retention):
        yield Artefact(path, text.encode())


def _tell(steps: list[Step], *, dry_run: bool) -> None:
    for step in steps:
        click.echo(f"{'would ' if dry_run else ''}{step.act}  {step.path}{f' ({step.why})' if step.why else ''}")


def _next(site: Site, manner: Manner) -> Iterator[str]:
    import pwd

    try:
        pwd.getpwnam(site.user)
    except KeyError:
        yield f"NOTE: there is no user {site.user} yet: useradd --system --shell /usr/sbin/nologin {site.user}"
    if not site.config.exists():
        yield f"NOTE: {site.config} is not there yet: retention init --write-config {site.config}"
    if manner == "cron":
        yield "Next: cron reads the file by itself. Where the timer ran: systemctl disable --now retention-run.timer"
    else:
        yield "Next: systemctl daemon-reload && systemctl enable --now retention-run.timer"
        yield "Next: or, in place of the timer, enable retention.service, which runs all the time"
