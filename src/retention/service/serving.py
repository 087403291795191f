"""Everything that ``retention serve`` runs, from its start to its graceful end."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retention.errors import ConfigError, UsageError
from retention.logs import get_logger
from retention.service.door import NO_LIBRARY, has_library, open_doors
from retention.service.receive import Receiver
from retention.service.registering import Registrar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from types import FrameType

    from retention.context import Context

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
    if not has_library():
        raise UsageError(NO_LIBRARY)
    from retention.service import web  # noqa: PLC0415 - of the extra that was just looked for

    if not context.settings.webhooks:
        msg = 'the configuration has no source with kind = "hootsuite-webhook", so there is nothing to serve'
        raise UsageError(msg)
    doors, problems = open_doors(context.settings.webhooks)
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
