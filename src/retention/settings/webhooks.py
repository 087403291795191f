"""The keys of sources that are sent to us: which belong to a webhook, and which to sources of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from retention.settings.table import Wrong

WEBHOOK = "hootsuite-webhook"
"""The kind of a source that is sent to us."""

_OF_ALL = frozenset({"name", "kind", "upstream", "expect_every"})
_OF_WEBHOOKS = frozenset({"auth", "username", "messages_of"})


def wrong_of_webhook(given: Mapping[str, object], known: Collection[str]) -> Iterator[Wrong]:
    """Say what is wrong with the keys of one source, of which some are for webhooks and most are not."""
    if given.get("kind") != WEBHOOK:
        yield from (((key,), f'is for kind = "{WEBHOOK}"') for key in sorted(given.keys() & _OF_WEBHOOKS))
        return
    for key in sorted((given.keys() & set(known)) - _OF_ALL - _OF_WEBHOOKS):
        yield (key,), "is for sources of files; a webhook has none"
    if (given.get("auth") == "basic") != ("username" in given):
        yield (), 'auth = "basic" needs username, and nothing else has one'
    if "messages_of" in given and "upstream" in given:
        yield ("upstream",), "is that of the source which messages_of names; leave it out here"


def wrong_of_names(tables: object) -> Iterator[Wrong]:
    """Say which webhook names a source that is not there or is a webhook itself."""
    listed = tables if isinstance(tables, list) else []
    sources = [table for table in listed if isinstance(table, dict)]
    of_files = [table.get("name") for table in sources if table.get("kind") != WEBHOOK]
    for number, table in enumerate(listed):
        if isinstance(table, dict) and "messages_of" in table and table["messages_of"] not in of_files:
            yield ("source", number, "messages_of"), "names no source of files of this configuration"
