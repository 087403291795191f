"""Who follows a job from outside: how far it is, what it passed over, and whether it is to stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.sources.interface import SkippedFile


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who follows a job.

    ``tick`` is told how many records or messages were done, ``stop`` raises to stop the job, ``skip`` is told the
    source and each file that was passed over.
    """

    tick: Callable[[int], None] = field(default=lambda _: None)
    stop: Callable[[], None] = field(default=lambda: None)
    skip: Callable[[str, SkippedFile], None] = field(default=lambda _, __: None)
