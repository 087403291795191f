"""What the service needs of a configuration and of this machine, and what it says of itself, before anything runs."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from retention.errors import ConfigError
from retention.service.door import open_door

if TYPE_CHECKING:
    from retention.service.door import Door
    from retention.settings import Settings, SourceSettings

NO_LIBRARY = "webhooks need the extra web; install it with: pip install 'retention-enforcer[web]'"
_NO_ADDRESS = 'webhooks need an address to be sent to; write one as [serve] listen, such as "127.0.0.1:8700"'


def has_library() -> bool:
    """Tell whether HTTP can be spoken."""
    return bool(find_spec("flask") and find_spec("waitress"))


def lacking(settings: Settings) -> list[str]:
    """Give one line for each thing that keeps webhooks from being served on this machine, with what to do."""
    if not settings.webhooks:
        return []
    missing = [] if has_library() else [NO_LIBRARY]
    return [*missing, *without_address(settings), *doors_of(settings.webhooks)[1]]


def say_serving(settings: Settings) -> list[str]:
    """Say where events are taken, one line a webhook, and when which job is done."""
    address, port = settings.serve.address or ("no address", 0)
    proxy = ", behind a proxy that speaks TLS" if settings.serve.behind_proxy else ""
    lines = [
        f"Events of {one.name} are taken by retention serve at {address}, port {port}{proxy}."
        for one in settings.webhooks
    ]
    times = [f"{name} ({spelled})" for name, spelled in settings.job_times.items()]
    return [*lines, f"retention serve does, as cron spells times: {', '.join(times) or 'no jobs'}."]


def without_address(settings: Settings) -> list[str]:
    """Give one line where webhooks have no address."""
    return [_NO_ADDRESS] if settings.webhooks and not settings.serve.address else []


def doors_of(webhooks: list[SourceSettings]) -> tuple[dict[str, Door], list[str]]:
    """Open what can be opened, and say why the rest cannot."""
    problems: list[str] = []
    doors: dict[str, Door] = {}
    for source in webhooks:
        try:
            doors[source.name] = open_door(source)
        except ConfigError as error:
            problems += error.problems
    return doors, problems
