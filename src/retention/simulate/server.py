"""Serve the simulator over HTTP until somebody ends it."""

from __future__ import annotations

import logging
import signal
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from ipaddress import ip_address
from threading import Thread
from typing import TYPE_CHECKING, Any

from retention.errors import RetentionError, UsageError
from retention.simulate.outgoing import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from retention.simulate.answers import Fields
    from retention.simulate.app import Host
    from retention.simulate.world import Options

_THREADS = 16
_TICK_SECONDS = 1.0
_LENGTH = "content-length"


def serve(
    options: Options,
    address: str,
    port: int,
    announce: Callable[[Fields], None],
    sftp: tuple[str, int] | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; ``announce`` is called once, when requests are taken.

    ``sftp`` is the address and the port at which the folder of exports is served too.

    Raises:
        UsageError: an extra is not installed, or an address is not of this machine and that was not allowed.
        RetentionError: an address cannot be listened on.

    """
    _check(options, address, sftp)
    from waitress.server import create_server  # noqa: PLC0415 - of the extra that was just looked for

    from retention.simulate.app import Host, build  # noqa: PLC0415 - the same
    from retention.simulate.control import credentials  # noqa: PLC0415 - the same

    logging.getLogger("waitress").setLevel(logging.CRITICAL)  # cut answers and dropped connections are on purpose
    host = Host(options)
    try:
        server: Any = create_server(
            _Wire(build(host)), host=_numeric(address), port=port, threads=_THREADS, ident="Hootsuite simulator"
        )
    except OSError as error:
        host.world.close()
        msg = f"the simulator cannot listen there: {error.strerror or type(error).__name__}"
        raise RetentionError(msg) from error
    shown = f"[{server.effective_host}]" if ":" in server.effective_host else server.effective_host
    with _ended_by_signals(host), _passing_of_time(host), _exports(options, sftp) as waiting:
        announce(credentials(host.world, f"http://{shown}:{server.effective_port}") | waiting)
        server.run()
    server.close()
    host.world.close()


class _Wire:
    """What no web framework does: answers that end in the middle, and connections closed without one."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        from waitress.channel import ClientDisconnected  # noqa: PLC0415 - of the extra

        from retention.simulate.failing import CUT, DROP  # noqa: PLC0415 - beside it

        held: list[Any] = []

        def hold(status: str, headers: list[tuple[str, str]], exc_info: object = None, /) -> Callable[[bytes], object]:
            held.append((status, headers, exc_info))
            return lambda _: None

        body = self._app(environ, hold)
        status, headers, _ = held[-1]
        if environ.get(DROP):
            _finish(body)
            raise ClientDisconnected
        if environ.get(CUT):
            whole = b"".join(body)
            _finish(body)
            headers = [pair for pair in headers if pair[0].lower() != _LENGTH] + [("Content-Length", str(len(whole)))]
            body = [whole[: len(whole) // 2]]
        start_response(status, headers)
        return body


def _finish(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close:
        close()


@contextmanager
def _exports(options: Options, sftp: tuple[str, int] | None) -> Iterator[Fields]:
    if sftp is None or options.directory is None:
        yield {}
        return
    from retention.simulate.pickup import Account, pickup  # noqa: PLC0415 - of the extra that was looked for

    address, port = sftp
    with ExitStack() as stack:
        try:
            waiting = stack.enter_context(pickup(options.directory, _numeric(address), port, Account.of(options.seed)))
        except OSError as error:
            msg = f"the simulator cannot serve the exports there: {error.strerror or type(error).__name__}"
            raise RetentionError(msg) from error
        yield waiting


def _check(options: Options, address: str, sftp: tuple[str, int] | None) -> None:
    if not (find_spec("flask") and find_spec("waitress")):
        msg = "the simulator needs the extra web; install it with: pip install 'retention-enforcer[web]'"
        raise UsageError(msg)
    if sftp and not options.directory:
        msg = "--sftp serves the scheduled exports; name with --directory where they are written"
        raise UsageError(msg)
    if sftp and not find_spec("paramiko"):
        msg = "--sftp needs the extra sftp; install it with: pip install 'retention-enforcer[sftp]'"
        raise UsageError(msg)
    if not all(is_loopback(one) for one in (address, *(sftp or ())[:1])) and not options.allow_remote:
        msg = "the simulator listens on this machine only; --allow-remote lets it listen elsewhere, without a password"
        raise UsageError(msg)


def _numeric(address: str) -> str:
    if address == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(address))
    except ValueError as error:
        msg = "write the address to listen on as a number, such as 127.0.0.1"
        raise UsageError(msg) from error


@contextmanager
def _ended_by_signals(host: Host) -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        host.stop.set()  # wakes what hangs on purpose
        raise SystemExit

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _passing_of_time(host: Host) -> Iterator[None]:
    def pass_by() -> None:
        while not host.stop.wait(_TICK_SECONDS):
            with host.world.lock:
                host.world.tick()

    thread = Thread(target=pass_by, name="clock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        host.stop.set()
        thread.join()
