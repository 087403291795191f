"""Look at what the configuration names outside the database: can sources be read and anchors be used?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from retention.errors import AnchorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retention.anchors.interface import Anchor
    from retention.settings import SourceSettings


def say_anchors(anchors: Sequence[Anchor]) -> list[str]:
    """Give one line for each anchor, and one where there is none."""
    if not anchors:
        return [
            "The audit log has NO anchor: nothing leaves this database, so a restore or a rewriting would not show."
        ]
    lines = [
        f"  {anchor.name}: {anchor.kind}, {anchor.place}{'; a purge stops where it fails' if anchor.required else ''}"
        for anchor in anchors
    ]
    return ["Signed checkpoints of the audit log go to:", *lines]


def inspect_anchors(anchors: Sequence[Anchor]) -> list[str]:
    """Give one line for each anchor that cannot be used, as far as this can be seen from here."""
    problems = []
    for anchor in anchors:
        try:
            anchor.inspect()
        except AnchorError as error:
            problems.append(str(error))
    return problems


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
    for source, path in ((source, source.path) for source in sources if source.path):
        if not path.is_dir():
            problems.append(f"source {source.name}: {path} is not a folder; make it with: mkdir -p {path}")
        elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            problems.append(
                f"source {source.name}: {path} cannot be read and written by this user; "
                "both are needed, because ingested files are disposed of"
            )
    return problems
