"""What an answer is: the published envelope of data, errors and metadata, and the published error codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

Fields: TypeAlias = "dict[str, Any]"
JSON_TYPE = "application/json;charset=utf-8"


class Code(IntEnum):
    """Error codes of the REST API that the simulator gives."""

    MISSING_TOKEN = 1000
    INVALID_TOKEN = 1001
    ACCOUNT_LIMIT = 1003
    TOO_MANY = 1043
    INVALID_JSON = 1100
    INVALID_EMAIL = 2001
    INVALID_NAME = 2002
    MISSING_NAME = 2005
    MISSING_EMAIL = 2006
    INVALID_ORGANIZATION = 2303
    INVALID_MEMBER = 2304
    MISSING_PROFILE = 2306
    TEAM_NAME_LENGTH = 3002
    NO_ORGANIZATION = 3003
    INVALID_TEAM = 3005
    TEAM_NAME_TAKEN = 3006
    EMAIL_TAKEN = 3010
    INVALID_CURSOR = 3020
    PAYING_MEMBER = 3301
    INVALID = 4000
    NOT_FOUND = 4001
    MAY_NOT_SEE_TEAM = 4006
    MAY_NOT_CREATE_TEAM = 4007
    MAY_NOT_SEE_PROFILE = 4008
    MAY_NOT_IN_ORGANIZATION = 4009
    MAY_NOT_SEE_TEAMS = 4010
    NOT_A_MEMBER = 4303
    UNKNOWN = 5000
    METHOD = 5001
    NOT_DELETABLE = 40003
    STATE_FILTER = 40019
    RANGE_TOO_LARGE = 40020
    MEDIA_NOT_READY = 40021
    INVALID_FLAG = 40022
    ONE_TWITTER = 40023


_MESSAGES = {
    Code.MISSING_TOKEN: "Missing or duplicate access token",
    Code.INVALID_TOKEN: "Invalid access token",
    Code.ACCOUNT_LIMIT: "Account plan limit exceeded",
    Code.TOO_MANY: "Too many requests",
    Code.INVALID_JSON: "Invalid JSON schema",
    Code.INVALID_EMAIL: "Invalid member email",
    Code.INVALID_NAME: "Invalid member name (please enter name between 2 and 100 chars in length)",
    Code.MISSING_NAME: "Missing member name",
    Code.MISSING_EMAIL: "Missing member email",
    Code.INVALID_ORGANIZATION: "Invalid organization ID",
    Code.INVALID_MEMBER: "Invalid member ID",
    Code.MISSING_PROFILE: "Missing social profile ID",
    Code.TEAM_NAME_LENGTH: "Team name has to be between 2-200 characters",
    Code.NO_ORGANIZATION: "Unable to find an organization with that ID",
    Code.INVALID_TEAM: "Invalid team ID",
    Code.TEAM_NAME_TAKEN: "Team name has to be unique in the organization",
    Code.EMAIL_TAKEN: "Email is already in use",
    Code.INVALID_CURSOR: "Invalid cursor format",
    Code.PAYING_MEMBER: "Payment member can't be removed from the organization",
    Code.INVALID: "Schema validation failed",
    Code.NOT_FOUND: "Resource not found",
    Code.MAY_NOT_SEE_TEAM: "Insufficient permissions to view team",
    Code.MAY_NOT_CREATE_TEAM: "Insufficient permissions to create team",
    Code.MAY_NOT_SEE_PROFILE: "Insufficient permissions to view team social profile",
    Code.MAY_NOT_IN_ORGANIZATION: "Insufficient organization permissions",
    Code.MAY_NOT_SEE_TEAMS: "Insufficient permissions to view organization teams",
    Code.NOT_A_MEMBER: "Member does not exist in organization",
    Code.UNKNOWN: "An unknown error occurred",
    Code.METHOD: "HTTP method not permitted",
    Code.NOT_DELETABLE: "You have attempted to delete a message that cannot be deleted in its current state",
    Code.STATE_FILTER: "Message state filter not supported",
    Code.RANGE_TOO_LARGE: "Specified date range is too large",
    Code.MEDIA_NOT_READY: "Uploaded media is not yet ready to be used (further processing required)",
    Code.INVALID_FLAG: "Invalid boolean for includeUnscheduledReviewMsgs flag",
    Code.ONE_TWITTER: "Twitter only allows 1 network per message",
}


@dataclass(frozen=True)
class Reply:
    """One answer: JSON in ``body``, or bytes in ``content``, or the bytes of a file that is then removed."""

    body: object = None
    status: int = HTTPStatus.OK
    mime: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    file: Path | None = None


class RefusedError(Exception):
    """A call that is answered with a refusal, as the REST API words it."""

    def __init__(
        self, status: int, code: Code, message: str | None = None, resource: tuple[str, str] | None = None
    ) -> None:
        """Keep what the error object says; without a message, the published one of that code."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.said = message or _MESSAGES[code]
        self.resource = resource


class AnsweredError(Exception):
    """A call that is answered with a refusal of another shape than the REST API's."""

    def __init__(self, reply: Reply) -> None:
        """Keep the whole answer."""
        super().__init__(reply.status)
        self.reply = reply


def enveloped(data: object, errors: list[Fields] | None = None, metadata: Fields | None = None) -> Reply:
    """Wrap data as the REST API does; with errors beside it, the answer is a partial failure."""
    body: Fields = {"data": data}
    if errors:
        body["errors"] = errors
    if metadata is not None:
        body["metadata"] = metadata
    return Reply(body)


def error_object(refused: RefusedError, trace: str) -> Fields:
    """Spell one error as the REST API does; ``trace`` is the id that a client should log."""
    told: Fields = {"code": int(refused.code), "message": refused.said, "id": trace}
    if refused.resource:
        told["resource"] = {"type": refused.resource[0], "id": refused.resource[1]}
    return told


def missing(kind: str, identifier: str) -> RefusedError:
    """Refuse because there is no such thing."""
    return RefusedError(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, resource=(kind, identifier))


def invalid(message: str) -> RefusedError:
    """Refuse because a value is not what the contract asks for."""
    return RefusedError(HTTPStatus.BAD_REQUEST, Code.INVALID, message)


def forbidden(code: Code) -> RefusedError:
    """Refuse because the one who asks may not."""
    return RefusedError(HTTPStatus.FORBIDDEN, code)
