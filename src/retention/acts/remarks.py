"""Free text of operators: kept beside the log where it can be erased; the log carries a commitment to it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from retention.audit.entry import SALT_BYTES, commitment
from retention.errors import UsageError
from retention.store import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

LIMIT = 2_000


def keep_remark(connection: Connection, text: str) -> str:
    """Keep a text and give the commitment that an entry may carry.

    Raises:
        UsageError: the text is empty, too long or not valid Unicode.

    """
    body = text.strip()
    if not body or len(body) > LIMIT:
        msg = f"a reason must have 1 to {LIMIT} characters"
        raise UsageError(msg)
    salt = secrets.token_bytes(SALT_BYTES)
    try:
        promised = commitment(body, salt)
    except ValueError as error:
        raise UsageError(str(error)) from None
    runs.keep_remark(connection, promised, salt.hex(), body)
    return promised
