"""Guess how a file has to be read, for somebody who has an export and no configuration yet."""

from __future__ import annotations

from retention.sources.sniff.guess import Counts, Guess
from retention.sources.sniff.sniffing import sniff

__all__ = ["Counts", "Guess", "sniff"]
