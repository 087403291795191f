"""Who may send events to a source: whoever can sign the body with the shared secret, or knows the password.

Both comparisons take as long wherever the difference is, and a refusal does not say which part was wrong.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retention.errors import ConfigError
from retention.settings.secrets import read_secret

if TYPE_CHECKING:
    from retention.settings import SourceSettings

SIGNATURE = "X-Hootsuite-Signature"
_SECRET = re.compile(r"(?:[0-9a-f]{2}){16,128}", re.IGNORECASE)
_SHORTEST_PASSWORD = 12


@dataclass(frozen=True, slots=True)
class Door:
    """How the events of one source prove where they come from."""

    source: str
    secret: bytes = field(repr=False)
    username: str | None = None

    def lets_in(self, body: bytes, signature: str, authorization: str) -> bool:
        """Tell whether a raw body is signed, or the password is right; whichever this source asks for."""
        if self.username is None:
            expected = hmac.digest(self.secret, body, "sha256").hex()
            return hmac.compare_digest(expected.encode(), signature.strip().lower().encode())
        expected_pair = self.username.encode() + b":" + self.secret
        return hmac.compare_digest(expected_pair, _pair(authorization))


def open_door(source: SourceSettings) -> Door:
    """Make the door of a source from its configuration and its credential.

    Raises:
        ConfigError: the credential is missing or cannot be one.

    """
    name = f"{source.name}-secret"
    secret = read_secret(name)
    if secret is None:
        raise ConfigError([f'source {source.name}: there is no credential "{name}"; it holds {_what(source)}'])
    if source.auth == "signature":
        if not _SECRET.fullmatch(secret):
            raise ConfigError(
                [f'source {source.name}: the credential "{name}" must be at least 32 hexadecimal digits, two a byte']
            )
        return Door(source.name, bytes.fromhex(secret))
    if len(secret) < _SHORTEST_PASSWORD:
        reason = f"must be a password of at least {_SHORTEST_PASSWORD} characters"
        raise ConfigError([f'source {source.name}: the credential "{name}" {reason}'])
    return Door(source.name, secret.encode(), source.username)


def _what(source: SourceSettings) -> str:
    if source.auth == "signature":
        return "the shared secret that Hootsuite shows, in hexadecimal"
    return "the password that Hootsuite sends"


def _pair(authorization: str) -> bytes:
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.encode(), validate=True)
    except (ValueError, binascii.Error):
        return b""
