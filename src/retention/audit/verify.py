"""Verify the log: every entry, every tile, the head, every checkpoint, and what batches say about disposals.

The root is computed anew from the entries and compared with everything that claims to know it. An edited entry shows
at its own index, because the tiles and the head's edge keep a hash of every leaf. Where those were rebuilt as well, the
signed checkpoints show it: then the first bad index is the size of the last checkpoint that still fits. One pass, one
page of entries in memory.

What this cannot show alone: a log that was rewritten together with tiles, head and checkpoints by somebody who has the
signing key, or cut back to an older checkpoint. For that a checkpoint must have left the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retention.audit import stored
from retention.audit.facts import FactCheck
from retention.audit.merkle import TILE_WIDTH, leaf_hashes
from retention.audit.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from retention.audit.checkpoint import VerifierKey

_LIMIT = 100


@dataclass(slots=True)
class Verification:
    """What verification found.

    ``root`` is computed from the entries, ``problems`` are sentences without values, ``registered`` is the size that
    the register must have by the entries, where they say it. ``miscounted`` is said where one of them does not count on
    from those before it: that concerns the register and not the log. ``notes`` say what could not be looked at, such as
    an anchor that is gone: the log by itself verifies and a person must look. ``checked`` say what was looked at beside
    the log itself, and that it fits.
    """

    size: int = 0
    root: bytes = b""
    first_bad_index: int | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    registered: int | None = None
    miscounted: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    def add(self, problem: str, index: int | None = None) -> None:
        """Note a problem, and the earliest index at which the log is known to be wrong.

        Args:
            problem: one sentence.
            index: the entry it concerns, where that is known.

        """
        if len(self.problems) < _LIMIT:
            self.problems.append(problem)
        if index is not None and (self.first_bad_index is None or index < self.first_bad_index):
            self.first_bad_index = index


def verify(
    connection: Connection, origin: str, keys: list[VerifierKey], progress: Callable[[int], None] | None = None
) -> Verification:
    """Verify the whole log in the database.

    Args:
        connection: a transaction that sees one state of the database.
        origin: the log's origin.
        keys: the public keys that may have signed its checkpoints.
        progress: called now and then with the number of entries read since the last call.

    Returns:
        Size and root as computed from the entries, and every problem found (at most a hundred).

    """
    found = Verification()
    walk = Walk(connection, origin, keys, found.add)
    facts = FactCheck()
    for page in stored.entry_pages(connection):
        walk.turn_page(len(page))
        for start in range(0, len(page), TILE_WIDTH):
            bodies = page[start : start + TILE_WIDTH]
            facts.see(walk.size, bodies)
            walk.append(leaf_hashes(bodies))
        if progress:
            progress(len(page))
    facts.end(walk.size)
    walk.end()
    found.size, found.root = walk.size, walk.root()
    found.registered, found.miscounted = facts.counts.registered, facts.counts.problem
    changed_from = found.first_bad_index
    for misfit in facts.found:
        # An entry that was changed later says nothing about what was done, so only what showed before it counts.
        if changed_from is None or misfit.shown_at < changed_from:
            found.add(misfit.problem, misfit.entry)
    return found
