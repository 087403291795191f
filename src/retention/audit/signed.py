"""The checkpoints in the database, beside the roots that the entries make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.audit import rotation, stored
from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from retention.audit.checkpoint import VerifierKey

    Report = Callable[[str, int | None], None]

_NO_MORE = (2**63, b"")  # greater than the size of any checkpoint


class Checkpoints:
    """The checkpoints that verify, in order of size; what is wrong with one is reported when it is reached.

    ``next_size`` is the size at which the next one was signed, ``fitting`` the greatest whose root the entries have.
    """

    def __init__(self, connection: Connection, origin: str, keys: list[VerifierKey], report: Report) -> None:
        """Start with the smallest."""
        self._report = report
        self._misfit = False
        self._rest = _opened(connection, origin, keys, report)
        self.next_size, self._next_root = next(self._rest, _NO_MORE)
        self.fitting = 0

    def compare(self, root: bytes, root_as_kept: bytes | None) -> None:
        """Compare the root at ``next_size`` and go on to the next; only the first misfit tells anything new.

        Args:
            root: what the entries make.
            root_as_kept: what the kept hashes make of them, where an entry does not have the hash that was kept of it.
                If that root was signed, it is just those entries that were changed. If not, somebody has made hashes
                anew, and nothing is known after the last checkpoint that fits.

        """
        size = self.next_size
        if root == self._next_root:
            self.fitting = size
        elif not self._misfit:
            self._misfit = True
            fitting = f"the last that fits is at {self.fitting}" if self.fitting else "none before it fits"
            self._report(
                f"the first {size} entries do not have the root of the checkpoint signed at that size; {fitting}",
                None if root_as_kept == self._next_root else self.fitting,
            )
        self.next_size, self._next_root = next(self._rest, _NO_MORE)

    def end(self, size: int) -> None:
        """Report checkpoints of more entries than there are.

        Args:
            size: how many there are.

        """
        if self.next_size == _NO_MORE[0]:
            return
        greatest = max((later for later, _ in self._rest), default=self.next_size)
        self._report(f"a checkpoint was signed at size {greatest}, but only {size} entries can be read", size)


def _opened(
    connection: Connection, origin: str, keys: list[VerifierKey], report: Report
) -> Iterator[tuple[int, bytes]]:
    signed = False
    chain = rotation.introduced(connection)
    known = rotation.believe(keys, chain, stored.notes(connection))
    for kept in stored.notes(connection):
        signed = True
        try:
            checkpoint = rotation.open_signed(kept, known, chain)
        except LogError as error:
            report(f"the checkpoint at size {kept.size} does not verify: {error}", None)
            continue
        if (checkpoint.origin, checkpoint.size) == (rotation.origin_at(chain, kept.size, origin), kept.size):
            yield kept.size, checkpoint.root
        else:
            report(f"the checkpoint stored at size {kept.size} speaks of another log or size", None)
    if not signed:
        report("the log has no signed checkpoint", None)
