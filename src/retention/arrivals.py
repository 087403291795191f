"""What comes in: fetched, listed and sent, imported item by item, and what becomes of the files."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from retention.errors import PickupError
from retention.ingest import intake
from retention.ingest.disposition import QuarantineTerms, after_import
from retention.ingest.fetching import FetchTerms, failed, fetch_files
from retention.ingest.importing import Terms, import_item
from retention.ingest.inbox import EventInbox, nothing_to_keep
from retention.ingest.listing import listed
from retention.logs import get_logger
from retention.purge.execute import drop_redated
from retention.purge.files import settle_files
from retention.purge.remote import RemoteTerms, remove_imported
from retention.sources.interface import SkippedFile
from retention.upstream.evidence import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from retention.context import Context
    from retention.sources.interface import Pickup, Source, SourceItem
    from retention.store.imports import ImportResult
    from retention.store.lease import Lease
    from retention.watcher import Watcher

_log = get_logger("cycle")


def take_in(context: Context, held: Lease, now: datetime, watcher: Watcher) -> list[ImportResult]:
    """Fetch what waits on servers, ingest it with all that has landed, and remove over there what was imported."""
    terms = FetchTerms(context.database, held, now, time.time(), watcher.stop, watcher.skip)
    with ExitStack() as connections:
        pickups = [connections.enter_context(closing(pickup)) for pickup in context.pickups()]
        answering = [pickup for pickup in pickups if fetch_files(terms, pickup)]
        results = import_all(context, held, now, watcher, _discovered(context, now, watcher))
        for pickup in answering:
            _remove_fetched(context, terms, pickup)
    return results


def _remove_fetched(context: Context, terms: FetchTerms, pickup: Pickup) -> None:
    try:
        kept = remove_imported(RemoteTerms(context.database, context.log, terms.lease, terms.now), pickup)
    except PickupError as error:
        failed(terms, pickup, error)
        return
    for reason in kept:
        terms.skip(pickup.name, SkippedFile("", reason, needs_attention=True))


def import_all(
    context: Context,
    held: Lease,
    now: datetime,
    watcher: Watcher,
    items: Iterable[tuple[Source, SourceItem]],
    *,
    again: bool = False,
) -> list[ImportResult]:
    """Import item by item; after each, remove what it superseded and settle what becomes of its file."""
    terms = Terms(
        context.database,
        context.log,
        context.schedule,
        context.pseudonyms,
        held,
        now,
        inexact=context.inexact,
        tick=watcher.tick,
        stop=watcher.stop,
        # What a person names was listed at another time.
        watch=Watch(context.log, context.zones, now, context.inexact, frozenset() if again else context.asked),
    )
    settings = {source.name: source for source in context.settings.source}
    waits = QuarantineTerms(context.settings.paths.quarantine, context.settings.purge.grace_time)
    results: list[ImportResult] = []
    for source, item in items:
        if isinstance(source, EventInbox):
            # Events tell what was sent, and nothing of what the source still holds.
            result = import_item(replace(terms, watch=None), source, item, nothing_to_keep, again=False)
            source.forget(item, held, late=now if result.already_imported else None)
        else:
            after = after_import(settings[source.name], waits, now, leave_refused=again)
            result = import_item(terms, source, item, after, again=again)
        results.append(result)
        _log.info("import", source=source.name, file=item.name, refused=result.refused, **result.progress.counts())
        drop_redated(context.database, context.log, held, context.schedule, now)
        settle_files(context.database, context.log, context.quarantine, now)
    return results


def _discovered(context: Context, now: datetime, watcher: Watcher) -> Iterator[tuple[Source, SourceItem]]:
    """Give what lies in the landing folders or came by webhooks, then page sets, each listed when it is asked for."""
    sources = {source.name: source for source in context.sources()}
    here = [*sources.values(), *context.inboxes()]
    landed = intake.discovered(context.database, here, clock=time.time(), now=now, skip=watcher.skip)
    listings = [(listing, sources[listing.name]) for listing in context.listings()]
    return chain(landed, listed(context.database, listings, now=now, stop=watcher.stop, skip=watcher.skip))
