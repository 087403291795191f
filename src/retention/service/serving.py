"""Everything that ``retention serve`` runs, from its start to its graceful end."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from retention.errors import ConfigError, UsageError
from retention.logs import get_logger
from retention.service.door import open_door
from retention.service.receive import Receiver
from retention.service.registering import Registrar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from types import FrameType

    from retention.context import Context
    from retention.service.door import Door
    from retention.settings import Settings, SourceSettings

_NO_LIBRARY = "webhooks need the extra web; install it with: pip install 'retention-enforcer[web]'"

_log = get_logger("service")


def serve(
    context: Context, clock: Callable[[], datetime], announce: Callable[[str, list[str]], None]
) -> dict[str, int]:
    """Take events and register them until SIGTERM or Ctrl-C; give how many calls had which outcome.

    ``announce`` is told the address and the path of each webhook, once, when calls are taken.

    Raises:
        UsageError: the extra is not installed, or there is no webhook in the configuration.
        ConfigError: a credential is missing or unfit.
        RetentionError: the address cannot be listened on.

    """
    if not _has_library():
        raise UsageError(_NO_LIBRARY)
    from retention.service import web  # noqa: PLC0415 - of the extra that was just looked for

    if not context.settings.webhooks:
        msg = 'the configuration has no source with kind = "hootsuite-webhook", so there is nothing to serve'
        raise UsageError(msg)
    doors, problems = _doors(context.settings.webhooks)
    if problems:
        raise ConfigError(problems)
    settings = context.settings.serve
    paths = [f"{web.PATH}{name}" for name in doors]
    context.check_keys()
    if settings.behind_proxy:
        _log.info("a proxy is expected to speak TLS in front of this address")
    receiver = Receiver(context, clock)
    registrar = Registrar(context, clock, settings.register_seconds)
    try:
        with _ended_by_signals():
            registrar.start()
            web.listen(web.build(doors, receiver), *settings.address, lambda url: announce(url, paths))
    finally:
        receiver.close()
        registrar.close()
        _log.info("stopped", **receiver.counts())
    return receiver.counts()


def lacking(webhooks: list[SourceSettings]) -> list[str]:
    """Give one line for each thing that keeps webhooks from being served on this machine, with what to do."""
    missing = [_NO_LIBRARY] if webhooks and not _has_library() else []
    return [*missing, *_doors(webhooks)[1]]


def say_serving(settings: Settings) -> list[str]:
    """Say where events are taken, one line a webhook."""
    address, port = settings.serve.address
    proxy = ", behind a proxy that speaks TLS" if settings.serve.behind_proxy else ""
    return [
        f"Events of {one.name} are taken by retention serve at {address}, port {port}{proxy}."
        for one in settings.webhooks
    ]


def _has_library() -> bool:
    return bool(find_spec("flask") and find_spec("waitress"))


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


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a signal end the server; what is being answered is answered."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
