"""Look at what the configuration names outside the database: can every source be read?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from retention.model import Period
from retention.policy.words import say_period

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from retention.settings import SourceSettings
    from retention.settings.schema import UpstreamSettings


def inspect_anchor(anchor: Path | None) -> list[str]:
    """Give one line where the anchor cannot be written."""
    if anchor is None:
        return []
    place = anchor if anchor.exists() else next(folder for folder in anchor.parents if folder.exists())
    if os.access(place, os.W_OK):
        return []
    return [f"anchor: {anchor} cannot be written by this user; give it write access, or name another place"]


def say_upstream(sources: Iterable[SourceSettings], upstream: UpstreamSettings) -> list[str]:
    """Say for each source what becomes of the copies that it keeps itself, and when its silence is told."""
    order, keep = say_period(upstream.order_time), say_period(upstream.keep_time)
    people = "one person" if upstream.attestations == 1 else "two people"
    ordered = (
        f"each purge issues an order to delete them within {order}, which {people} must attest and a later export "
        f"must show; identifiers for that are kept for {keep} at most"
    )
    lines = []
    for source in sources:
        what = ordered if source.upstream == "order" else "nothing is ordered, and nothing will be known of them"
        lines.append(f"Copies that {source.name} keeps itself: {what}.")
        if source.expect_every:
            lines.append(f"It is silent when nothing arrives for {say_period(Period.parse(source.expect_every))}.")
    return lines


def inspect_sources(sources: Iterable[SourceSettings]) -> list[str]:
    """Give one line for each landing folder that cannot be used, with what to do."""
    problems = []
    for source in sources:
        if not source.path.is_dir():
            problems.append(
                f"source {source.name}: {source.path} is not a folder; make it with: mkdir -p {source.path}"
            )
        elif not os.access(source.path, os.R_OK | os.W_OK | os.X_OK):
            problems.append(
                f"source {source.name}: {source.path} cannot be read and written by this user; "
                "both are needed, because ingested files are disposed of"
            )
    return problems
