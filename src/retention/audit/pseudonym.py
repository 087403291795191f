"""Keyed pseudonyms: what stands in register and log instead of an identifier of the source.

    pseudonym = first 16 bytes of HMAC-SHA-256(month key, domain || 0 || source || 0 || identifier), in base64url

The key of a calendar month is destroyed when the dispute window has passed; from then on nobody, ourselves included,
can tell which message a pseudonym stood for. The domain keeps a contact from being recognised by an equal message id.
Plain or salted hashes would not do: identifiers are short enough to be tried through (RFC 2104 needs the key for that).
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_BYTES = 32

Domain: TypeAlias = Literal[b"message", b"conversation", b"contact"]

_BLOCK_BYTES = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_PSEUDONYM_BYTES = 16
_PSEUDONYM_CHARACTERS = 22
_BASE64URL = bytes.maketrans(b"+/", b"-_")
_SECONDS_A_DAY = 86_400
_FORM = re.compile(rf"[A-Za-z0-9_-]{{{_PSEUDONYM_CHARACTERS}}}")
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class Pseudonymiser:
    """Makes the pseudonyms of one month."""

    def __init__(self, key: bytes) -> None:
        """Absorb the month's key into both hashes of HMAC once (RFC 2104 section 4); the key itself is not kept.

        Args:
            key: 32 bytes.

        Raises:
            ValueError: the key has another length.

        """
        if len(key) != KEY_BYTES:
            msg = f"a month key must have {KEY_BYTES} bytes"
            raise ValueError(msg)
        block = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = sha256(block.translate(_INNER_PAD))
        self._outer = sha256(block.translate(_OUTER_PAD))
        self._makers: dict[tuple[bytes, str], Callable[[str], str]] = {}

    def maker(self, domain: Domain, source: str) -> Callable[[str], str]:
        """Prepare the pseudonyms of one domain and source; what it returns is called once per identifier.

        Args:
            domain: What is named: a message, a conversation or a contact.
            source: Name of the source in the configuration.

        Returns:
            A function from the source's identifier to 22 characters of base64url (RFC 4648 section 5), and from the
            empty identifier to the empty text: nothing to name.

        Raises:
            ValueError: the name of the source holds a zero byte, which separates it from the identifier.

        """
        found = self._makers.get((domain, source))
        if found is None:
            found = self._makers[domain, source] = self._new_maker(domain, source)
        return found

    def _new_maker(self, domain: Domain, source: str) -> Callable[[str], str]:
        if "\0" in source:
            msg = "the name of a source must not hold a zero byte"
            raise ValueError(msg)
        inner = self._inner.copy()
        inner.update(domain + b"\0" + source.encode() + b"\0")
        start, finish = inner.copy, self._outer.copy

        def pseudonym(identifier: str) -> str:
            if not identifier:
                return ""
            inner = start()
            # JSON can carry half a surrogate pair; such an identifier has to get a pseudonym like any other.
            inner.update(identifier.encode("utf-8", "surrogatepass"))
            outer = finish()
            outer.update(inner.digest())
            encoded = b2a_base64(outer.digest()[:_PSEUDONYM_BYTES], newline=False)
            return encoded[:_PSEUDONYM_CHARACTERS].translate(_BASE64URL).decode("ascii")

        return pseudonym

    def message(self, source: str, identifier: str) -> str:
        """Make the pseudonym of a message.

        Args:
            source: Name of the source in the configuration.
            identifier: The source's identifier of the message.

        Returns:
            22 characters of base64url, or the empty text for an empty identifier.

        Raises:
            ValueError: the name of the source holds a zero byte.

        """
        return self.maker(b"message", source)(identifier)

    def conversation(self, source: str, identifier: str) -> str:
        """Make the pseudonym of a conversation.

        Args:
            source: Name of the source in the configuration.
            identifier: The source's identifier of the conversation.

        Returns:
            22 characters of base64url, or the empty text for an empty identifier.

        Raises:
            ValueError: the name of the source holds a zero byte.

        """
        return self.maker(b"conversation", source)(identifier)

    def contact(self, source: str, identifier: str) -> str:
        """Make the pseudonym of a contact.

        Args:
            source: Name of the source in the configuration.
            identifier: The source's identifier of the contact.

        Returns:
            22 characters of base64url, or the empty text for an empty identifier.

        Raises:
            ValueError: the name of the source holds a zero byte.

        """
        return self.maker(b"contact", source)(identifier)


def is_pseudonym(text: str) -> bool:
    """Tell whether a text has the form of a pseudonym, or is empty: nothing to name.

    Args:
        text: What stands in the place of an identifier.

    Returns:
        Whether it could have been made here; not whether it was.

    """
    return not text or _FORM.fullmatch(text) is not None


def month_of(epoch_seconds: int) -> str:
    """Name the calendar month in UTC whose key belongs to an instant.

    Args:
        epoch_seconds: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        The month as ``YYYY-MM``.

    Raises:
        ValueError: the instant lies outside the years 1 to 9999.

    """
    return _month_of_day(epoch_seconds // _SECONDS_A_DAY)


@lru_cache(maxsize=4096)
def _month_of_day(day: int) -> str:
    return date.fromordinal(_EPOCH_DAY + day).isoformat()[:7]
