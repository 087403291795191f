"""Rules for single values: what an identifier or a class value must be, and the error that says why one is not."""

from __future__ import annotations

import re

MAX_IDENTIFIER = 512
"""Characters that an identifier may have; longer ones mean that the wrong column is mapped."""

MAX_CLASS_VALUE = 200
"""Characters that a network, channel, direction or message type may have."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNDECODABLE = re.compile(r"[\ud800-\udfff]")
_ROUNDED_NUMBER = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{1,3}", re.IGNORECASE)


class FieldError(ValueError):
    """One value is unfit. Carries the field and a reason without the value; never leaves the reader of rows.

    The reason may hold ``{encoding}``, which the reader of rows fills in.
    """

    def __init__(self, field: str, reason: str) -> None:
        """Keep the field apart, so that the reader can name its column."""
        self.field = field
        self.reason = reason
        super().__init__(reason)


def check_text(field: str, text: str, *, longest: int) -> None:
    """Raise FieldError where a trimmed value is too long or holds characters that cannot be stored or sought."""
    if _UNDECODABLE.search(text):
        raise FieldError(field, "is not valid {encoding}; set encoding = to the one the file was written in")
    if _CONTROL.search(text):
        raise FieldError(field, "has control characters")
    if len(text) > longest:
        raise FieldError(field, f"is longer than {longest} characters")


def checked_identifier(field: str, text: str) -> str:
    """Trim an identifier; raises FieldError where it cannot be one. An empty one is the caller's to judge."""
    trimmed = text.strip()
    check_text(field, trimmed, longest=MAX_IDENTIFIER)
    # A spreadsheet that opened the file wrote 9.24949E+17 for many different identifiers.
    if _ROUNDED_NUMBER.fullmatch(trimmed):
        raise FieldError(field, "is a number that a spreadsheet rounded; export anew and open the file in none")
    return trimmed
