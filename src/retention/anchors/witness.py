"""A witness (C2SP tlog-witness): it signs a checkpoint too, and only where the log has grown from the one it saw last.

    old <size>                       what the witness is believed to have seen
    <base64>                         the consistency proof from there, a hash a line
                                     an empty line
    <signed checkpoint>

It answers with its signature line, or with 409 and the size that it has seen; then it is asked once more from there.
A witness that has seen more than the log holds is the best sign of a restored database there is.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

from retention.anchors.http import post
from retention.errors import AnchorError, LogError

if TYPE_CHECKING:
    from retention.anchors.interface import Kind, Outgoing
    from retention.audit.cosignature import WitnessKey
    from retention.posting import Answer

_OK, _CONFLICT = 200, 409
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
_SAYS = {
    403: "it does not know the key that signs this log",
    404: "it does not know this log; give its keeper the origin and the verifier key",
    422: "the log does not go on from what it saw: it was restored or rewritten",
}


class WitnessAnchor:
    """Asks a witness below a URL; what it signs is verified with the key that the configuration names."""

    kind: Kind = "witness"

    def __init__(self, name: str, url: str, key: WitnessKey, *, required: bool, timeout: float) -> None:
        """Remember whom to ask."""
        self.name, self.place, self.required = name, url, required
        self._key, self._timeout = key, timeout

    def inspect(self) -> None:
        """Leave it at that: the key was read when the configuration was."""

    def publish(self, out: Outgoing) -> bytes:
        """Get a cosignature; give its line.

        Raises:
            AnchorError: the witness cannot be reached or refuses, or what it signed does not verify.

        """
        seen = out.seen or 0
        answer = self._ask(out, seen if seen <= out.checkpoint.size else 0)
        if answer.status == _CONFLICT:
            answer = self._ask(out, self._seen(answer, out))
        if answer.status != _OK:
            reason = _SAYS.get(answer.status, "")
            msg = f"anchor {self.name}: {self.place} answered HTTP {answer.status}{': ' if reason else ''}{reason}"
            raise AnchorError(msg)
        try:
            line, _ = self._key.cosigned_at(f"{out.text}\n{answer.body.decode('utf-8', 'replace')}")
        except LogError:
            msg = f"anchor {self.name}: {self.place} gave no signature by the key that [[anchor]] names"
            raise AnchorError(msg) from None
        return line.encode()

    def _ask(self, out: Outgoing, old: int) -> Answer:
        proof = "".join(f"{b64encode(one).decode('ascii')}\n" for one in (out.path(old) if old else ()))
        body = f"old {old}\n{proof}\n{out.note}".encode()
        url = f"{self.place.rstrip('/')}/add-checkpoint"
        return post(f"anchor {self.name}", url, body, "text/plain; charset=utf-8", self._timeout)

    def _seen(self, answer: Answer, out: Outgoing) -> int:
        match = _SIZE.fullmatch(answer.body)
        if match is None:
            msg = f"anchor {self.name}: {self.place} answered HTTP 409 without saying what it has seen"
            raise AnchorError(msg)
        seen = int(match[1])
        if seen > out.checkpoint.size:
            msg = (
                f"anchor {self.name}: {self.place} has seen {seen} entries of this log, which has only "
                f"{out.checkpoint.size}: the database was restored or cut back"
            )
            raise AnchorError(msg)
        return seen
