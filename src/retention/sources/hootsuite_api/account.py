"""Which application asks, for whom, at which address; the secret is read when it is needed and never kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from retention.errors import ConfigError, NotAuthorizedError
from retention.settings.secrets import read_secret, variable_of

if TYPE_CHECKING:
    from pathlib import Path

Grant = Literal["authorization_code", "member_app", "organization_app"]
GRANTS: tuple[Grant, ...] = ("authorization_code", "member_app", "organization_app")


@dataclass(frozen=True, slots=True)
class Account:
    """One application at one address. ``state`` is our private folder for its tokens and for what it has used up."""

    source: str
    url: str
    client_id: str
    grant: Grant
    state: Path
    member_id: str | None = None
    organization_id: str | None = None
    redirect_uri: str | None = None

    def problems(self) -> list[str]:
        """Say what is missing or wrong, each after the key at fault."""
        found = []
        if why := _why_not_usable(self.url):
            found.append(f"url: {why}")
        needed = {
            "authorization_code": "redirect_uri",
            "member_app": "member_id",
            "organization_app": "organization_id",
        }
        for grant, key in needed.items():
            if grant == self.grant and getattr(self, key) is None:
                found.append(f'{key}: is missing; grant = "{grant}" needs it')
            if grant != self.grant and getattr(self, key) is not None:
                found.append(f'{key}: goes with grant = "{grant}"')
        return found

    def secret(self) -> str:
        """Give the client secret.

        Raises:
            NotAuthorizedError: there is none, or it cannot be read.

        """
        name = f"{self.source}-client-secret"
        try:
            found = read_secret(name)
        except ConfigError as error:
            raise NotAuthorizedError(str(error)) from None
        if not found:
            variable = variable_of(name)
            msg = f"there is no credential {name}; give it by systemd's LoadCredential, ${variable}_FILE or ${variable}"
            raise NotAuthorizedError(msg)
        return found

    def lacking(self) -> str | None:
        """Say what keeps the source from asking, as far as that shows without asking; None where nothing does."""
        try:
            self.secret()
        except NotAuthorizedError as error:
            return str(error)
        if self.grant == "authorization_code" and not self.tokens_file.exists():
            return f"the source was not authorized yet; authorize it with: retention source authorize {self.source}"
        return None

    @property
    def tokens_file(self) -> Path:
        """Where the tokens of this source are kept."""
        return self.state / f"{self.source}.tokens"

    @property
    def usage_file(self) -> Path:
        """Where it is counted what the application has asked: the same file for every source that it serves."""
        whose = hashlib.sha256(f"{self.url}\0{self.client_id}".encode()).hexdigest()
        return self.state / f"{whose[:16]}.usage"


def _why_not_usable(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        plain = parts.port != 0 and parts.username is None and parts.password is None
    except ValueError:
        plain, parts = False, urlsplit("")
    if not plain or not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
        return "write the address without a path, for example https://platform.hootsuite.com"
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(parts.hostname)):
        return "write https://; without TLS only this machine itself is asked"
    return None


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
