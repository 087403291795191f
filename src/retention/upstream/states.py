"""The states of a disposal order, purely: no clock, no database.

    listing → ordered → attested → absent
                 │          │   ↘
                 └──────────┴──→ present, unknown

1. ``listing``: its run still adds to it. ``ordered``: issued, nothing is shown.
2. ``attested``: as many people as are needed said that it was carried out, and no later export says otherwise. What
   people say never counts as evidence of absence.
3. ``present``: a later export shows at least one message of it. That outweighs what was attested, and refutes what was
   attested before that export was made.
4. ``absent``: later exports that cover the days of all its messages have none of them. Only that ends well.
5. ``unknown``: identifiers had to go before anything was shown of their messages. ``absent`` and ``unknown`` are ends.

The state follows from the figures alone, so what was recorded in another order gives the same state.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class State(StrEnum):
    """How far an order has come."""

    LISTING = "listing"
    ORDERED = "ordered"
    ATTESTED = "attested"
    ABSENT = "absent"
    PRESENT = "present"
    UNKNOWN = "unknown"


_OPEN = frozenset({State.ORDERED, State.ATTESTED, State.PRESENT})
MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.LISTING: frozenset({State.ORDERED}),
    **{state: (_OPEN | {State.ABSENT, State.UNKNOWN}) - {state} for state in sorted(_OPEN)},
    State.ABSENT: frozenset(),
    State.UNKNOWN: frozenset(),
}
"""Where each state may lead in one step."""


class Figures(NamedTuple):
    """What is known of an order. ``attested`` counts people whose word was not refuted, ``present`` is part of left."""

    issued: bool
    listed: int
    absent: int = 0
    present: int = 0
    unknown: int = 0
    attested: int = 0
    needed: int = 1


def state_of(figures: Figures) -> State:
    """Give the state that figures amount to.

    Args:
        figures: what is known of an order that lists one message at least.

    Returns:
        Its state.

    """
    if not figures.issued:
        return State.LISTING
    if figures.present:
        return State.PRESENT
    if figures.absent + figures.unknown < figures.listed:
        return State.ATTESTED if figures.attested >= figures.needed else State.ORDERED
    return State.UNKNOWN if figures.unknown else State.ABSENT


def attestation_problem(state: State, by: str, earlier: Iterable[str | None]) -> str | None:
    """Say why a person's word cannot be taken.

    Args:
        state: the order's.
        by: the person's name.
        earlier: the names of those whose word stands, None where a name was erased.

    Returns:
        The reason, or None where it can be taken.

    """
    if state is State.LISTING:
        return "its run has not ended, so it is not issued yet; run: retention run"
    if state in {State.ABSENT, State.UNKNOWN}:
        return "it is closed; nothing is left to attest"
    if state is State.ATTESTED:
        return "it is attested already; now a later export has to show that its messages are gone"
    names = list(earlier)
    if None in names:
        return "the name of the person who attested first was erased, so nobody can tell that you are another"
    if _folded(by) in {_folded(name) for name in names if name is not None}:
        return "the same person attested it before; another one has to"
    return None


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
