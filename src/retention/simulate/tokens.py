"""OAuth 2 as it is published: codes and refresh tokens work once, access tokens for a little less than an hour."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from retention.simulate.answers import AnsweredError, Fields, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retention.simulate.clock import Clock
    from retention.simulate.derive import Names
    from retention.simulate.directory import Directory

LIFETIME = 3599
_CODE_LIFETIME_MS = 600_000
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@dataclass(frozen=True)
class Grant:
    """Whom an access token speaks for: a member, or a whole organization."""

    member: str | None
    organization: str | None
    scope: str


@dataclass
class _Code:
    grant: Grant
    redirect_uri: str
    expires_ms: int
    tokens: list[str]
    used: bool = False


class Tokens:
    """Every code and token that was given out and still works."""

    def __init__(self, clock: Clock, names: Names, directory: Directory) -> None:
        """Begin with none."""
        self._clock, self._names, self._directory = clock, names, directory
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, tuple[Grant, int]] = {}
        self._refresh: dict[str, Grant] = {}

    def who(self, token: str) -> Grant | None:
        """Tell whom an access token speaks for while it lives."""
        grant, expires_ms = self._access.get(token, (None, 0))
        return grant if self._clock.now() < expires_ms else None

    def new_code(self, redirect_uri: str, scope: str) -> str:
        """Give an authorization code, as if the first member had agreed in a browser."""
        code = self._names.uuid()
        grant = Grant(self._directory.owner, None, scope)
        self._codes[code] = _Code(grant, redirect_uri, self._clock.now() + _CODE_LIFETIME_MS, [])
        return code

    def expire(self) -> None:
        """End the life of every access token; refresh tokens stay."""
        self._access.clear()

    def answer(self, form: Mapping[str, str]) -> Reply:
        """Answer a token request of a client that has shown its credentials."""
        grants = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh,
            "member_app": self._for_member,
            "organization_app": self._for_organization,
            "client_credentials": self._for_client,
        }
        way = grants.get(form.get("grant_type", ""))
        if way is None:
            raise oauth_error("unsupported_grant_type", "The grant type is not one that is supported.")
        return way(form)

    def _by_code(self, form: Mapping[str, str]) -> Reply:
        kept = self._codes.get(_needed(form, "code"))
        if kept is None or _needed(form, "redirect_uri") != kept.redirect_uri:
            raise oauth_error("invalid_grant", "The code is not known, or was given for another redirect_uri.")
        if kept.used:
            for token in kept.tokens:
                self._access.pop(token, None)
                self._refresh.pop(token, None)
            raise oauth_error("invalid_grant", "The code was used before; its tokens are revoked.")
        if self._clock.now() >= kept.expires_ms:
            raise oauth_error("invalid_grant", "The code has expired.")
        kept.used = True
        reply = self._give(kept.grant)
        body: Fields = dict(reply.body) if isinstance(reply.body, dict) else {}
        kept.tokens += [body["access_token"], body.get("refresh_token", "")]
        return reply

    def _by_refresh(self, form: Mapping[str, str]) -> Reply:
        grant = self._refresh.pop(_needed(form, "refresh_token"), None)
        if grant is None:
            raise oauth_error("invalid_grant", "The refresh token is not known or was used before.")
        return self._give(grant)

    def _for_member(self, form: Mapping[str, str]) -> Reply:
        member = self._directory.members.get(_needed(form, "member_id"))
        if member is None or not member.active:
            raise oauth_error("invalid_request", "The member is not known.")
        return self._give(Grant(member.member_id, None, form.get("scope", "")))

    def _for_organization(self, form: Mapping[str, str]) -> Reply:
        organization = _needed(form, "organization_id")
        if organization not in self._directory.names:
            raise oauth_error("invalid_request", "The organization is not known.")
        return self._give(Grant(None, organization, form.get("scope", "")))

    def _for_client(self, form: Mapping[str, str]) -> Reply:
        organization = next(iter(self._directory.names))
        return self._give(Grant(None, organization, form.get("scope", "")))

    def _give(self, grant: Grant) -> Reply:
        access = self._names.uuid()
        self._access[access] = grant, self._clock.now() + 1000 * LIFETIME
        body: Fields = {"access_token": access, "token_Type": "Bearer", "expires_in": LIFETIME}
        if grant.scope:
            body["scope"] = grant.scope
        if "offline" in grant.scope.split():
            body["refresh_token"] = self._names.uuid()
            self._refresh[body["refresh_token"]] = grant
        return Reply(body, headers=_NO_STORE)


def oauth_error(
    error: str, description: str, status: int = HTTPStatus.BAD_REQUEST, headers: dict[str, str] | None = None
) -> AnsweredError:
    """Refuse as the token endpoint does."""
    body = {"error": error, "error_description": description, "error_hint": "", "status_code": int(status)}
    return AnsweredError(Reply(body, status, headers={**_NO_STORE, **(headers or {})}))


def _needed(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise oauth_error("invalid_request", f"The parameter {name} is missing.")
    return form[name]
