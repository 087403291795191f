"""Everything that is served, as one WSGI application: limits, permission and failures around the table of routes.

The web framework is imported here and in the server beside it, nowhere else: the rooms behind see calls and replies.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from http import HTTPStatus
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException

from retention.simulate import (
    api_content,
    api_inbox,
    api_messages,
    api_metrics,
    api_oauth,
    api_people,
    api_scim,
    api_upload,
    control,
    control_exports,
    control_messages,
    control_webhook,
)
from retention.simulate.answers import JSON_TYPE, AnsweredError, Code, RefusedError, Reply, error_object
from retention.simulate.call import Call, Route
from retention.simulate.failing import ended_early, halved, mark
from retention.simulate.tokens import Grant
from retention.simulate.world import Options, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from retention.simulate.faults import Fault

_NOBODY = Grant(None, None, "")
_CODES = {404: Code.NOT_FOUND, 405: Code.METHOD}
_MOST_SENT = 16 * 1024 * 1024


class Host:
    """The world that is served now, and whether the end has come."""

    def __init__(self, options: Options) -> None:
        """Begin with a world."""
        self.world = World(options)
        self.stop = Event()

    def begin_anew(self, options: Options) -> None:
        """Put another world in its place."""
        old, self.world = self.world, World(options)
        old.close()


class _Surface(NamedTuple):
    """Routes that share their manners: whether a token is needed, and how a refusal is worded."""

    routes: tuple[Route, ...]
    protected: bool
    published: bool
    worded: Callable[[World, RefusedError], Reply]


def build(host: Host) -> Flask:
    """Build the application."""
    app = Flask("retention.simulate", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_SENT
    reset = Route("POST", "/simulator/reset", partial(_begin_anew, host))
    for surface in _surfaces(reset):
        for route in surface.routes:
            app.add_url_rule(
                route.path,
                endpoint=f"{route.method} {route.path}",
                view_func=partial(_serve, host, surface, route),
                methods=[route.method],
                provide_automatic_options=False,
            )
    app.register_error_handler(HTTPException, partial(_unrouted, host))
    return app


def _surfaces(reset: Route) -> tuple[_Surface, ...]:
    rest = api_messages.ROUTES + api_content.ROUTES + api_people.ROUTES
    inbox = api_metrics.ROUTES + api_inbox.ROUTES
    ours = control.ROUTES + control_messages.ROUTES + control_webhook.ROUTES + control_exports.ROUTES
    return (
        _Surface(rest, protected=True, published=True, worded=_as_rest),
        _Surface(api_scim.ROUTES, protected=True, published=True, worded=lambda _, refused: api_scim.as_scim(refused)),
        _Surface(inbox, protected=True, published=True, worded=lambda _, refused: api_inbox.as_inbox(refused)),
        _Surface(api_oauth.ROUTES + api_upload.ROUTES, protected=False, published=True, worded=_as_rest),
        _Surface((*ours, reset), protected=False, published=False, worded=_as_rest),
    )


def _serve(host: Host, surface: _Surface, route: Route, **ids: str) -> Response:
    """Answer one request, or fail as was ordered."""
    world = host.world
    if not surface.published:
        if request.args.get("wait") == "true":
            world.deliveries.settle()  # before the lock is taken, which what is delivered needs too
        return _response(_answered(world, surface, route, ids))
    with world.lock:
        world.seen.arrived(f"{route.method} {route.path}")
        fault = world.faults.strike(request.method, request.path)
    reply = ended_early(fault, request.environ, host.stop, world.names) or _answered(world, surface, route, ids)
    return _failed_late(world, fault, reply)


def _failed_late(world: World, fault: Fault | None, reply: Reply) -> Response:
    with world.lock:
        if fault and fault.kind == "partial":
            reply = halved(reply, world.names)
        world.seen.answered(reply.status)
    if fault:
        mark(fault, request.environ)
    return _response(reply)


def _answered(world: World, surface: _Surface, route: Route, ids: dict[str, str]) -> Reply:
    limited: dict[str, str] = {}
    with world.lock:
        try:
            world.tick()
            grant = _permission(world) if surface.protected else _NOBODY
            if surface.protected:
                try:
                    world.limits.take()
                finally:
                    limited = world.limits.headers()
            reply = route.answer(_call(world, grant), **ids)
        except AnsweredError as answered:
            reply = answered.reply
        except RefusedError as refused:
            reply = surface.worded(world, refused)
    return replace(reply, headers={**reply.headers, **limited})


def _call(world: World, grant: Grant) -> Call:
    return Call(
        world=world,
        grant=grant,
        query=dict(request.args.lists()),
        headers={name.title(): value for name, value in request.headers.items()},
        content=request.get_data(),
        base=request.host_url.rstrip("/"),
    )


def _permission(world: World) -> Grant:
    given = request.headers.getlist("Authorization")
    scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise RefusedError(HTTPStatus.UNAUTHORIZED, Code.MISSING_TOKEN)
    grant = world.tokens.who(token.strip())
    if grant is None:
        raise RefusedError(HTTPStatus.UNAUTHORIZED, Code.INVALID_TOKEN)
    return grant


def _begin_anew(host: Host, call: Call) -> Reply:
    """Put a new world in the place of this one."""
    host.begin_anew(control.options_from(call))
    return Reply(control.credentials(host.world, call.base))


def _as_rest(world: World, refused: RefusedError) -> Reply:
    return Reply({"errors": [error_object(refused, world.names.uuid())]}, refused.status)


def _unrouted(host: Host, error: HTTPException) -> Response:
    """Answer what no route takes, and what nobody foresaw."""
    world = host.world
    with world.lock:
        world.seen.arrived("no route")
        code = _CODES.get(error.code or 0, Code.UNKNOWN)
        reply = _as_rest(world, RefusedError(error.code or HTTPStatus.INTERNAL_SERVER_ERROR, code))
        world.seen.answered(reply.status)
    return _response(reply)


def _response(reply: Reply) -> Response:
    if reply.file is not None:
        response = Response(_streamed(reply.file), reply.status, mimetype=None, content_type=reply.mime)
    elif reply.content is not None:
        response = Response(reply.content, reply.status, content_type=reply.mime)
    else:
        response = Response(json.dumps(reply.body), reply.status, content_type=JSON_TYPE)
    response.headers.update(reply.headers)
    return response


def _streamed(file: Path) -> Iterator[bytes]:
    """Hand over a file piece by piece; it and its folder are gone when the last piece is."""
    with file.open("rb") as stream:
        file.unlink()
        file.parent.rmdir()
        while piece := stream.read(1 << 16):
            yield piece
