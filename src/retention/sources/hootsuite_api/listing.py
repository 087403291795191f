"""List outbound messages by windows of at most four weeks, page by page, into page sets.

Hootsuite takes both ends of a window as included, or so we assume: windows share their ends, and a message that comes
twice is a duplicate. A page with ``errors`` is taken as far as it goes; the page set then does not count as complete,
and the window is listed again by the next run.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from retention.errors import ApiError
from retention.model import iso
from retention.sources.files.times import LocalClock
from retention.sources.hootsuite_api.pageset import Writer, parts_of
from retention.sources.interface import Listing, Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retention.sources.hootsuite_api.client import Client

FOUR_WEEKS = timedelta(weeks=4)
OVERLAP = timedelta(days=1)

_PAGE = 100
_INVALID_CURSOR = 3020


class MessageListing(Listing):
    """``GET /v1/messages``."""

    longest = FOUR_WEEKS
    overlap = OVERLAP

    def __init__(self, client: Client, folder: Path, *, look_back: timedelta) -> None:
        """Take the client, the landing folder, and how far back the first listing goes."""
        self.name = client.account.source
        self.look_back = look_back
        self._client, self._folder = client, folder

    def unfinished(self) -> list[Window]:
        """Give the windows whose listing was cut off, so that they can be fetched to their end."""
        return parts_of(self._folder, self.name)

    def fetch(self, window: Window, pulse: Callable[[], None]) -> Path:
        """List a window to its end, going on behind the last durable page, and give the finished page set."""
        self._client.pulse = pulse
        try:
            with Writer(self._folder, self.name, window, LocalClock(ZoneInfo("UTC"))) as writer:
                while not writer.finished:
                    self._page(window, writer)
                return writer.put_together()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else "the system gives no reason"
            msg = f"the landing folder {self._folder} cannot be written ({why})"
            raise ApiError(msg) from None

    def _page(self, window: Window, writer: Writer) -> None:
        query = {"startTime": iso(window.start), "endTime": iso(window.end), "limit": str(_PAGE)}
        if writer.cursor:
            query["cursor"] = writer.cursor
        try:
            answer = self._client.ask("GET", "/v1/messages", **query)
        except ApiError as error:
            if error.code == _INVALID_CURSOR and writer.cursor:
                writer.forget()
                return
            raise
        messages, cursor = answer.fields.get("data"), _next(answer.fields)
        if answer.status != 200 or not (isinstance(messages, list) or (messages is None and answer.errors)):  # noqa: PLR2004
            msg = f"{answer.failure()}, which is not a list of messages"
            raise ApiError(msg, code=answer.code)
        if cursor is not None and cursor == writer.cursor:
            msg = "Hootsuite gives the same page again and again"
            raise ApiError(msg)
        writer.add(messages or [], answer.errors, cursor)


def _next(fields: dict[str, Any]) -> str | None:
    """Give the cursor of the next page, wherever the envelope has it."""
    metadata = fields.get("metadata")
    cursor = metadata.get("cursor") if isinstance(metadata, dict) else None
    found = cursor.get("next") if isinstance(cursor, dict) else cursor
    if found is None or found == "":
        return None
    if not isinstance(found, str) or len(found) > 1000 or not (found.isascii() and found.isprintable()):  # noqa: PLR2004
        msg = "Hootsuite gives a cursor that is none"
        raise ApiError(msg)
    return found
