"""Hold the log against checkpoints that were kept elsewhere: the only memory that its keeper cannot rewrite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.audit.epoch import epoch_of
from retention.audit.proof import verify_consistency
from retention.audit.prove import Prover
from retention.audit.rotation import origin_at
from retention.audit.tiles import DatabaseTiles
from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection

    from retention.audit.checkpoint import Checkpoint
    from retention.audit.rotation import Introduced


def compare_since(
    connection: Connection,
    head: Checkpoint,
    kept: Iterable[Checkpoint],
    report: Callable[[str, int | None], None],
    chain: Sequence[Introduced] = (),
) -> None:
    """Prove from stored tiles that the log only grew since each checkpoint (RFC 9162 section 2.1.4).

    Args:
        connection: a transaction that sees one state of the database.
        head: the log as it is now.
        kept: checkpoints whose signatures were verified.
        report: told a sentence, and the index from which nothing is known to be as it was: the size of the greatest
            checkpoint before it that still fits.
        chain: the keys that the log introduces, in order; one of another name begins another epoch.

    """
    fitting = 0
    for one in sorted(kept, key=lambda checkpoint: checkpoint.size):
        if epoch_of(origin_at(chain, one.size, one.origin)).number > epoch_of(one.origin).number:
            number = epoch_of(one.origin).number
            index = min(key.seq for key in chain if epoch_of(key.key.name).number > number)
            report(
                f"a checkpoint that was kept elsewhere was signed at size {one.size} in an epoch of the log that ended "
                f"at entry {index}, when the database was restored: what it had from there on is not in this log",
                index,
            )
            continue
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


def goes_on_from(size: int) -> str:
    """Say what was found where a checkpoint that was kept fits.

    Args:
        size: its number of entries.

    Returns:
        One sentence.

    """
    entries = "entry" if size == 1 else f"{size} entries"
    return f"the log begins with the {entries} of the checkpoint that was kept elsewhere, unaltered and in their order"
