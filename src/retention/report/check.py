"""Look at what the configuration names outside the database: can every source be read?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from retention.settings import SourceSettings


def inspect_anchor(anchor: Path | None) -> list[str]:
    """Give one line where the anchor cannot be written."""
    if anchor is None:
        return []
    place = anchor if anchor.exists() else next(folder for folder in anchor.parents if folder.exists())
    if os.access(place, os.W_OK):
        return []
    return [f"anchor: {anchor} cannot be written by this user; give it write access, or name another place"]


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
