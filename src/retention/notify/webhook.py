"""A channel that posts JSON to one address, signed where there is a secret; see docs/notices.md for how to check it."""

from __future__ import annotations

import hashlib
import hmac
import json
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from retention.errors import HostError, NoticeError
from retention.model import from_epoch, iso, to_epoch
from retention.notify.intime import in_time
from retention.posting import post

if TYPE_CHECKING:
    from datetime import datetime

    from retention.notify.interface import Message
    from retention.notify.occasion import Told

ID, TIMESTAMP, SIGNATURE = "Retention-Id", "Retention-Timestamp", "Retention-Signature"


class WebhookChannel:
    """Posts to a URL; ``secret`` signs."""

    def __init__(self, name: str, url: str, secret: str | None, *, timeout: float) -> None:
        """Remember where to post; the path may be a secret of its own, so it is never told."""
        parts = urlsplit(url)
        self.name, self.place = name, f"{parts.scheme}://{parts.hostname}"
        self._url, self._secret, self._timeout = url, secret, timeout

    def problem(self) -> str | None:
        """Say what is wrong with the secret."""
        return "its secret is empty" if self._secret == "" else None

    def send(self, message: Message) -> str | None:
        """Post a message; only an answer from 200 to 299 says that it arrived.

        Raises:
            NoticeError: it did not arrive, or nobody knows.

        """
        body = json.dumps(as_json(message)).encode("ascii")
        headers = {"Content-Type": "application/json", ID: message.ident, **self._signed(body, message.sent_at)}
        try:
            posting = partial(post, self._url, body, headers, self._timeout, heard=False)
            status = in_time(posting, self._timeout).status
        except HostError as error:
            raise NoticeError(str(error)) from None
        if status // 100 != 2:  # noqa: PLR2004  # the class of success
            moved = "; redirects are not followed, so put the final address into url" if status // 100 == 3 else ""  # noqa: PLR2004  # and that of redirects
            msg = f"answered HTTP {status}{moved}"
            raise NoticeError(msg)
        return None

    def _signed(self, body: bytes, at: datetime) -> dict[str, str]:
        timestamp = str(to_epoch(at))
        if not self._secret:
            return {TIMESTAMP: timestamp}
        return {TIMESTAMP: timestamp, SIGNATURE: signature(self._secret, timestamp, body)}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Sign a body and the instant at which it is sent."""
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"


def as_json(message: Message) -> dict[str, Any]:
    """Give a message as plain values; ``text`` is all of it for people, and what chats show."""
    return {
        "version": 1,
        "id": message.ident,
        "log": message.origin,
        "drill": message.drill,
        "at": iso(message.now),
        "promise": message.promise,
        "subject": message.subject,
        "text": f"{message.subject}\n\n{message.text}",
        "occasions": [_occasion(one) for one in message.told],
    }


def _occasion(told: Told) -> dict[str, Any]:
    one = told.occasion
    return {
        "key": one.key,
        "kind": one.kind,
        "over": not one.grade,
        "urgency": one.urgency,
        "since": iso(from_epoch(told.since)),
        "told_before": None if told.before is None else iso(from_epoch(told.before)),
        "title": one.title,
        "facts": list(one.facts),
        "do": list(one.do),
        "checkpoint": one.attachment,
    }
