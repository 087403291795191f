"""Tokens, kept so that none is lost: a refresh token works once, and who loses the next one is locked out.

They stand in one file of ours (mode 0600). Whoever needs another access token takes a lock that all processes share and
reads the file again first, so that two of them make one refresh. The answer is written, synced and renamed into place
before its access token is used for anything. What cannot be mended is a process that dies between Hootsuite's answer
and the write: the old token is used up and the new one unknown. The next attempt is told so, and a person authorizes
the source anew. Client credentials go by HTTP Basic and never in the body.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from retention.errors import ApiError, NotAuthorizedError
from retention.sources.hootsuite_api.wire import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from retention.sources.hootsuite_api.account import Account
    from retention.sources.hootsuite_api.wire import Answer

SCOPE = "offline"

_EARLY_SECONDS = 60
_OPEN_TO_OTHERS = 0o077
_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one source. ``refreshing`` stands while a refresh token is on its way to be used."""

    access_token: str = ""
    expires_at: float = 0.0
    refresh_token: str = ""
    refreshing: bool = False


class Tokens:
    """The tokens of one source. ``ask`` makes a call as often as it takes."""

    def __init__(
        self, account: Account, ask: Callable[[Asked], Answer], *, clock: Callable[[], float] = time.time
    ) -> None:
        """Take the account, the way to ask and the clock (seconds since 1970) by which tokens expire."""
        self._account, self._ask, self._clock = account, ask, clock

    def access(self, *, refused: str = "") -> str:
        """Give an access token that lives and is not the one that was refused.

        Raises:
            NotAuthorizedError: a person must authorize the source.
            ApiError: no token could be had.

        """
        with self._locked():
            kept = self._read()
            if kept.access_token and kept.access_token != refused and kept.expires_at > self._clock() + _EARLY_SECONDS:
                return kept.access_token
            return self._renew(kept)

    def address(self, state: str) -> str:
        """Give the address at which a person agrees; ``state`` comes back with the answer and must be the same."""
        query = {
            "response_type": "code",
            "client_id": self._account.client_id,
            "scope": SCOPE,
            "redirect_uri": self._account.redirect_uri or "",
            "state": state,
        }
        return f"{self._account.url.rstrip('/')}/oauth2/auth?{urlencode(query)}"

    def redeem(self, pasted: str, state: str) -> None:
        """Turn the code that a person was given, or the address they were sent to, into tokens that are kept.

        Raises:
            NotAuthorizedError: it is not an answer to this request, or Hootsuite does not take it.

        """
        form = {
            "grant_type": "authorization_code",
            "code": _code_of(pasted.strip(), state),
            "redirect_uri": self._account.redirect_uri or "",
            "scope": SCOPE,
        }
        with self._locked():
            answer = self._token(form)
            if answer.status != HTTPStatus.OK:
                msg = (
                    f"Hootsuite did not take the code ({_why(answer)}); codes work once and for minutes, so begin anew"
                )
                raise NotAuthorizedError(msg)
            kept = self._keep(answer, Kept())
            if not kept.refresh_token:
                msg = "Hootsuite gave no refresh token, so this would last an hour; the application needs scope offline"
                raise NotAuthorizedError(msg)

    def _renew(self, kept: Kept) -> str:
        account = self._account
        if account.grant == "authorization_code":
            return self._refresh(kept)
        whose = {"member_id": account.member_id, "organization_id": account.organization_id}
        form = {"grant_type": account.grant, **{key: value for key, value in whose.items() if value is not None}}
        answer = self._token(form)
        if answer.status != HTTPStatus.OK:
            msg = f"Hootsuite refused the grant {account.grant} ({_why(answer)}); check client_id, secret and ids"
            raise NotAuthorizedError(msg)
        return self._keep(answer, Kept()).access_token

    def _refresh(self, kept: Kept) -> str:
        again = f"authorize it with: retention source authorize {self._account.source}"
        if not kept.refresh_token:
            msg = f"the source was not authorized yet; {again}"
            raise NotAuthorizedError(msg)
        cut_off, kept = kept.refreshing, Kept(refresh_token=kept.refresh_token, refreshing=True)
        self._write(kept)
        answer = self._token({"grant_type": "refresh_token", "refresh_token": kept.refresh_token})
        if answer.status == HTTPStatus.OK:
            return self._keep(answer, kept).access_token
        why = _why(answer)
        if why != "invalid_grant":
            msg = f"Hootsuite refused to refresh the token ({why}); check client_id and secret"
            raise NotAuthorizedError(msg)
        cause = "an earlier refresh was cut off before its answer could be kept" if cut_off else "it works once"
        msg = f"the refresh token is not accepted any more ({cause}); {again}"
        raise NotAuthorizedError(msg)

    def _token(self, form: dict[str, str]) -> Answer:
        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        basic = quote_plus(self._account.client_id), quote_plus(self._account.secret())
        return self._ask(Asked("POST", "/oauth2/token", form=form, basic=basic))

    def _keep(self, answer: Answer, before: Kept) -> Kept:
        fields = {str(name).lower(): value for name, value in answer.fields.items()}  # Hootsuite spells token_Type
        access, refresh, life = (fields.get(name) for name in ("access_token", "refresh_token", "expires_in"))
        kind = fields.get("token_type", "bearer")
        if not _is_token(access) or str(kind).lower() != "bearer":
            msg = "Hootsuite answered a request for a token with something that is none"
            raise ApiError(msg)
        seconds = float(life) if isinstance(life, int | float) and not isinstance(life, bool) else 0.0
        kept = Kept(
            str(access),
            self._clock() + seconds,
            str(refresh) if _is_token(refresh) else before.refresh_token,
        )
        self._write(kept)
        return kept

    def _read(self) -> Kept:
        file = self._account.tokens_file
        try:
            with file.open("rb") as stream:
                if os.fstat(stream.fileno()).st_mode & _OPEN_TO_OTHERS:
                    msg = f"{file}: is open to other users; close it with: chmod 600"
                    raise NotAuthorizedError(msg)
                return Kept(**json.load(stream))
        except FileNotFoundError:
            return Kept()
        except (OSError, ValueError, TypeError):
            msg = f"{file}: cannot be read; check its owner, or remove it and authorize the source again"
            raise NotAuthorizedError(msg) from None

    def _write(self, kept: Kept) -> None:
        file = self._account.tokens_file
        new = file.with_suffix(".new")
        try:
            new.unlink(missing_ok=True)
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                json.dump(asdict(kept), stream)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(file)
            _sync_folder(file.parent)
        except OSError as error:
            msg = f"{file}: the tokens cannot be kept ({error.strerror}); make room or give write access"
            raise ApiError(msg) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self._account.tokens_file.with_suffix(".lock")
        try:
            lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        except OSError as error:
            msg = f"{lock}: cannot be written ({error.strerror}); check its owner and mode"
            raise ApiError(msg) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _code_of(pasted: str, state: str) -> str:
    if "://" not in pasted:
        if not pasted:
            msg = "no code was given"
            raise NotAuthorizedError(msg)
        return pasted
    query = parse_qs(urlsplit(pasted).query)
    if query.get("state") != [state]:
        msg = "the address belongs to another request; open the one that was printed last"
        raise NotAuthorizedError(msg)
    if "code" not in query:
        msg = "the address has no code: nobody agreed"
        raise NotAuthorizedError(msg)
    return query["code"][0]


def _is_token(value: Any) -> bool:  # noqa: ANN401  # whatever the answer has
    return isinstance(value, str) and value.isascii() and value.isprintable() and bool(value)


def _why(answer: Answer) -> str:
    """Give the word of OAuth 2 for the reason, where it is one."""
    known = {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
    told = answer.fields.get("error")
    return told if isinstance(told, str) and told in known | {"invalid_scope"} else f"status {answer.status}"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
