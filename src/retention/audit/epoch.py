"""Epochs of a log: what its origin is called after the database had to be restored.

A database that came back from a backup is behind the checkpoints that left it, so under the old origin it may never be
signed again: that would be a second history under one name. The log goes on under a new origin, whose first own entry
is a ``genesis`` that names the newest checkpoint of its predecessor. The entries from before it stay where they are, in
the same tree, so every proof that led to an earlier checkpoint over them still holds.

    retention/1f2e3d4c             the first epoch
    retention/1f2e3d4c/epoch-2     the second
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LATER = re.compile(r"(.+)/epoch-([2-9]|[1-9][0-9]{1,8})", re.DOTALL)


class Epoch(NamedTuple):
    """``family`` is the origin of the first epoch, ``number`` counts from 1."""

    family: str
    number: int

    @property
    def origin(self) -> str:
        """The origin under which checkpoints of this epoch are signed."""
        return self.family if self.number == 1 else f"{self.family}/epoch-{self.number}"


def epoch_of(origin: str) -> Epoch:
    """Tell which epoch of which log an origin names.

    Args:
        origin: the origin of a checkpoint.

    Returns:
        The origin of its first epoch, and the number, from 1.

    """
    later = _LATER.fullmatch(origin)
    return Epoch(later[1], int(later[2])) if later else Epoch(origin, 1)
