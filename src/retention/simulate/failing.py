"""Carry out orders to fail: before anything is done, in the answer, or on the connection."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from retention.simulate.answers import Code, RefusedError, Reply, error_object

if TYPE_CHECKING:
    from threading import Event

    from retention.simulate.derive import Names
    from retention.simulate.faults import Fault

DROP, CUT = "retention.drop", "retention.cut"
_PAGE = b"<!doctype html><html><head><title>Just a moment</title></head><body>Please try again later.</body></html>"
_CODES = {HTTPStatus.TOO_MANY_REQUESTS: Code.TOO_MANY, HTTPStatus.UNAUTHORIZED: Code.INVALID_TOKEN}
_PLAIN_FROM = HTTPStatus.BAD_GATEWAY


def ended_early(fault: Fault | None, environ: dict[str, Any], stop: Event, names: Names) -> Reply | None:
    """Fail before anything is done, where that is the order; else give nothing, and the request goes on."""
    if fault is None:
        return None
    if fault.kind in {"slow", "hang"}:
        stop.wait(fault.seconds)
    if fault.kind in {"drop", "hang"}:
        environ[DROP] = True
        return Reply({}, HTTPStatus.GATEWAY_TIMEOUT)
    if fault.kind == "html":
        return Reply(status=fault.status, mime="text/html; charset=utf-8", content=_PAGE)
    if fault.kind == "status":
        return _status(fault.status, names)
    return None


def mark(fault: Fault, environ: dict[str, Any]) -> None:
    """Leave word for the connection."""
    if fault.kind == "lost":
        environ[DROP] = True
    elif fault.kind == "cut":
        environ[CUT] = True


def halved(reply: Reply, names: Names) -> Reply:
    """Put an error for each of the second half of a list in its place; a single thing gets an error beside it."""
    if not isinstance(reply.body, dict) or "data" not in reply.body:
        return reply
    data = reply.body["data"]
    kept, lost = (data[: len(data) // 2], data[len(data) // 2 :]) if isinstance(data, list) else (data, [data])
    errors = [
        error_object(RefusedError(HTTPStatus.OK, Code.UNKNOWN, resource=_resource(one)), names.uuid()) for one in lost
    ]
    return replace(reply, body={**reply.body, "data": kept, "errors": errors})


def _resource(one: object) -> tuple[str, str] | None:
    identifier = one.get("id") if isinstance(one, dict) else None
    return ("message", identifier) if isinstance(identifier, str) else None


def _status(status: int, names: Names) -> Reply:
    if status >= _PLAIN_FROM:  # as a gateway answers for a server that does not
        return Reply(status=status, mime="text/plain; charset=utf-8", content=b"upstream connect error")
    refused = RefusedError(status, _CODES.get(HTTPStatus(status), Code.UNKNOWN))
    return Reply({"errors": [error_object(refused, names.uuid())]}, status)
