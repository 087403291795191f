"""Archives that a person downloads from a network itself: X, Facebook, Instagram, LinkedIn."""

from __future__ import annotations

from retention.sources.archive.source import ARCHIVES, Archive, ArchiveFormat

__all__ = ["ARCHIVES", "Archive", "ArchiveFormat"]
