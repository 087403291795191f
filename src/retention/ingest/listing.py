"""List what an interface has, window by window, and hand over each page set as it is finished.

What was listed is known from the imports: a window counts where an import that is done says that it covers it. So what
was cut off, left incomplete or lost is listed again by the next run, and nothing else has to be remembered here.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from retention.errors import ApiError, FileRefusedError
from retention.logs import get_logger
from retention.sources.interface import SkippedFile, Window
from retention.store import findings, imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, timedelta

    from retention.sources.interface import Listing, Source, SourceItem
    from retention.store.engine import Database

FAILED = "listing-failed"

_log = get_logger("listing")


def listed(
    database: Database,
    listings: Iterable[tuple[Listing, Source]],
    *,
    now: datetime,
    stop: Callable[[], None],
    skip: Callable[[str, SkippedFile], None],
) -> Iterator[tuple[Source, SourceItem]]:
    """Give one page set after another; each is to be imported before the next is asked for.

    A listing that fails becomes a finding, ``skip`` is told of it, and the others go on; what had been listed stays and
    is taken up by the next run.
    """
    for listing, source in listings:
        try:
            for window in chain(listing.unfinished(), _still_to_list(database, listing, now)):
                path = listing.fetch(window, stop)
                yield source, source.open_item(path)
        except (ApiError, FileRefusedError) as error:
            _log.error("a listing failed", source=listing.name, reason=str(error))
            skip(listing.name, SkippedFile("", str(error), needs_attention=True))
            with database.write() as connection:
                findings.open_finding(connection, FAILED, str(error), at=now, source=listing.name)
        else:
            whole = not any(_still_to_list(database, listing, now, overlap=False))
            with database.write() as connection:
                findings.mended(connection, FAILED, at=now, source=listing.name)
                if whole:  # what had been left out or could not be used has come since
                    findings.mended(connection, "rejected-row", at=now, source=listing.name)


def _still_to_list(database: Database, listing: Listing, now: datetime, *, overlap: bool = True) -> Iterator[Window]:
    """Give the windows that no import covers yet, the earliest first; evaluated when the first is asked for."""
    whole = Window(now - listing.look_back, now)
    with database.read() as connection:
        covered = [Window(*one) for one in imports.windows_since(connection, listing.name, since=whole.start)]
    for gap in gaps(whole, covered):
        first = max(whole.start, gap.start - listing.overlap) if overlap else gap.start
        yield from pieces(Window(first, gap.end), listing.longest)


def gaps(whole: Window, covered: Iterable[Window]) -> list[Window]:
    """Give what no window covers, in order of time."""
    found, reached = [], whole.start
    for window in sorted(covered):
        if window.start > reached:
            found.append(Window(reached, min(window.start, whole.end)))
        reached = max(reached, window.end)
        if reached >= whole.end:
            return found
    return [*found, Window(reached, whole.end)]


def pieces(window: Window, longest: timedelta) -> Iterator[Window]:
    """Cut a window into pieces that share their ends, none longer than may be asked for."""
    start = window.start
    while start < window.end:
        end = min(start + longest, window.end)
        yield Window(start, end)
        start = end
