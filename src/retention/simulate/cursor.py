"""Cursors of the message listing: ``instant in milliseconds : id : direction``, as in the published example."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from retention.simulate.answers import Code, RefusedError

if TYPE_CHECKING:
    from retention.simulate.answers import Fields
    from retention.simulate.outbox import Key, Page

_CURSOR = re.compile(r"(\d{1,16}):(\d{1,16}):([01])", re.ASCII)
_NEXT, _PREVIOUS = "0", "1"


def read_cursor(cursor: str | None) -> tuple[Key | None, Key | None]:
    """Read a cursor as the key to go on behind, or the key to go back before."""
    if cursor is None:
        return None, None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.INVALID_CURSOR)
    key = int(match[1]), int(match[2])
    return (key, None) if match[3] == _NEXT else (None, key)


def cursors(page: Page, after: Key | None, before: Key | None) -> Fields:
    """Give the cursors of a page that was read behind ``after`` or before ``before``."""
    there_is_next = page.more if before is None else True
    there_is_previous = page.more if before is not None else after is not None
    first, last = (page.messages[0].key, page.messages[-1].key) if page.messages else (after, before)
    return {
        "next": _spell(last, _NEXT) if there_is_next and last else None,
        "previous": _spell(first, _PREVIOUS) if there_is_previous and first else None,
    }


def _spell(key: Key, direction: str) -> str:
    return f"{key[0]}:{key[1]}:{direction}"
