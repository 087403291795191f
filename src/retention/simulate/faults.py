"""Failures on demand: the next requests, or a share of them that follows from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from retention.simulate.answers import invalid
from retention.simulate.read import integer, number, text

if TYPE_CHECKING:
    from retention.simulate.answers import Fields

KINDS = {
    "status": "answer with the status given (429, 500, 502, 503, ...) and change nothing",
    "drop": "close the connection without an answer and change nothing",
    "hang": "say nothing for so many seconds, then close the connection, and change nothing",
    "html": "answer with a page of HTML under the status given, and change nothing",
    "slow": "wait so many seconds, then answer properly",
    "cut": "answer properly, but close the connection in the middle of the body",
    "partial": "answer with half of the data and with errors beside it",
    "lost": "do what was asked, then close the connection without an answer",
}
_SECONDS = {"hang": 60.0, "slow": 1.0}
_STATUS = {"status": 503, "html": 200}


@dataclass
class Fault:
    """One order to fail: which requests, how, and how often."""

    kind: str
    count: int | None
    rate: float
    skip: int
    method: str
    path: str
    status: int
    seconds: float
    struck: int = 0
    random: Random = field(default_factory=Random)

    def told(self) -> Fields:
        """Tell it as the control endpoint does."""
        told: dict[str, Any] = {name: value for name, value in vars(self).items() if name != "random"}
        return told

    def strikes(self, method: str, path: str) -> bool:
        """Decide about one request, and remember that it was decided."""
        meant = f"{path}/".startswith(f"{self.path.rstrip('/')}/") and self.method in {"", method}
        if self.count == 0 or not meant:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.rate < 1 and self.random.random() >= self.rate:
            return False
        if self.count is not None:
            self.count -= 1
        self.struck += 1
        return True


class Faults:
    """The orders to fail that stand; the first that strikes decides."""

    def __init__(self, seed: int) -> None:
        """Begin without any."""
        self._seed = seed
        self._orders: list[Fault] = []
        self._given = 0

    def order(self, asked: Fields) -> Fault:
        """Take an order."""
        kind = text(asked, "kind")
        if kind not in KINDS:
            msg = f"kind is one of {', '.join(KINDS)}"
            raise invalid(msg)
        rate = number(asked, "rate", 1.0)
        self._given += 1
        seed = integer(asked, "seed", self._seed + self._given)
        fault = Fault(
            kind=kind,
            count=integer(asked, "count", 1) if "count" in asked or "rate" not in asked else None,
            rate=rate,
            skip=integer(asked, "skip", 0),
            method=text(asked, "method", "").upper(),
            path=text(asked, "path", "/"),
            status=integer(asked, "status", _STATUS.get(kind, 0)),
            seconds=number(asked, "seconds", _SECONDS.get(kind, 0.0)),
            random=Random(seed),  # noqa: S311 - failures must be the same for the same seed
        )
        self._orders.append(fault)
        return fault

    def clear(self) -> None:
        """Withdraw every order."""
        self._orders.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """Tell how this request fails, if it does."""
        return next((fault for fault in self._orders if fault.strikes(method, path)), None)

    def told(self) -> list[Fields]:
        """Tell every order and how often it struck."""
        return [fault.told() for fault in self._orders]
