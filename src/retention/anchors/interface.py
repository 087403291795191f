"""What an anchor is to the rest of the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from retention.audit.checkpoint import Checkpoint

Kind = Literal["file", "syslog", "timestamp", "witness"]
Path = Callable[[int], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A signed checkpoint on its way out.

    ``text`` is the three lines that were signed, ``note`` the same with signatures, ``path`` gives the consistency
    proof from an older size, ``seen`` is the greatest size that this anchor took before, if any.
    """

    checkpoint: Checkpoint
    text: str
    note: str
    path: Path
    seen: int | None = None


class Anchor(Protocol):
    """One place outside the database. ``required``: a purge stops before it deletes where this place fails."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    @property
    def required(self) -> bool:
        """Whether work depends on it."""

    @property
    def place(self) -> str:
        """Where it is, for people."""

    def inspect(self) -> None:
        """Look whether it can be used, as far as that can be seen without asking anybody.

        Raises:
            AnchorError: it cannot.

        """

    def publish(self, out: Outgoing) -> bytes:
        """Give a checkpoint to it, and give what it gave for it, if anything.

        Raises:
            AnchorError: it cannot be reached, refuses, or its answer does not verify; the message names it.

        """
