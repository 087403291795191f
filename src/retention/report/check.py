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


def inspect_guards(missing: int) -> list[str]:
    """Give one line where triggers of the audit log are gone."""
    if not missing:
        return []
    told = f"audit log: {missing} of the triggers that keep it append-only are missing or switched off"
    return [f"{told}; find out who did that, and look with: retention audit verify --deep"]


def say_powers(kind: str, *, can_alter: bool) -> str:
    """Say whether this user could alter the audit log, and what there is against it."""
    if not can_alter:
        return "This database user can add to the audit log and cannot alter it."
    if kind == "sqlite":
        return "Whoever may write the database file can alter the audit log; checkpoints kept elsewhere show it."
    return "This database user can alter the audit log; two roles prevent that: retention init --print-grants"


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
