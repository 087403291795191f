"""The one file of the service that speaks HTTP: one address a webhook, and three for whoever watches the service.

Answers to webhooks have no body: to Hootsuite an empty one asks for nothing, and to anybody else it says nothing. What
is told to those who watch names no message and nobody; a proxy in front should pass on webhooks alone.
"""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask, Response, request
from waitress.server import create_server
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from retention.errors import RetentionError
from retention.logs import get_logger
from retention.service.door import SIGNATURE
from retention.service.event import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.service.desk import Desk
    from retention.service.door import Door

PATH = "/webhook/"
LARGEST = 64 * 1024
"""Bytes of a body."""

_JSON = "application/json"
_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_FAILED, _UNREADY = 500, 503
_STATUS = {
    Outcome.KEPT: 200,
    Outcome.REPEATED: 200,
    Outcome.PASSED_OVER: 200,
    Outcome.UNKNOWN: 200,
    Outcome.STALE: 401,
    Outcome.REFUSED: 401,
    Outcome.UNREADABLE: 400,
    Outcome.NOT_JSON: 415,
    Outcome.TOO_LARGE: 413,
    Outcome.BUSY: 503,
}
_THREADS = 16
_SILENT_SECONDS = 20
_CONNECTIONS = 400
_HEADERS = 16 * 1024

_log = get_logger("service")


class Views(NamedTuple):
    """What is told to those who watch: why the service is not ready, and its role; its figures where there are any."""

    readiness: Callable[[], tuple[bool, str]]
    metrics: Callable[[], str] | None = None


def build(desk: Callable[[], Desk], views: Views) -> Flask:
    """Make the application: a POST for each source, by its name. ``desk`` gives who takes events now."""
    app = Flask("retention", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST

    def receive(source: str) -> Response:
        present = desk()
        door = present.doors.get(source)
        if door is None:
            return Response(status=404)
        return Response(status=_STATUS[_taken(present, door)])

    app.add_url_rule(f"{PATH}<source>", view_func=receive, methods=["POST"], provide_automatic_options=False)
    _add_views(app, views)
    app.register_error_handler(Exception, _failed)
    return app


def _taken(present: Desk, door: Door) -> Outcome:
    if request.mimetype != _JSON:
        return present.receiver.turn_away(door, Outcome.NOT_JSON)
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        return present.receiver.turn_away(door, Outcome.TOO_LARGE)
    headers = request.headers
    return present.receiver.take(door, body, headers.get(SIGNATURE, ""), headers.get("Authorization", ""))


def _add_views(app: Flask, views: Views) -> None:
    def ready() -> Response:
        is_ready, told = views.readiness()
        return Response(f"{told}\n", status=200 if is_ready else _UNREADY, mimetype="text/plain")

    def metrics() -> Response:
        if views.metrics is None:
            return Response(status=404)
        return Response(views.metrics(), content_type=_METRICS)

    app.add_url_rule("/healthz", view_func=lambda: Response("alive\n", mimetype="text/plain"), endpoint="healthz")
    app.add_url_rule("/readyz", view_func=ready)
    app.add_url_rule("/metrics", view_func=metrics)


def _failed(error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.code is not None:
        return Response(status=error.code)
    _log.error("a call failed", reason=type(error).__name__)
    return Response(status=_FAILED)


class Listener:
    """A server in threads of its own, from its making until it is closed."""

    def __init__(self, app: Flask, address: str, port: int) -> None:
        """Listen.

        Raises:
            RetentionError: the address cannot be listened on.

        """
        logging.getLogger("waitress").setLevel(logging.CRITICAL)  # what it tells of broken calls may quote them
        try:
            server: Any = create_server(
                app,
                host=address,
                port=port,
                threads=_THREADS,
                ident="",
                channel_timeout=_SILENT_SECONDS,
                cleanup_interval=5,
                connection_limit=_CONNECTIONS,
                max_request_body_size=4 * LARGEST,  # up to there it is known whose webhook a call was meant for
                max_request_header_size=_HEADERS,
            )
        except OSError as error:
            why = error.strerror or type(error).__name__
            msg = f"cannot listen on {address}, port {port}: {why}; see [serve] listen"
            raise RetentionError(msg) from None
        host = f"[{server.effective_host}]" if ":" in server.effective_host else server.effective_host
        self.url = f"http://{host}:{server.effective_port}"
        self._server = server
        self._ended = Event()
        self._thread = Thread(target=self._serve, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more calls; those that are being answered are answered."""
        self._ended.set()
        self._server.pull_trigger()
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            self._server.asyncore.loop(timeout=1, map=self._server._map, count=1)  # noqa: SLF001  # as its run() does
        self._server.task_dispatcher.shutdown()
