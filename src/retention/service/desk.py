"""What takes events, for one configuration: the doors, who keeps what came, and who registers it from time to time."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from retention.errors import ConfigError
from retention.service.door import open_door
from retention.service.receive import Receiver
from retention.service.registering import Registrar

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from retention.context import Context
    from retention.service.door import Door
    from retention.settings import Settings, SourceSettings

NO_LIBRARY = "webhooks need the extra web; install it with: pip install 'retention-enforcer[web]'"
_NO_ADDRESS = 'webhooks need an address to be sent to; write one as [serve] listen, such as "127.0.0.1:8700"'


class Desk:
    """Takes events under one configuration, from its making until it is closed."""

    def __init__(self, context: Context, clock: Callable[[], datetime]) -> None:
        """Open the doors.

        Raises:
            ConfigError: a credential is missing or unfit, or there is no address.

        """
        self.doors, problems = _doors(context.settings.webhooks)
        problems += _without_address(context.settings)
        if problems:
            raise ConfigError(problems)
        self.receiver = Receiver(context, clock)
        self._registrar = Registrar(context, clock, context.settings.serve.register_seconds)

    def start(self) -> None:
        """Register what waits, and then from time to time."""
        if self.doors:
            self._registrar.start()

    def close(self) -> None:
        """Keep what came, and stop registering between two batches."""
        self.receiver.close()
        self._registrar.close()


def has_library() -> bool:
    """Tell whether HTTP can be spoken."""
    return bool(find_spec("flask") and find_spec("waitress"))


def lacking(settings: Settings) -> list[str]:
    """Give one line for each thing that keeps webhooks from being served on this machine, with what to do."""
    if not settings.webhooks:
        return []
    missing = [] if has_library() else [NO_LIBRARY]
    return [*missing, *_without_address(settings), *_doors(settings.webhooks)[1]]


def say_serving(settings: Settings) -> list[str]:
    """Say where events are taken, one line a webhook, and when which job is done."""
    address, port = settings.serve.address or ("no address", 0)
    proxy = ", behind a proxy that speaks TLS" if settings.serve.behind_proxy else ""
    lines = [
        f"Events of {one.name} are taken by retention serve at {address}, port {port}{proxy}."
        for one in settings.webhooks
    ]
    times = [f"{name} ({spelled})" for name, spelled in settings.serve.jobs.times.items()]
    return [*lines, f"retention serve does, as cron spells times: {', '.join(times) or 'no jobs'}."]


def _without_address(settings: Settings) -> list[str]:
    return [_NO_ADDRESS] if settings.webhooks and not settings.serve.address else []


def _doors(webhooks: list[SourceSettings]) -> tuple[dict[str, Door], list[str]]:
    """Open what can be opened, and say why the rest cannot."""
    problems: list[str] = []
    doors: dict[str, Door] = {}
    for source in webhooks:
        try:
            doors[source.name] = open_door(source)
        except ConfigError as error:
            problems += error.problems
    return doors, problems
