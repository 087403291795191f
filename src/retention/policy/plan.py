"""The plan: what one purge would dispose of, and why, bound by a digest and used at most once.

Born-expired rows are never registered, so under fixed cutoffs the due set can only shrink. That is why cutoffs,
schedule digest, holds and counts bind a plan without listing every message. ``log_size`` ties it to the state of the
audit log it was made on, so that two plans made at the same instant of a drill still differ once one was carried out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages of one network and local day a rule would dispose of (``due``) or passes over (``held``).

    ``released`` counts those among the due that a hold covered until it was released after the previous purge.
    """

    network: str
    received_on: str
    due: int
    held: int
    released: int


@dataclass(frozen=True, slots=True)
class RulePlan:
    """One rule's part: everything of its classes received before ``cutoff`` (epoch seconds UTC, exclusive)."""

    rule: str
    keep: str
    authority: str
    cutoff: int
    class_ids: tuple[int, ...]
    tallies: tuple[Tally, ...]

    @property
    def due(self) -> int:
        """Messages that are due and not held."""
        return sum(tally.due for tally in self.tallies)

    @property
    def held(self) -> int:
        """Messages that are due and held."""
        return sum(tally.held for tally in self.tallies)

    @property
    def released(self) -> int:
        """Messages that are due because a hold was released since the previous purge."""
        return sum(tally.released for tally in self.tallies)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one purge would do. ``now`` is epoch seconds UTC, ``holds`` the ids of the holds that were active."""

    now: int
    schedule_digest: str
    log_size: int
    total: int
    holds: tuple[int, ...]
    rules: tuple[RulePlan, ...]

    @property
    def due(self) -> int:
        """Messages that the purge would dispose of."""
        return sum(rule.due for rule in self.rules)

    @property
    def held(self) -> int:
        """Messages that are due and that a hold keeps."""
        return sum(rule.held for rule in self.rules)

    @property
    def released(self) -> int:
        """Messages that are due because a hold was released since the previous purge."""
        return sum(rule.released for rule in self.rules)

    def canonical(self) -> str:
        """Give the plan as canonical JSON, the form that is stored and digested.

        Returns:
            ASCII JSON with sorted keys and no white space.

        """
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @property
    def digest(self) -> str:
        """``sha256:`` and the hex digest of the canonical form."""
        return "sha256:" + hashlib.sha256(self.canonical().encode("ascii")).hexdigest()


def load_plan(text: str) -> Plan:
    """Rebuild a plan from its canonical form.

    Args:
        text: what :meth:`Plan.canonical` gave.

    Returns:
        The equal plan.

    Raises:
        KeyError, TypeError, ValueError: the text is not a plan.

    """
    data: dict[str, Any] = json.loads(text)
    rules = tuple(
        RulePlan(
            **{
                **rule,
                "class_ids": tuple(rule["class_ids"]),
                "tallies": tuple(Tally(**tally) for tally in rule["tallies"]),
            }
        )
        for rule in data["rules"]
    )
    return Plan(**{**data, "holds": tuple(data["holds"]), "rules": rules})
