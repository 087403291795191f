"""``/upload``: what stands for the storage of media; to know an address is to be allowed to use it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from retention.simulate.answers import Reply
from retention.simulate.call import Route

if TYPE_CHECKING:
    from retention.simulate.call import Call

_XML = "application/xml"


def uploaded(call: Call, key: str) -> Reply:
    """Take a file of exactly the announced size and type."""
    medium = call.world.media.behind(key)
    if medium is None:
        return _refused(HTTPStatus.FORBIDDEN, "AccessDenied")
    if call.headers.get("Content-Type") != medium.mime or len(call.content) != medium.size:
        return _refused(HTTPStatus.FORBIDDEN, "SignatureDoesNotMatch")
    call.world.media.receive(medium, call.content)
    return Reply(mime=_XML, content=b"")


def downloaded(call: Call, key: str) -> Reply:
    """Give a file that is ready."""
    medium = call.world.media.behind(key)
    if medium is None or not call.world.media.is_ready(medium):
        return _refused(HTTPStatus.FORBIDDEN, "AccessDenied")
    return Reply(mime=medium.mime, content=medium.content)


def _refused(status: int, code: str) -> Reply:
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Reply(status=status, mime=_XML, content=xml.encode())


ROUTES = (Route("PUT", "/upload/<key>", uploaded), Route("GET", "/upload/<key>", downloaded))
