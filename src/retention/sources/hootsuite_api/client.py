"""Calls with an access token, made again where a failure passes; the limiter is asked at every attempt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import stamina
from stamina.instrumentation import set_on_retry_hooks

from retention.errors import ApiBusyError, ApiError, NotAuthorizedError
from retention.logs import get_logger
from retention.sources.hootsuite_api.limiter import Limiter
from retention.sources.hootsuite_api.tokens import Tokens
from retention.sources.hootsuite_api.wire import Answer, Asked, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.sources.hootsuite_api.account import Account

set_on_retry_hooks([])  # the library's own hook writes to stdout, where results go; retries are logged here
_log = get_logger("api")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is made, and how many seconds pass in between: more each time, up to ``longest``."""

    attempts: int = 6
    first: float = 1.0
    longest: float = 30.0


class Client:
    """One application, asking for one source. ``pulse`` is called before every attempt and may end it by raising."""

    def __init__(
        self,
        account: Account,
        *,
        patience: Patience | None = None,
        limiter: Limiter | None = None,
        pulse: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the account; nothing is connected and no secret is read yet."""
        self.account = account
        self.pulse = pulse
        self._patience = patience or Patience()
        self._wire = Wire(account.url, limiter or Limiter(account.usage_file))
        self.tokens = Tokens(account, self._patiently)
        self._access = ""

    def ask(self, method: str, path: str, **query: str) -> Answer:
        """Make one call until it has an answer that stands; a refused token is replaced once.

        Raises:
            ApiError: there is no such answer; also ApiBusyError, where a later run may have more luck.
            NotAuthorizedError: a person must authorize the source.

        """
        answer = self._asked(method, path, query)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._access = self.tokens.access(refused=self._access)
            answer = self._asked(method, path, query)
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            msg = f"{answer.failure()}; check what the application and the member may do at Hootsuite"
            raise NotAuthorizedError(msg, code=answer.code)
        if answer.status not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
            raise ApiError(answer.failure(), code=answer.code)
        return answer

    def _asked(self, method: str, path: str, query: dict[str, str]) -> Answer:
        if not self._access:
            self._access = self.tokens.access()
        return self._patiently(Asked(method, path, query=query, bearer=self._access))

    def _patiently(self, asked: Asked) -> Answer:
        patience = self._patience
        patient = stamina.retry(
            on=ApiBusyError,
            attempts=patience.attempts,
            timeout=None,
            wait_initial=patience.first,
            wait_max=patience.longest,
            wait_jitter=patience.first,
        )
        return patient(partial(self._attempt, asked))()

    def _attempt(self, asked: Asked) -> Answer:
        self.pulse()
        self.account.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return self._wire.ask(asked)
        except ApiBusyError as error:
            _log.info("a call failed and may be made again", source=self.account.source, reason=str(error))
            raise
