"""``/v1/comments`` and ``/v1/media``: review comments, upload media."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.simulate.answers import Fields, Reply, enveloped, invalid, missing
from retention.simulate.api_messages import reviewer
from retention.simulate.call import Route
from retention.simulate.comments import COMPLETED, PENDING, REJECTED
from retention.simulate.media import LINK_SECONDS, MOST_BYTES
from retention.simulate.read import integer, text

if TYPE_CHECKING:
    from retention.simulate.call import Call
    from retention.simulate.comments import Comment


def comment_shown(call: Call, comment: str) -> Reply:
    """Give one comment."""
    return enveloped(_comment(call, comment).published())


def comment_approved(call: Call, comment: str) -> Reply:
    """Approve a comment that waits for it."""
    return _reviewed(call, comment, COMPLETED, call.fields())


def comment_rejected(call: Call, comment: str) -> Reply:
    """Reject a comment that waits for approval."""
    asked = call.fields()
    text(asked, "reason")
    return _reviewed(call, comment, REJECTED, asked)


def media_expected(call: Call) -> Reply:
    """Give an address to upload a file to."""
    asked = call.fields()
    size, mime = integer(asked, "sizeBytes"), text(asked, "mimeType")
    if not 0 < size <= MOST_BYTES or "/" not in mime:
        msg = f"sizeBytes is 1 to {MOST_BYTES} and mimeType is a media type"
        raise invalid(msg)
    medium = call.world.media.expect(call.world.names.uuid(), size, mime)
    address = f"{call.base}/upload/{medium.key}"
    return enveloped({"id": medium.media_id, "uploadUrl": address, "uploadUrlDurationSeconds": LINK_SECONDS})


def media_shown(call: Call, media: str) -> Reply:
    """Tell how far a file is, and where it can be fetched once it is ready."""
    medium = call.world.media.find(media)
    if medium is None:
        raise missing("media", media)
    told: Fields = {"id": medium.media_id, "state": "QUEUED"}
    if call.world.media.is_ready(medium):
        told |= {
            "state": "READY",
            "downloadUrl": f"{call.base}/upload/{medium.key}",
            "downloadUrlDurationSeconds": LINK_SECONDS,
        }
    return enveloped(told)


def _comment(call: Call, comment: str) -> Comment:
    found = call.world.comments.find(int(comment)) if comment.isascii() and comment.isdigit() else None
    if found is None:
        raise missing("comment", comment)
    return found


def _reviewed(call: Call, comment: str, state: str, asked: Fields) -> Reply:
    found = _comment(call, comment)
    if found.state != PENDING:
        msg = "the comment does not wait for approval"
        raise invalid(msg)
    reviewer(asked, found.sequence)
    found.state = state
    return enveloped({})


ROUTES = (
    Route("GET", "/v1/comments/<comment>", comment_shown),
    Route("POST", "/v1/comments/<comment>/approve", comment_approved),
    Route("POST", "/v1/comments/<comment>/reject", comment_rejected),
    Route("POST", "/v1/media", media_expected),
    Route("GET", "/v1/media/<media>", media_shown),
)
