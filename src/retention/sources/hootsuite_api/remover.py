"""Delete single outbound messages: ``DELETE /v1/messages/{id}``."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from retention.errors import ApiError
from retention.sources.interface import Remover

if TYPE_CHECKING:
    from retention.sources.hootsuite_api.client import Client
    from retention.sources.interface import Removal

_NOT_DELETABLE = 40003


class MessageRemover(Remover):
    """Deletes what the listing has. A message that is not there is gone: also where an answer of before was lost."""

    def __init__(self, client: Client) -> None:
        """Take the client."""
        self.name = client.account.source
        self._client = client

    def remove(self, message_id: str) -> Removal:
        """Delete one message for good."""
        try:
            answer = self._client.ask("DELETE", f"/v1/messages/{quote(message_id, safe='')}")
        except ApiError as error:
            if error.code == _NOT_DELETABLE:
                return "refused"
            raise
        if (
            answer.status == HTTPStatus.NOT_FOUND and answer.errors
        ):  # Hootsuite's own words, not those of something between
            return "gone"
        if answer.errors or answer.status == HTTPStatus.NOT_FOUND:
            raise ApiError(answer.failure(), code=answer.code)
        return "deleted"
