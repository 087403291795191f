"""Hold the log against checkpoints that were kept elsewhere: the only memory that its keeper cannot rewrite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.audit.proof import verify_consistency
from retention.audit.prove import Prover
from retention.audit.tiles import DatabaseTiles
from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from retention.audit.checkpoint import Checkpoint


def compare_since(
    connection: Connection,
    head: Checkpoint,
    kept: Iterable[Checkpoint],
    report: Callable[[str, int | None], None],
) -> None:
    """Prove from stored tiles that the log only grew since each checkpoint (RFC 9162 section 2.1.4).

    Args:
        connection: a transaction that sees one state of the database.
        head: the log as it is now.
        kept: checkpoints whose signatures were verified.
        report: told a sentence, and the index from which nothing is known to be as it was: the size of the greatest
            checkpoint before it that still fits.

    """
    fitting = 0
    for one in sorted(kept, key=lambda checkpoint: checkpoint.size):
        if one.size > head.size:
            report(
                f"a checkpoint that was kept elsewhere was signed at size {one.size}, but the log has only {head.size} "
                "entries: it was cut back",
                head.size,
            )
            continue
        try:
            path = Prover(DatabaseTiles(connection), head.size).consistency(one.size)
            verify_consistency(one.size, one.root, path, head.size, head.root)
        except LogError:
            report(
                f"the log does not go on from the checkpoint that was kept elsewhere, signed at size {one.size}: among "
                f"its entries from {fitting} on, some were changed",
                fitting,
            )
            return
        fitting = one.size
