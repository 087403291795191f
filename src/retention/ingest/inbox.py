"""What webhooks brought, as a source: batches of events that wait in the database until they are imported.

A batch is settled before it is read and never changes, so an import of it that was cut off goes on like that of a file.
Once it is imported its events go; where the process dies before that, the next one finds a batch that was imported.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from retention.errors import FileRefusedError, SourceError
from retention.model import MessageClass, PseudonymousMessage, to_epoch
from retention.sources.interface import Source, SourceItem
from retention.store import inbox, lease

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from retention.store.engine import Database
    from retention.store.imports import Progress

KEYS_KEPT = timedelta(minutes=15)
"""How long the key of an event is kept: an event is taken for ten minutes, from early clocks to late ones."""

_NO_STAMP = (0, 0, 0, 0)
_TYPE = "private message"


class EventInbox(Source):
    """The events of one webhook that wait."""

    def __init__(self, name: str, identity: str, database: Database, *, configured: bool = True) -> None:
        """Take its name, the source whose identifiers its messages carry, and where they wait.

        Of one that is not configured nobody knows whose identifiers they are, so its events go on waiting.
        """
        self.name = name
        self._identity = identity
        self._database = database
        self._configured = configured

    @property
    def identity(self) -> str:
        """Name the source whose identifiers its messages carry."""
        return self._identity

    def discover(self, *, at: float) -> Iterator[SourceItem]:  # noqa: ARG002  # events need not settle
        """List the batches, the oldest first, with one for everything that came since the last."""
        if not self._configured:
            msg = "events of this webhook wait, and the configuration has no source of its name; put it back"
            raise SourceError(msg)
        with self._database.write() as connection:
            batches = inbox.gather(connection, self.name)
        for batch in batches:
            yield self._item(batch)

    def open_item(self, path: Path) -> SourceItem:  # noqa: ARG002  # there are no files
        """Refuse: a webhook has no files."""
        reason = "is a file, and this source is a webhook; name another source with --source"
        raise FileRefusedError(reason)

    def read(self, item: SourceItem) -> Iterator[PseudonymousMessage]:
        """Stream the messages of a batch."""
        with self._database.read() as connection:
            events = list(inbox.batch_of(connection, self.name, _batch(item)))
        known: dict[tuple[str, str], MessageClass] = {}
        for number, event in enumerate(events, start=1):
            alike = event.network, event.channel
            if alike not in known:
                known[alike] = MessageClass(self.name, *alike, "inbound", "private", _TYPE)
            yield PseudonymousMessage(
                number,
                event.message_id,
                event.conversation,
                event.contact,
                event.received_at,
                known[alike],
            )

    def is_unchanged(self, item: SourceItem) -> bool:
        """Tell that a batch never changes."""
        return self._item(_batch(item)) == item

    def forget(self, item: SourceItem, held: lease.Lease, *, late: datetime | None = None) -> None:
        """Remove a batch that was imported; whoever has lost the lease since may not, for it may be another by now.

        ``late`` is the present instant where an earlier job had imported it: its messages may be disposed of already.
        """
        with self._database.write() as connection:
            lease.renew(connection, held, self._database.dialect.clock)
            inbox.forget(connection, self.name, _batch(item))
            if late is not None:
                inbox.owe_erasure(connection, self.name, item.digest, late)

    def _item(self, batch: int) -> SourceItem:
        digest = hashlib.sha256(b"%d\n" % batch)  # the same event may come again, under another key, and is new then
        with self._database.read() as connection:
            for event in inbox.batch_of(connection, self.name, batch):
                digest.update(json.dumps(astuple(event)).encode() + b"\n")
        return SourceItem(Path(str(batch)), inbox.ITEM, f"sha256:{digest.hexdigest()}", _NO_STAMP, None, None)


def forget_late_keys(database: Database, now: datetime) -> None:
    """Forget the keys of events so old that a repetition would not be taken."""
    with database.write() as connection:
        inbox.forget_keys(connection, to_epoch(now - KEYS_KEPT))


def nothing_to_keep(_progress: Progress, _refused: str | None) -> None:
    """Decide what becomes of the file of a batch: there is none."""


def _batch(item: SourceItem) -> int:
    return int(item.path.name)
