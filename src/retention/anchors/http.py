"""One request of an anchor to the host that the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention import posting
from retention.errors import AnchorError, HostError

if TYPE_CHECKING:
    from retention.posting import Answer


def post(who: str, url: str, body: bytes, kind: str, timeout: float) -> Answer:
    """Send a body and give the answer, whatever its status.

    Raises:
        AnchorError: the host cannot be reached, is not who it should be, redirects, or answers without end.

    """
    try:
        return posting.post(url, body, {"Content-Type": kind}, timeout)
    except HostError as error:
        msg = f"{who}: {url} {error}"
        raise AnchorError(msg) from None
