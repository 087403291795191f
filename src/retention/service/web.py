"""The one file of the service that speaks HTTP: one address a webhook, and nothing else is there.

Answers have no body: to Hootsuite an empty one asks for nothing, and to anybody else it says nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from waitress.server import create_server
from werkzeug.exceptions import HTTPException

from retention.errors import RetentionError
from retention.logs import get_logger
from retention.service.door import SIGNATURE
from retention.service.event import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from retention.service.door import Door
    from retention.service.receive import Receiver

PATH = "/webhook/"
LARGEST = 64 * 1024
"""Bytes of a body."""

_JSON = "application/json"
_NOT_JSON, _FAILED = 415, 500
_STATUS = {
    Outcome.KEPT: 200,
    Outcome.REPEATED: 200,
    Outcome.PASSED_OVER: 200,
    Outcome.UNKNOWN: 200,
    Outcome.STALE: 401,
    Outcome.REFUSED: 401,
    Outcome.UNREADABLE: 400,
    Outcome.BUSY: 503,
}
_THREADS = 16
_SILENT_SECONDS = 20
_CONNECTIONS = 400
_HEADERS = 16 * 1024

_log = get_logger("service")


def build(doors: Mapping[str, Door], receiver: Receiver) -> Flask:
    """Make the application: a POST for each source, by its name."""
    app = Flask("retention", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST

    def receive(source: str) -> Response:
        door = doors.get(source)
        if door is None:
            return Response(status=404)
        if request.mimetype != _JSON:
            return Response(status=_NOT_JSON)
        headers = request.headers
        signature, authorization = headers.get(SIGNATURE, ""), headers.get("Authorization", "")
        return Response(status=_STATUS[receiver.take(door, request.get_data(), signature, authorization)])

    app.add_url_rule(f"{PATH}<source>", view_func=receive, methods=["POST"], provide_automatic_options=False)
    app.register_error_handler(Exception, _failed)
    return app


def _failed(error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.code is not None:
        return Response(status=error.code)
    _log.error("a call failed", reason=type(error).__name__)
    return Response(status=_FAILED)


def listen(app: Flask, address: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SystemExit is raised in this thread; ``announce`` is told the address when calls are taken.

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
            max_request_body_size=LARGEST,
            max_request_header_size=_HEADERS,
        )
    except OSError as error:
        msg = f"cannot listen on {address}, port {port}: {error.strerror or type(error).__name__}; see [serve] listen"
        raise RetentionError(msg) from None
    host = f"[{server.effective_host}]" if ":" in server.effective_host else server.effective_host
    try:
        announce(f"http://{host}:{server.effective_port}")
        server.run()
    finally:
        server.close()
