"""What the configuration says of each source, built: sources, their pickups, the accounts of interfaces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retention.anchors.catalog import anchor_files
from retention.errors import ConfigError
from retention.settings import say_where
from retention.sources.catalog import Account, build_account, build_pickup, build_source

if TYPE_CHECKING:
    from retention.settings import Settings, SourceSettings
    from retention.settings.locate import Place
    from retention.sources.interface import Pickup, Source

INTERFACE = "hootsuite-api"
API_KEYS = ("url", "client_id", "grant", "member_id", "organization_id", "redirect_uri", "look_back")
"""Keys of a source that is an interface."""


def check_sources(path: Path, settings: Settings) -> None:
    """Build every source once, so that one look at a configuration shows what is wrong with any of them.

    Also looks at where the page for the public goes, which takes the place of what is there.

    Raises:
        ConfigError: a source cannot be built; every problem is listed with file, line and key.

    """
    problems: list[tuple[Place, str]] = []
    for number, source in enumerate(settings.source):
        if source.is_webhook:
            continue
        try:
            configured_source(source)
            configured_pickup(source)
            _check_account(settings, source)
        except ConfigError as error:
            for key, _, reason in (problem.partition(": ") for problem in error.problems):
                problems.append((("source", number, *key.split(".")), reason))
    if _overwrites(path, settings):
        problems.append((("notice", "page"), "would take the place of the program's own files; name another folder"))
    if problems:
        raise ConfigError(say_where(path, problems))


def _overwrites(path: Path, settings: Settings) -> bool:
    """Tell whether the page for the public lies where what is ours, or what others deliver, lies."""
    if settings.notice is None or settings.notice.page is None:
        return False
    page, state = settings.notice.page.resolve(), settings.paths.state
    database = settings.database.place
    files = [path, *(anchor.path for anchor in anchor_files(settings))]
    files += [Path(database + end) for end in ("", "-wal", "-shm", "-journal")]
    folders = [state / "keys", state / "quarantine", state / "api", *(source.folder for source in settings.of_files)]
    return page in {one.resolve() for one in files} or any(one.resolve() in page.parents for one in folders)


def _check_account(settings: Settings, source: SourceSettings) -> None:
    if source.kind == INTERFACE:
        configured_account(settings, source)
        return
    given = [key for key in API_KEYS if getattr(source, key) is not None]
    if given:
        raise ConfigError([f'{key}: is for kind = "{INTERFACE}"' for key in given])


def configured_account(settings: Settings, source: SourceSettings) -> Account:
    """Build the account with which a source asks Hootsuite.

    Raises:
        ConfigError: it cannot be built; every problem begins with the key at fault.

    """
    return build_account(
        name=source.name,
        state=settings.paths.state / "api",
        url=source.url,
        client_id=source.client_id,
        grant=source.grant,
        member_id=source.member_id,
        organization_id=source.organization_id,
        redirect_uri=source.redirect_uri,
    )


def configured_source(settings: SourceSettings) -> Source:
    """Build the source that a table of the configuration describes."""
    columns = settings.columns.model_dump(exclude_none=True) if settings.columns else None
    private_when = settings.private_when.model_dump() if settings.private_when else None
    public_when = settings.public_when.model_dump() if settings.public_when else None
    return build_source(
        settings.kind,
        name=settings.name,
        path=settings.folder,
        time_zone=settings.time_zone,
        preset=settings.preset,
        columns=columns,
        private_when=private_when,
        public_when=public_when,
        date_format=settings.date_format,
        delimiter=settings.delimiter,
        encoding=settings.encoding,
        own_account=settings.own_account,
        settle_seconds=settings.settle_seconds,
    )


def configured_pickup(settings: SourceSettings) -> Pickup | None:
    """Build the pickup that a table of the configuration describes; None where files land by other means."""
    if settings.host is None or settings.user is None or settings.host_key is None:
        return None
    return build_pickup(
        name=settings.name,
        path=settings.folder,
        host=settings.host,
        port=settings.port,
        user=settings.user,
        host_key=settings.host_key,
        sign_in=settings.sign_in,
        key_file=settings.key_file,
        remote_folder=settings.remote_folder,
        after_fetch=settings.after_fetch,
        settle_seconds=settings.settle_seconds,
    )
