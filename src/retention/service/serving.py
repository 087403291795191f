"""Everything that ``retention serve`` runs, from its start to its graceful end."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from retention.errors import UsageError
from retention.logs import get_logger
from retention.service.host import Host
from retention.service.needs import NO_LIBRARY, has_library
from retention.service.reloading import configuration
from retention.service.signals import heard_signals

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.context import Context
    from retention.service.host import Invocation
    from retention.settings import Settings

_log = get_logger("service")


def serve(context: Context, called: Invocation, announce: Callable[[str | None, list[str]], None]) -> dict[str, int]:
    """Do the jobs and take events until SIGTERM or Ctrl-C; give how many calls had which outcome.

    ``announce`` is told the address, if there is one, and the path of each webhook, once, when calls are taken.

    Raises:
        UsageError: the extra is not installed that webhooks need, or there is nothing to do.
        ConfigError: the configuration cannot be used, or a credential is missing or unfit.
        RetentionError: the address cannot be listened on.

    """
    with ExitStack() as stack:
        asked = stack.enter_context(heard_signals())
        read = stack.enter_context(configuration(called.path, jobs=called.jobs))
        _check(read.read(called.clock()).settings)
        context.check_keys()
        host = Host(context, called, read)
        with closing(host), ExitStack() as ends:
            url, paths = _listen(host, ends)
            ends.callback(host.end_jobs)  # events are taken while jobs end
            host.desk.start()
            announce(url, paths)
            host.manager.tell("READY=1")
            while not asked.stop:
                if asked.reload_now():
                    host.reload()
                host.tick()
                asked.wait(host.pause)
    return host.counted()


def _check(settings: Settings) -> None:
    if settings.webhooks and not has_library():
        raise UsageError(NO_LIBRARY)
    if not settings.webhooks and not settings.job_times:
        msg = 'there is no job and no source with kind = "hootsuite-webhook" to serve, so there is nothing to do'
        raise UsageError(msg)
    if settings.serve.behind_proxy:
        _log.info("a proxy is expected to speak TLS in front of this address")


def _listen(host: Host, stack: ExitStack) -> tuple[str | None, list[str]]:
    """Speak HTTP where that is possible; the jobs alone do not need it."""
    address = host.settings.serve.address
    if address is None or not has_library():
        _log.info("no HTTP is spoken: there is no address, or the extra web is not installed")
        return None, []
    from retention.service import web  # noqa: PLC0415 - of the extra that was just looked for

    app = web.build(lambda: host.desk, web.Views(host.readiness, host.metrics))
    listener = stack.enter_context(closing(web.Listener(app, *address)))
    return listener.url, [f"{web.PATH}{name}" for name in host.desk.doors]
