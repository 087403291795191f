"""With which server, as whom and with which secret; secrets are read when they are needed and never kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from retention.errors import ConfigError, PickupError
from retention.settings.secrets import read_secret, variable_of

if TYPE_CHECKING:
    from pathlib import Path

    from retention.sources.sftp.host_key import PinnedKey

_OPEN_TO_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Account:
    """One account on one server. ``key_file`` is None where the private key is a credential too."""

    source: str
    host: str
    port: int
    user: str
    host_key: PinnedKey
    sign_in: Literal["key", "password"]
    key_file: Path | None

    def password(self) -> str:
        """Give the password.

        Raises:
            PickupError: there is none, or it cannot be read.

        """
        return self._secret("password")

    def private_key(self) -> str:
        """Give the text of the private key.

        Raises:
            PickupError: there is none, it cannot be read, or its file is open to others.

        """
        if self.key_file is None:
            return self._secret("key")
        try:
            if self.key_file.stat().st_mode & _OPEN_TO_OTHERS:
                msg = f"{self.key_file}: the private key is open to other users; close it with: chmod 600"
                raise PickupError(msg)
            return self.key_file.read_text(encoding="ascii")
        except OSError as error:
            msg = f"{self.key_file}: the private key cannot be read ({error.strerror}); check key_file, owner and mode"
        except UnicodeDecodeError:
            msg = f"{self.key_file}: is not a private key in text form"
        raise PickupError(msg)

    def passphrase(self) -> str | None:
        """Give the passphrase of the private key, where there is one.

        Raises:
            PickupError: it cannot be read.

        """
        return self._read("passphrase")

    def _secret(self, what: str) -> str:
        found = self._read(what)
        if not found:
            name = f"{self.source}-sftp-{what}"
            variable = variable_of(name)
            msg = f"there is no credential {name}; give it by systemd's LoadCredential, ${variable}_FILE or ${variable}"
            raise PickupError(msg)
        return found

    def _read(self, what: str) -> str | None:
        try:
            return read_secret(f"{self.source}-sftp-{what}")
        except ConfigError as error:
            raise PickupError(str(error)) from None
