"""What the rows of imports tell of the periods that a source's exports covered, and of its silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.model import from_epoch
from retention.policy.coverage import Watched, Window, is_silent, merged, named_window, touched_days
from retention.store import imports

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def covered(connection: Connection, source: Watched) -> list[Window]:
    """Give what a source's imports cover, joined and in order of time."""
    if not source.covers:
        return []
    windows = []
    for seen in imports.windows(connection, source.name):
        if seen.window_from is not None and seen.window_to is not None:
            windows.append(named_window(from_epoch(seen.window_from), from_epoch(seen.window_to)))
        elif seen.oldest_at is not None and seen.newest_at is not None:
            windows.append(touched_days(from_epoch(seen.oldest_at), from_epoch(seen.newest_at), source.zone))
    return merged(windows)


def silent_since(connection: Connection, source: Watched, now: datetime) -> datetime | None:
    """Give since when a source has been silent for longer than it may be, or None where it is not."""
    if source.expected is None:
        return None
    last = imports.last_arrival(connection, source.name)
    at = source.since if last is None else from_epoch(last)
    return at if is_silent(at, source.expected, now) else None
